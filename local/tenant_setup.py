"""Makes a tenant ready for its first allowed call, by the administrator's API alone."""

from __future__ import annotations

from typing import Any

from local.api_client import Api
from local.callee.persona import PersonaTenant
from local.twin import OWNED_NUMBER


def facts_of(tenant: PersonaTenant) -> dict[str, Any]:
    """The fixture tenant's facts as `PUT /v1/tenants/{id}/facts` wants them."""
    return {
        "agent_name": tenant.agent_name,
        "company": tenant.company,
        "product": tenant.product,
        "human_name": tenant.human_name,
        "human_hours": tenant.human_hours,
        "contact_phone_spoken": tenant.contact_phone_spoken,
        "website": tenant.website,
        "privacy_email": tenant.privacy_email,
        "price_facts": list(tenant.price_facts),
        "never_say": list(tenant.never_say),
        "languages": list(tenant.languages),
        "information_channels": ["email", "whatsapp"],
    }


def set_up(admin: Api, tenant_id: str, tenant: PersonaTenant, concurrency: int = 25) -> Api:
    """Tenant, caller ID, facts, approved opening, key; gives the tenant's own API access."""
    body = {"tenant_id": tenant_id, "name": tenant.company, "concurrency": concurrency}
    admin.call("POST", "/v1/tenants", body)
    path = f"/v1/tenants/{tenant_id}"
    admin.call("POST", f"{path}/caller-ids", {"number": OWNED_NUMBER})
    agent = admin.call("PUT", f"{path}/facts", facts_of(tenant))
    approval = {"version": agent["version"]}
    admin.call("POST", f"{path}/agents/{agent['agent_id']}/opening/approval", approval)
    scopes = {"scopes": ["calls:write", "calls:read"]}
    key = admin.call("POST", f"{path}/keys", scopes, {"Idempotency-Key": "first"})["key"]
    return Api(admin.url, key)
