"""Tenants, keys and agents as an administrator reads them. No key's text, no hash."""

from __future__ import annotations

from dataclasses import asdict

from shared.domain.agent import Agent
from shared.domain.tenant import ApiKey, Tenant


def tenant_answer(tenant: Tenant) -> dict[str, object]:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "active": tenant.active,
        "concurrency": tenant.concurrency,
        "calls_per_minute": tenant.calls_per_minute,
        "countries": list(tenant.countries),
        "must_use_400": tenant.must_use_400,
        "machine_detection": tenant.machine_detection,
        "current_agent": tenant.current_agent,
        "caller_ids": [
            {"number": c.number, "type": c.type.value, "purpose": c.purpose.value}
            for c in tenant.caller_ids
        ],
        "created_at": tenant.created_at,
    }


def key_answer(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "scopes": [scope.value for scope in key.scopes],
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def agent_answer(agent: Agent) -> dict[str, object]:
    """With the opening's text, which a person has to read before approving it."""
    opening = agent.opening
    return {
        "agent_id": agent.agent_id,
        "version": agent.version,
        "agent_name": agent.agent_name,
        "opening": opening.text,
        "duties": {phrase.duty.value: phrase.words for phrase in opening.duties},
        "approved": opening.approved_at is not None,
        "approved_at": opening.approved_at,
        "settings": {
            "model": agent.model,
            "voice": agent.voice,
            "transcription_model": agent.transcription_model,
            "turn_taking": asdict(agent.turn_taking),
            "limits": asdict(agent.limits),
        },
    }
