"""Administering tenants: from nothing to a first allowed call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from functions.tenants.requests import CallerIdBody, FactsBody, TenantBody
from shared.adapters.directory import Directory, create_key
from shared.adapters.opening_studio import OpeningStudio
from shared.adapters.sounds import OpeningClips
from shared.agents.opening import opening_for
from shared.domain.agent import Agent
from shared.domain.clock import Clock
from shared.domain.errors import Conflict, NotFound
from shared.domain.gate import SPAIN
from shared.domain.phone import NumberType
from shared.domain.tenant import ApiKey, CallerId, Scope, Tenant


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

    def create_key(self, tenant_id: str, scopes: tuple[Scope, ...]) -> tuple[str, ApiKey]:
        """The key's text (shown once) and its record."""
        self.directory.tenant(tenant_id)
        return create_key(self.directory, tenant_id, scopes, self.clock.now())

    def revoke_key(self, tenant_id: str, key_id: str) -> None:
        for key in self.directory.keys_of(tenant_id):
            if key.key_id == key_id:
                self.directory.put_key(replace(key, revoked_at=self.clock.now()))
                return
        raise NotFound("there is no such key")

    def add_caller_id(self, tenant_id: str, body: CallerIdBody) -> CallerId:
        """A number that the tenant holds. One that could never be used is refused at once."""
        caller_id = body.caller_id()
        tenant = self.directory.tenant(tenant_id)
        bound = tenant.must_use_400 and self.clock.now().date() >= SPAIN.only_400_from
        if caller_id.type is NumberType.MOBILE:
            raise Conflict("a mobile number may not be shown in commercial calls")
        if bound and caller_id.type is not NumberType.COMMERCIAL_400:
            raise Conflict("this tenant must call from a 400 number")
        others = tuple(c for c in tenant.caller_ids if c.number != caller_id.number)
        self.directory.put_tenant(replace(tenant, caller_ids=(*others, caller_id)))
        return caller_id

    def publish(self, tenant_id: str, body: FactsBody) -> Agent:
        """The next version of the tenant's agent. Its opening waits for approval."""
        tenant, facts = self.directory.tenant(tenant_id), body.facts()
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
        self.directory.put_tenant(replace(tenant, current_agent=body.agent_id))
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
