"""Arrows point inward, functions import only what they use, the repository speaks of the product alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "shared/domain": {"shared.domain"},
    "shared/agents": {"shared.agents", "shared.domain"},
    "shared/adapters": {"shared"},
    "functions": {"functions", "shared"},
    "media_service/engine": {"media_service.engine", "shared.domain", "shared.agents"},
    "media_service": {"media_service", "shared"},
    "infra": {"infra"},
}
OURS = ("shared", "functions", "media_service", "local", "infra", "tests")
IMPURE = {"asyncio", "time", "socket", "os", "websockets", "random", "boto3", "threading"}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("folder", ALLOWED)
def test_arrows_point_inward(folder) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for name in imports(path):
            if name.split(".")[0] in OURS:
                assert any(
                    name == a or name.startswith(f"{a}.") or a.startswith(name)
                    for a in ALLOWED[folder]
                ), f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("folder", ["shared/domain", "shared/agents", "media_service/engine"])
def test_what_is_pure_stays_pure(folder) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        roots = {name.split(".")[0] for name in imports(path)}
        assert not roots & IMPURE, f"{path.relative_to(ROOT)} imports {roots & IMPURE}"


# Packages with what they bring along.
PACKAGES = {
    "pydantic": {"pydantic", "pydantic_core", "annotated_types", "typing_inspection"},
    "psycopg": {"psycopg", "psycopg_binary"},
    "twilio": {"twilio"},
    "twilio.rest": {"twilio", "requests", "charset_normalizer", "idna"},
    "ulid": {"ulid"},
}
STORE = "codec stored_items"
LIVE = f"{STORE} live_items live_calls live_writes"
CARRIER = "carrier carrier_words"
GATE = "directory gatekeeper suppressions"
# What each function is for needs these modules of `shared/adapters` and these packages, and no others.
ADAPTERS = {
    "authorizer": f"aws_clients {STORE} clock directory",
    "call_creation": f"aws_clients {LIVE} {CARRIER} {GATE} clock secrets dial_queue call_rate idempotency",
    "dialer": f"aws_clients {LIVE} {CARRIER} {GATE} clock secrets dial_queue capacity twiml",
    "history": f"aws_clients {STORE} clock live_items live_reader journal history history_rows database archive call_report",
    "outcome_analysis": f"aws_clients {LIVE} live_reader journal clock secrets suppressions analyses",
    "publisher": f"aws_clients {STORE} events",
    "reconciler": f"aws_clients {LIVE} {CARRIER} clock secrets dial_queue leases",
    "reports": f"aws_clients {STORE} clock live_items live_reader journal history history_rows database call_report",
    "tenants": f"aws_clients {STORE} clock secrets directory sounds opening_studio",
    "twilio_callbacks": f"aws_clients {LIVE} carrier_words clock secrets twilio_signature twiml",
}
NEEDS = {
    "call_creation": {"pydantic", "twilio.rest", "ulid"},
    "dialer": {"twilio.rest"},
    "history": {"psycopg"},
    "outcome_analysis": {"pydantic"},
    "reconciler": {"twilio.rest"},
    "reports": {"psycopg"},
    "tenants": {"pydantic"},
    "twilio_callbacks": {"twilio"},
}
EVERY_FUNCTION = "import boto3, msgspec, aws_lambda_powertools"


@cache
def loaded_by(code: str) -> frozenset[str]:
    output = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(' '.join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(output.stdout.split())


def packages(modules: Iterable[str]) -> set[str]:
    """Top-level names that are neither Python's nor ours."""
    roots = {name.split(".")[0] for name in modules}
    internal = {name for name in roots if name.startswith("_") or name == "cython_runtime"}
    return roots - internal - sys.stdlib_module_names - set(OURS)


def test_every_function_is_named_here() -> None:
    handlers = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    assert handlers == ADAPTERS.keys()


def test_whoever_dials_has_the_client_complete_before_it_does() -> None:
    complete = "twilio.rest.api.v2010.account.call"
    having = {
        name for name in ADAPTERS if complete in loaded_by(f"import functions.{name}.handler")
    }
    assert having == {"dialer"}


@pytest.mark.parametrize("function", ADAPTERS)
def test_a_function_imports_only_what_it_uses(function) -> None:
    loaded = loaded_by(f"import functions.{function}.handler")
    prefix = "shared.adapters."
    adapters = {name.removeprefix(prefix) for name in loaded if name.startswith(prefix)}
    assert adapters == set(ADAPTERS[function].split())
    allowed = packages(loaded_by(EVERY_FUNCTION))
    for package in NEEDS.get(function, ()):
        allowed |= PACKAGES[package]
    assert packages(loaded) <= allowed


@pytest.mark.parametrize("function", ADAPTERS)
def test_a_function_imports_no_other_function(function) -> None:
    loaded = loaded_by(f"import functions.{function}.handler")
    folders = {name.split(".")[1] for name in loaded if name.startswith("functions.")}
    assert not folders & (ADAPTERS.keys() - {function})


def test_no_address_of_a_package_index_and_no_lock_that_holds_one() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "uv.lock" not in tracked
    needle = "pypi" + ".org"
    for name in tracked:
        path = ROOT / name
        if path.suffix in (".txt", ".in", ".toml", ".yaml", ".md", ".py", "") and path.is_file():
            assert needle not in path.read_text(errors="ignore"), name
