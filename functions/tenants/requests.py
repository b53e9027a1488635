"""What an administrator sends about tenants."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.domain.agent import InformationChannel, TenantFacts
from shared.domain.errors import InvalidInput
from shared.domain.phone import e164
from shared.domain.tenant import CallerId, Purpose, Scope

Short = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(pattern="^[a-z0-9-]{2,40}$")]


T = TypeVar("T", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TenantBody(_Strict):
    tenant_id: Id
    name: Short
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 5
    calls_per_minute: Annotated[int, Field(ge=1, le=6000)] = 60
    must_use_400: bool = True
    machine_detection: bool = True


class KeyBody(_Strict):
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]


class CallerIdBody(_Strict):
    number: Annotated[str, Field(max_length=32)]
    purpose: Purpose = Purpose.COMMERCIAL

    def caller_id(self) -> CallerId:
        return CallerId(e164(self.number, "number"), self.purpose)


class FactsBody(_Strict):
    agent_id: Id = "sofia"
    agent_name: Annotated[str, Field(min_length=2, max_length=30)] = "Sofía"
    company: Annotated[str, Field(min_length=2, max_length=60)]
    product: Short
    human_name: Annotated[str, Field(min_length=2, max_length=40)]
    human_hours: Short
    contact_phone_spoken: Short
    website: Short
    privacy_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=120)]
    price_facts: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    never_say: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    languages: tuple[Annotated[str, Field(pattern="^[a-z]{2}$")], ...] = ("es",)
    information_channels: tuple[InformationChannel, ...] = ()
    transfer_number: str | None = None

    def facts(self) -> TenantFacts:
        fields = self.model_dump(exclude={"agent_id", "agent_name", "transfer_number"})
        number = e164(self.transfer_number, "transfer_number") if self.transfer_number else None
        return TenantFacts(**fields, transfer_number=number)


class ApprovalBody(_Strict):
    version: Annotated[int, Field(ge=1)]


def parsed(kind: type[T], body: object) -> T:
    """Raises InvalidInput that names the field, never the value."""
    try:
        return TypeAdapter(kind).validate_python(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidInput(path, str(first["msg"])) from error
