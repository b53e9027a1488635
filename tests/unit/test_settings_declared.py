"""Every setting that a function's code reads is declared for that function in template.yaml."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from local.cloud.cloudformation_yaml import read_template

ROOT = Path(__file__).parents[2]
TEMPLATE = read_template(ROOT / "template.yaml")
FUNCTIONS = {
    properties["Handler"].split(".")[1]: properties
    for resource in TEMPLATE["Resources"].values()
    if resource["Type"] == "AWS::Serverless::Function"
    for properties in [resource["Properties"]]
}
READERS = {"required", "optional"}


def module_file(name: str) -> Path | None:
    path = ROOT / name.replace(".", "/")
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


@cache
def code_of(module: str) -> frozenset[Path]:
    """The module's file and those of all our modules that it imports, at any depth."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = module_file(waiting.pop())
        if path is None or path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
    return frozenset(found)


def settings_read(path: Path) -> set[str]:
    """Names given to `required` and `optional`, and upper-case keys of mappings called `settings` or `environment`."""
    tree, names = ast.parse(path.read_text()), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called, first = node.func, node.args[0].value
            by_name = isinstance(called, ast.Name) and called.id in READERS
            by_get = (
                isinstance(called, ast.Attribute)
                and called.attr == "get"
                and is_environment(called.value)
            )
            if by_name or by_get:
                names.add(str(first))
        elif isinstance(node, ast.Subscript) and is_environment(node.value):
            names.add(str(ast.literal_eval(node.slice)))
    return names


def is_environment(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "environment"
    return isinstance(node, ast.Name) and node.id in ("settings", "environment")


def settings_of(function: str) -> set[str]:
    paths = code_of(f"functions.{function}.handler")
    return {name for path in paths for name in settings_read(path)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_reads_is_declared_for_it(function: str) -> None:
    declared = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    declared |= set(FUNCTIONS[function].get("Environment", {}).get("Variables", {}))
    assert settings_of(function) <= declared


def test_the_reading_sees_every_way_in_which_settings_are_read() -> None:
    wanted = {"LIVE_TABLE", "DATABASE_HOST", "DATABASE_CA_FILE", "ARCHIVE_BUCKET"}
    assert wanted <= settings_of("history")
    assert "MEDIA_READY_URL" in settings_of("dialer")
