"""./sofia call: places a call on a running twin through the public API and follows it."""

from __future__ import annotations

import argparse
import asyncio
import json
import uuid

from local.api_client import Api
from local.callee.persona import load_personas
from local.commands.up import running_twin
from local.live_view import LiveView
from local.placing import follow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", help="the number to call, for example +34600000001")
    parser.add_argument("--persona", metavar="ID", required=True, help="who answers there")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(options: argparse.Namespace) -> int:
    state = running_twin()
    persona = load_personas().persona(options.persona)
    connection = {"persona": persona.id, "number": options.number}
    body = Api(state["personas_url"], "").call("POST", "/connect", connection)
    api = Api(state["api_url"], state["api_key"])
    created = api.call("POST", "/v1/calls", body, {"Idempotency-Key": str(uuid.uuid4())})
    about = {name: state[name] for name in ("mind", "ears")}
    view = None if options.json else LiveView()
    report = asyncio.run(follow(api, created["call_id"], view.show if view else None))
    if view is None:
        print(json.dumps({**report, **about}, ensure_ascii=False))
    else:
        view.summary(report, {"Mind, ears": f"{about['mind']}, {about['ears']}"})
    return 0 if report["status"] == "analysed" else 1
