"""Administering tenants: from nothing to a first allowed call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

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
from shared.agents.opening import opening_for
from shared.domain.agent import Agent
from shared.domain.clock import Clock
from shared.domain.errors import InvalidInput, NotFound
from shared.domain.gate import may_show
from shared.domain.tenant import ApiKey, CallerId, Tenant

_NOT_TO_BE_SHOWN = (
    "this number may not be shown in commercial calls: use a 400 number, or, where the tenant is not bound to them, "
    "a geographic, 800 or 900 number"
)


@dataclass(frozen=True, slots=True)
class Office:
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
        changes = body.model_dump(exclude_none=True)
        return self.directory.change_tenant(tenant_id, lambda tenant: replace(tenant, **changes))

    def create_key(self, tenant_id: str, body: KeyBody) -> tuple[str, ApiKey]:
        """The key's text (shown once) and its record."""
        self.directory.tenant(tenant_id)
        now = self.clock.now()
        return create_key(self.directory, tenant_id, body.scopes, now, body.expires_at)

    def revoke_key(self, tenant_id: str, key_id: str) -> None:
        """From now on, and within the minute for which the gateway keeps an authorizer's answer."""
        for key in self.directory.keys_of(tenant_id):
            if key.key_id == key_id:
                self.directory.put_key(replace(key, revoked_at=self.clock.now()))
                return
        raise NotFound("there is no such key")

    def add_caller_id(self, tenant_id: str, body: CallerIdBody) -> CallerId:
        """A number that the tenant holds. One that could never be used is refused at once."""
        caller_id = body.caller_id()

        def with_number(tenant: Tenant) -> Tenant:
            if not may_show(caller_id, tenant, self.clock.now()):
                raise InvalidInput("number", _NOT_TO_BE_SHOWN)
            others = tuple(c for c in tenant.caller_ids if c.number != caller_id.number)
            return replace(tenant, caller_ids=(*others, caller_id))

        self.directory.change_tenant(tenant_id, with_number)
        return caller_id

    def publish(self, tenant_id: str, body: FactsBody) -> Agent:
        """The next version of the tenant's agent. Its opening waits for approval."""
        self.directory.tenant(tenant_id)
        facts = body.facts()
        try:
            version = self.directory.current_agent(tenant_id, body.agent_id).version + 1
        except NotFound:
            version = 1
        agent = Agent(
            tenant_id=tenant_id,
            agent_id=body.agent_id,
            version=version,
            agent_name=body.agent_name,
            facts=facts,
            opening=opening_for(facts, body.agent_name),
        )
        self.directory.put_agent(agent)
        self.directory.change_tenant(
            tenant_id, lambda tenant: replace(tenant, current_agent=body.agent_id)
        )
        return agent

    def approve_opening(self, tenant_id: str, agent_id: str, version: int) -> tuple[Agent, int]:
        """A person approves this very text. It is spoken once and kept; gives the clip's length in ms."""
        agent = self.directory.agent(tenant_id, agent_id, version)
        try:
            clip = self.clips.get(agent)
        except NotFound:
            clip = self.studio().speak(agent)
            self.clips.put(agent, clip)
        approved_at: datetime = agent.opening.approved_at or self.clock.now()
        agent = replace(agent, opening=replace(agent.opening, approved_at=approved_at))
        self.directory.put_agent(agent, new=False)
        return agent, len(clip.sound) // 8
