"""What an administrator sends about tenants."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from functions.parsing import Moment, StrictBody
from functions.tenants.settings import SettingsBody
from shared.agents.opening import opening_for
from shared.domain.agent import Agent, InformationChannel, Limits, TenantFacts, TurnTaking
from shared.domain.phone import e164
from shared.domain.tenant import CallerId, Purpose, Scope

Short = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(pattern="^[a-z0-9-]{2,40}$")]
Concurrency = Annotated[int, Field(ge=1, le=1000)]
CallsPerMinute = Annotated[int, Field(ge=1, le=6000)]
Country = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,3}$")]
Countries = Annotated[tuple[Country, ...], Field(min_length=1, max_length=50)]


class TenantBody(StrictBody):
    """`countries` are the prefixes that may be dialled."""

    tenant_id: Id
    name: Short
    concurrency: Concurrency = 5
    calls_per_minute: CallsPerMinute = 60
    countries: Countries = ("+34",)
    must_use_400: bool = True
    machine_detection: bool = True


class TenantChange(StrictBody):
    """What is sent is changed, what is not stays. `active: false` stops every call that is not dialled yet;
    `current_agent` is who makes the calls that name no agent."""

    name: Short | None = None
    active: bool | None = None
    concurrency: Concurrency | None = None
    calls_per_minute: CallsPerMinute | None = None
    countries: Countries | None = None
    must_use_400: bool | None = None
    machine_detection: bool | None = None
    current_agent: Id | None = None


class KeyBody(StrictBody):
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    expires_at: Moment | None = None


class CallerIdBody(StrictBody):
    number: Annotated[str, Field(max_length=32)]
    purpose: Purpose = Purpose.COMMERCIAL

    def caller_id(self) -> CallerId:
        return CallerId(e164(self.number, "number"), self.purpose)


class FactsBody(StrictBody):
    """An agent's next version, whole: what is not sent has its default, not the last version's value. Of `languages`
    Sofia speaks Spanish."""

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
    languages: Annotated[tuple[Literal["es"], ...], Field(min_length=1, max_length=1)] = ("es",)
    information_channels: tuple[InformationChannel, ...] = ()
    transfer_number: Annotated[str, Field(max_length=32)] | None = None
    settings: SettingsBody = SettingsBody()

    def first_version(self, tenant_id: str) -> Agent:
        """The agent as described here, its opening not approved. Raises InvalidInput."""
        facts, settings = self.facts(), self.settings
        return Agent(
            tenant_id=tenant_id,
            agent_id=self.agent_id,
            version=1,
            agent_name=self.agent_name,
            facts=facts,
            opening=opening_for(facts, self.agent_name),
            model=settings.model,
            voice=settings.voice,
            transcription_model=settings.transcription_model,
            language=facts.languages[0],
            turn_taking=TurnTaking(**settings.turn_taking.model_dump()),
            limits=Limits(**settings.limits.model_dump()),
        )

    def facts(self) -> TenantFacts:
        ours = {"agent_id", "agent_name", "settings", "transfer_number"}
        number = e164(self.transfer_number, "transfer_number") if self.transfer_number else None
        return TenantFacts(**self.model_dump(exclude=ours), transfer_number=number)


class ApprovalBody(StrictBody):
    version: Annotated[int, Field(ge=1, le=999_999)]
