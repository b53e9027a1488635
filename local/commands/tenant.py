"""./sofia tenant: administers tenants of a running twin, or of a stack named by SOFIA_API_URL and SOFIA_ADMIN_KEY."""

from __future__ import annotations

import argparse
import json
import os
import secrets
from pathlib import Path
from typing import Any

from local.api_client import Api
from local.commands.up import running_twin
from local.errors import TwinError
from local.user_paths import as_given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a tenant")
    create.add_argument("tenant_id")
    create.add_argument("--name", required=True)
    create.add_argument("--concurrency", type=int, default=5)
    key = actions.add_parser("key", help="make an API key; it is shown once")
    key.add_argument("tenant_id")
    key.add_argument("--scopes", nargs="+", default=["calls:write", "calls:read"])
    number = actions.add_parser("caller-id", help="add a number that the tenant holds")
    number.add_argument("tenant_id")
    number.add_argument("number")
    facts = actions.add_parser("facts", help="publish the tenant's facts as the next agent version")
    facts.add_argument("tenant_id")
    facts.add_argument("file", type=Path, help="JSON file with the facts, and settings if any")
    opening = actions.add_parser("opening", help="approve an agent version's opening")
    opening.add_argument("verb", choices=["approve"])
    opening.add_argument("tenant_id")
    opening.add_argument("--agent", default="sofia")
    opening.add_argument("--version", type=int, required=True)


def run(options: argparse.Namespace) -> int:
    print(json.dumps(_act(_administrator(), options), ensure_ascii=False, indent=2))
    return 0


def _administrator() -> Api:
    if os.environ.get("SOFIA_API_URL"):
        return Api(os.environ["SOFIA_API_URL"], os.environ.get("SOFIA_ADMIN_KEY", ""))
    state = running_twin()
    return Api(state["api_url"], state["administrator_key"])


def _act(admin: Api, options: argparse.Namespace) -> Any:
    path = f"/v1/tenants/{options.tenant_id}"
    if options.action == "create":
        body = {
            "tenant_id": options.tenant_id,
            "name": options.name,
            "concurrency": options.concurrency,
        }
        return admin.call("POST", "/v1/tenants", body)
    if options.action == "key":
        repeatable = {"Idempotency-Key": secrets.token_hex(16)}
        return admin.call("POST", f"{path}/keys", {"scopes": options.scopes}, repeatable)
    if options.action == "caller-id":
        return admin.call("POST", f"{path}/caller-ids", {"number": options.number})
    if options.action == "facts":
        return admin.call("PUT", f"{path}/facts", _facts(options.file))
    approval = {"version": options.version}
    return admin.call("POST", f"{path}/agents/{options.agent}/opening/approval", approval)


def _facts(file: Path) -> Any:
    try:
        return json.loads(as_given(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise TwinError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TwinError(f"{file} is no JSON: {error}") from error
