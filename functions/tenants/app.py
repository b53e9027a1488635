"""Administering tenants: from nothing to a first allowed call."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from functions.tenants.requests import (
    CallerIdBody,
    FactsBody,
    KeyBody,
    TenantBody,
    TenantChange,
)
from shared.adapters.directory import Directory, create_key
from shared.adapters.opening_studio import OpeningStudio
from shared.adapters.sounds import OpeningClips
from shared.agents.tenant_text import checked
from shared.domain.agent import Agent
from shared.domain.clock import Clock
from shared.domain.errors import Conflict, InvalidInput, KeyReused, NotFound
from shared.domain.gate import may_show
from shared.domain.tenant import ADMINISTRATION, ApiKey, CallerId, Scope, Tenant

_NOT_TO_BE_SHOWN = (
    "this number may not be shown in commercial calls: use a 400 number, or, where the tenant is not bound to them, "
    "a geographic, 800 or 900 number"
)


class KeyMadeBefore(Conflict):
    """The same request made a key before. Its text was shown then and is stored nowhere: it cannot be shown again."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            "this request made a key before, whose text was shown only then: use it, or revoke it by its id and ask "
            "for another with a new Idempotency-Key"
        )
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class Office:
    """The use cases behind /v1/tenants. A request that comes twice changes nothing the second time."""

    clock: Clock
    directory: Directory
    clips: OpeningClips
    studio: Callable[[], OpeningStudio]

    def create(self, body: TenantBody) -> Tenant:
        """Raises Conflict where the id is taken."""
        tenant = Tenant(created_at=self.clock.now(), **body.model_dump())
        self.directory.put_tenant(tenant, new=True)
        return tenant

    def change(self, tenant_id: str, body: TenantChange) -> Tenant:
        """Raises NotFound, or InvalidInput for a current agent that may not call."""
        changes = body.model_dump(exclude_none=True)
        if body.current_agent is not None:
            agent = self.directory.agent_for_new_calls(tenant_id, body.current_agent)
            if agent.opening.approved_at is None:
                raise InvalidInput("current_agent", "approve an opening of this agent first")
        return self.directory.change_tenant(tenant_id, lambda tenant: replace(tenant, **changes))

    def create_key(self, tenant_id: str, body: KeyBody, idempotency_key: str) -> tuple[str, ApiKey]:
        """The key's text (shown once) and its record; its id follows from the request's. Raises NotFound, InvalidInput,
        KeyMadeBefore, KeyReused."""
        if Scope.ADMIN in body.scopes and tenant_id != ADMINISTRATION:
            raise InvalidInput("scopes", "only the administration's keys administer the platform")
        self.directory.tenant(tenant_id)
        now, key_id = self.clock.now(), _key_id(tenant_id, idempotency_key)
        try:
            return create_key(self.directory, tenant_id, body.scopes, now, body.expires_at, key_id)
        except Conflict as conflict:
            made = self.directory.key_of(tenant_id, key_id)
            if (made.scopes, made.expires_at) != (body.scopes, body.expires_at):
                raise KeyReused from conflict
            raise KeyMadeBefore(key_id) from conflict

    def revoke_key(self, tenant_id: str, key_id: str) -> None:
        """From now on, and within the minute for which the gateway keeps an authorizer's answer. Raises NotFound."""
        key = self.directory.key_of(tenant_id, key_id)
        if key.revoked_at is None:
            self.directory.put_key(replace(key, revoked_at=self.clock.now()))

    def add_caller_id(self, tenant_id: str, body: CallerIdBody) -> CallerId:
        """A number that the tenant holds. One that could never be used is refused at once."""
        caller_id = body.caller_id()

        def with_number(tenant: Tenant) -> Tenant:
            if not may_show(caller_id, tenant, self.clock.now()):
                raise InvalidInput("number", _NOT_TO_BE_SHOWN)
            # A number keeps its place: the first one is shown where a call names none.
            numbers = {c.number: c for c in tenant.caller_ids} | {caller_id.number: caller_id}
            return replace(tenant, caller_ids=tuple(numbers.values()))

        self.directory.change_tenant(tenant_id, with_number)
        return caller_id

    def publish(self, tenant_id: str, body: FactsBody) -> tuple[Agent, bool]:
        """The next version of the tenant's agent, and whether it is new: facts that say the same are no new version.
        Its opening waits for approval, and until then calls are made by the version before. A tenant's first agent is
        its current one. Raises NotFound, or InvalidInput for words that may not go into opening and prompt."""
        self.directory.tenant(tenant_id)
        described = body.first_version(tenant_id)
        checked(described.facts, described.agent_name)
        agent, is_new = self.directory.publish(described)
        self.directory.change_tenant(
            tenant_id,
            lambda tenant: replace(tenant, current_agent=tenant.current_agent or agent.agent_id),
        )
        return agent, is_new

    def approve_opening(self, tenant_id: str, agent_id: str, version: int) -> tuple[Agent, int]:
        """A person approves this very text. It is spoken once and kept; gives the clip's length in ms."""
        agent = self.directory.agent(tenant_id, agent_id, version)
        try:
            clip = self.clips.get(agent)
        except NotFound:
            clip = self.studio().speak(agent)
            self.clips.put(agent, clip)

        def approved(agent: Agent) -> Agent:
            approved_at = agent.opening.approved_at or self.clock.now()
            return replace(agent, opening=replace(agent.opening, approved_at=approved_at))

        agent = self.directory.change_agent(tenant_id, agent_id, version, approved)
        return agent, len(clip.sound) // 8


def _key_id(tenant_id: str, idempotency_key: str) -> str:
    return "key_" + hashlib.sha256(f"{tenant_id}\n{idempotency_key}".encode()).hexdigest()[:16]
