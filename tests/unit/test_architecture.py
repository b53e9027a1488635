"""Arrows point inward, functions import only what they use, the repository speaks of the product alone."""

from __future__ import annotations

import ast
import subprocess
import sys
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


HEAVY = (
    "openai",
    "twilio.rest",
    "psycopg",
    "sqlalchemy",
    "holidays",
    "phonenumbers",
    "pydantic",
    "websockets",
)
NEEDS = {
    "authorizer": set(),
    "twilio_callbacks": set(),
    "publisher": set(),
    "reconciler": {"twilio.rest"},
    "dialer": {"twilio.rest"},
    "call_creation": {"twilio.rest", "pydantic"},
    "tenants": {"pydantic"},
    "outcome_analysis": {"pydantic"},
    "history": {"psycopg"},
    "reports": {"psycopg"},
}


@pytest.mark.parametrize("function", NEEDS)
def test_a_function_imports_only_what_it_uses(function) -> None:
    code = f"import functions.{function}.handler, sys; print(' '.join(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(output.stdout.split())
    assert {name for name in HEAVY if name in loaded} <= NEEDS[function]


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
