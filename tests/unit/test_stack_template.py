"""What template.yaml promises beyond what the twin runs: permissions, queues that AWS accepts, nothing that gets lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.reconciler.app import LAST_CALL_MS
from local.cloud.cloudformation_yaml import read_template
from shared.adapters.carrier import REQUEST_S

RESOURCES = read_template(Path(__file__).parents[2] / "template.yaml")["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource.get("Properties", {})
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


FUNCTIONS = of_type("AWS::Serverless::Function")
SECRETS = of_type("AWS::SecretsManager::Secret")
TABLES = of_type("AWS::DynamoDB::Table")
QUEUES = of_type("AWS::SQS::Queue")
# Every function may find LIVE_TABLE in its environment; these have no business there.
NOT_LIVE = {"AuthorizerFn", "PublisherFn", "TenantsFn"}


def statements(function: str) -> list[dict[str, Any]]:
    return [s for policy in FUNCTIONS[function]["Policies"] for s in policy["Statement"]]


def named(value: Any) -> set[str]:
    """The logical ids that a value refers to."""
    if isinstance(value, list):
        return {name for item in value for name in named(item)}
    if not isinstance(value, dict):
        return set()
    ((kind, argument),) = value.items()
    if kind == "Fn::Sub":
        return {piece.split("}")[0].split(".")[0] for piece in argument.split("${")[1:]}
    return {argument.split(".")[0]}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_it_names_and_nothing_on_everything(function: str) -> None:
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"])
        assert "*" not in statement["Resource"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_permissions_and_environment_name_the_same_things(function: str) -> None:
    variables = FUNCTIONS[function].get("Environment", {}).get("Variables", {})
    used = named(list(variables.values()))
    used |= set() if function in NOT_LIVE else {"LiveTable"}
    granted = {name for s in statements(function) for name in named(s["Resource"])}
    stateful = (
        TABLES.keys()
        | SECRETS.keys()
        | {"DialQueue", "PublisherDlq", "Bus", "ArchiveBucket", "SoundsBucket"}
    )
    assert used & stateful == granted & stateful


def test_nobody_outside_the_vpc_reaches_the_database_and_nobody_inside_a_secret_of_others() -> None:
    for function in FUNCTIONS:
        actions = {action for s in statements(function) for action in s["Action"]}
        database = "rds-db:connect" in actions
        assert database == (function in ("HistoryFn", "ReportsFn"))
        assert not (database and "secretsmanager:GetSecretValue" in actions)


def test_queues_wait_six_times_as_long_as_their_function_works() -> None:
    """Below once its timeout AWS refuses the mapping; six times is its advice."""
    found = 0
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                (queue,) = named(event["Properties"]["Queue"])
                found += 1
                assert QUEUES[queue]["VisibilityTimeout"] >= 6 * function.get("Timeout", 10)
                assert "RedrivePolicy" in QUEUES[queue]
    assert found == 3


def test_every_rule_and_the_stream_have_somewhere_for_what_cannot_be_delivered() -> None:
    for rule in of_type("AWS::Events::Rule").values():
        assert all("DeadLetterConfig" in target for target in rule["Targets"])
    (changes,) = FUNCTIONS["PublisherFn"]["Events"].values()
    assert "OnFailure" in changes["Properties"]["DestinationConfig"]


def test_a_log_line_names_its_function() -> None:
    services = {
        properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for properties in FUNCTIONS.values()
    }
    assert len(services) == len(FUNCTIONS)


def test_the_last_call_that_a_reconciler_begins_fits_into_its_run() -> None:
    assert LAST_CALL_MS >= 3 * REQUEST_S * 1_000
    timeout_ms = FUNCTIONS["ReconcilerFn"]["Timeout"] * 1_000
    # Runs begin each minute and need not wait for each other; a third of one is for calls.
    assert timeout_ms < 60_000
    assert timeout_ms - LAST_CALL_MS >= 20_000


def test_every_request_leaves_a_line_that_names_nobody() -> None:
    (api,) = of_type("AWS::Serverless::HttpApi").values()
    line = json.loads(api["AccessLogSettings"]["Format"])
    assert {"$context.status", "$context.routeKey", "$context.authorizer.error"} <= set(
        line.values()
    )
    personal = ("identity", "path", "header", "querystring", "email")
    assert not [field for field in line.values() if any(word in field for word in personal)]
    (log,) = [
        name
        for name, properties in of_type("AWS::Logs::LogGroup").items()
        if properties["LogGroupName"] == {"Fn::Sub": "/sofia/${Stage}/api"}
    ]
    assert log == "ApiLog"
