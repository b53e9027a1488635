"""A function may die after any of its writes: nothing is lost, nobody is called twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from local.cloud.ministack import MiniStack
from local.cloud.provision import provision
from local.cloud.template import Template
from tests.integration.conftest import PARAMETERS, ROOT, SECRETS
from tests.integration.functions.life import Outcome, World, Writes
from tests.integration.postgres_server import migrated_server
from tests.integration.text_model_server import text_model_server

EVENTS_OF_A_TALK = {
    "call.created.v1": 1,
    "call.ended.v1": 1,
    "call.analysed.v1": 1,
}
# Between intent and order: the order may or may not have reached the carrier, so nobody dials again.
MAYBE_NOT_DIALLED = ("Dialer: TransactWriteItems", "Dialer: UpdateItem", "Dialer: PutItem")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("crashes")
    # A cloud of its own: its streams and queues carry nobody else's calls.
    ministack = MiniStack(folder)
    ministack.start()
    with (
        patch.dict(os.environ, ministack.environment()),
        migrated_server(folder) as (_, settings),
        text_model_server() as model,
    ):
        own = Template(ROOT / "template.yaml", PARAMETERS)
        provision(own, SECRETS)
        made = World(own, settings, model.base_url, folder)
        yield made
        made.stop()
    ministack.stop()


def check(outcome: Outcome, writes: Writes) -> None:
    where = f"after {writes.names[writes.crash_after - 1]}" if writes.crash_after else "undisturbed"
    assert outcome.dials <= 1, where
    assert (outcome.status, outcome.rows, outcome.archived, outcome.active_calls) == (
        "analysed",
        1,
        True,
        0,
    ), (where, outcome)
    # Sent twice or once, each event is the same event.
    assert {kind: len(ids) for kind, ids in outcome.events.items() if "status" not in kind} == (
        EVENTS_OF_A_TALK
    ), where
    if outcome.dials:
        assert (outcome.end_reason, outcome.stored_outcome) == ("completed", "qualified"), where
    else:
        died_at = writes.names[(writes.crash_after or 1) - 1]
        assert died_at in MAYBE_NOT_DIALLED, where


@pytest.mark.timeout(400)
def test_a_crash_after_any_write_loses_nothing(world: World) -> None:
    writes, outcome = world.live(None, "+34600100000")
    check(outcome, writes)
    assert outcome.dials == 1
    total = len(writes.names)
    died: list[str] = []
    for number in range(1, total + 1):
        again, outcome = world.live(number, f"+346001{number:05d}")
        check(outcome, again)
        died.append(again.names[number - 1])
    functions = {name.partition(":")[0] for name in died}
    assert functions >= {
        "CallCreation",
        "Dialer",
        "TwilioCallbacks",
        "Publisher",
        "OutcomeAnalysis",
        "History",
    }


@pytest.mark.timeout(60)
def test_everything_delivered_twice_changes_nothing(world: World) -> None:
    once, expected = world.live(None, "+34600300000")
    twice, outcome = world.live(None, "+34600300001", twice=True)
    check(outcome, twice)
    assert len(twice.names) > len(once.names)
    kinds = {kind: len(ids) for kind, ids in expected.events.items()}
    assert {kind: len(ids) for kind, ids in outcome.events.items()} == kinds
