"""Collects what the gate's decision rests on and asks it."""

from __future__ import annotations

from shared.adapters.directory import Directory
from shared.adapters.live_calls import LiveCalls
from shared.adapters.suppressions import Suppressions
from shared.domain.agent import Agent
from shared.domain.clock import Clock
from shared.domain.gate import Decision, GateInput, Stage, decide
from shared.domain.lead import Lead
from shared.domain.tenant import Tenant


class Gatekeeper:
    """The gate with its facts."""

    def __init__(
        self,
        directory: Directory,
        live: LiveCalls,
        suppressions: Suppressions,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._live = live
        self._suppressions = suppressions
        self._clock = clock

    def ask(
        self, tenant: Tenant, agent: Agent, lead: Lead, from_number: str, stage: Stage
    ) -> Decision:
        """The decision now. When a call is queued the tenant's slots do not count: they free up."""
        suppression = self._suppressions.find(tenant.tenant_id, lead.phone)
        active = self._live.active_calls(tenant.tenant_id) if stage is Stage.DIAL else 0
        caller_id = next((c for c in tenant.caller_ids if c.number == from_number), None)
        given = GateInput(
            tenant=tenant,
            agent=agent,
            lead=lead,
            caller_id=caller_id,
            suppressed=suppression.scope if suppression else None,
            active_calls=active,
            now=self._clock.now(),
        )
        return decide(given, stage)
