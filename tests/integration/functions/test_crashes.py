"""A function may die after any of its writes: nothing is lost, nobody is called twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from local.cloud.ministack import MiniStack
from local.cloud.provision import provision
from local.cloud.template import Template
from tests.integration.conftest import PARAMETERS, ROOT, SECRETS
from tests.integration.functions.life import Outcome, Story, World, Writes
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


@dataclass(frozen=True, slots=True)
class Expected:
    """How a story ends, and whose writes it adds to those of a talk."""

    end_reason: str
    outcome: str
    dials: int
    functions: frozenset[str]


EXPECTED = {
    Story.TALK: Expected("completed", "qualified", 1, frozenset()),
    Story.STREAM_LOST: Expected("dropped", "qualified", 1, frozenset({"TwilioCallbacks"})),
    Story.WITHDRAWN: Expected("canceled", "canceled", 0, frozenset({"CallCreation", "Dialer"})),
    Story.STOPPED: Expected("completed", "qualified", 1, frozenset({"CallCreation", "Reconciler"})),
    Story.UNREPORTED: Expected("dropped", "qualified", 1, frozenset({"Reconciler"})),
    Story.LOST_AND_FOUND: Expected(
        "completed", "inconclusive", 1, frozenset({"Reconciler", "Publisher", "History"})
    ),
}


def check(outcome: Outcome, writes: Writes, story: Story = Story.TALK) -> None:
    died_at = writes.names[writes.crash_after - 1] if writes.crash_after else None
    where, expected = (story, died_at), EXPECTED[story]
    assert outcome.dials <= 1, where
    assert (outcome.status, outcome.rows, outcome.archived, outcome.active_calls) == (
        "analysed",
        1,
        True,
        0,
    ), (where, outcome)
    assert outcome.stored_end_reason == outcome.end_reason, where
    # Sent twice or once, each event is the same event. What is amended depends on what died.
    once = {
        kind: len(ids)
        for kind, ids in outcome.events.items()
        if "status" not in kind and "amended" not in kind
    }
    assert once == EVENTS_OF_A_TALK, where
    if outcome.dials == expected.dials:
        found = (outcome.end_reason, outcome.stored_outcome)
        assert found == (expected.end_reason, expected.outcome), where
    else:
        assert died_at in MAYBE_NOT_DIALLED, where


def functions_of(writes: Writes) -> set[str]:
    return {name.partition(":")[0] for name in writes.names}


@pytest.mark.timeout(400)
def test_a_crash_after_any_write_loses_nothing(world: World) -> None:
    writes, outcome = world.live(None, "+34600100000")
    check(outcome, writes)
    assert outcome.dials == 1
    assert functions_of(writes) >= {
        "CallCreation",
        "Dialer",
        "TwilioCallbacks",
        "Publisher",
        "OutcomeAnalysis",
        "History",
    }
    for number in range(1, len(writes.names) + 1):
        again, outcome = world.live(number, f"+346001{number:05d}")
        check(outcome, again)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("story", [story for story in Story if story is not Story.TALK])
def test_a_crash_on_the_ways_aside_loses_nothing(world: World, story: Story) -> None:
    prefix = f"+34600{story.value:02d}"
    writes, outcome = world.live(None, f"{prefix}0000", story)
    check(outcome, writes, story)
    assert outcome.dials == EXPECTED[story].dials
    for number, name in enumerate(writes.names, 1):
        if name.partition(":")[0] in EXPECTED[story].functions:
            again, outcome = world.live(number, f"{prefix}{number:04d}", story)
            check(outcome, again, story)
            assert again.names[number - 1] == name


@pytest.mark.timeout(120)
@pytest.mark.parametrize("story", Story)
def test_everything_delivered_twice_changes_nothing(world: World, story: Story) -> None:
    once, expected = world.live(None, f"+346003000{story.value:02d}", story)
    twice, outcome = world.live(None, f"+346003001{story.value:02d}", story, twice=True)
    check(outcome, twice, story)
    assert len(twice.names) > len(once.names)
    assert functions_of(twice) == functions_of(once)
    kinds = {kind: len(ids) for kind, ids in expected.events.items()}
    assert {kind: len(ids) for kind, ids in outcome.events.items()} == kinds
