"""From the event to the analysis on record: once, whatever is delivered twice, and visibly not where it cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.outcome_analysis import handler as function
from local.cloud.invoke import LambdaContext
from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.analyses import Analyses
from shared.adapters.journal import Journal
from shared.adapters.live_calls import LiveCalls
from shared.adapters.live_reader import LiveReader, WholeCall
from shared.adapters.suppressions import Suppressions
from shared.config import use_environment
from shared.domain.call import CallStatus, FactKind
from shared.domain.conversation import Conversation, Suppression, Turn, UsageKind
from shared.domain.journal import JournalEntry
from shared.domain.outcome import Flag, Outcome
from tests.integration.text_model_server import Misdeed, TextModelServer, text_model_server
from tests.sample_calls import CONVERSATION, DECISION, a_call, turns

TENANT = "t-analysis"
UNANSWERED = ((FactKind.QUEUED, 0), (FactKind.DIAL_INTENT, 1), (FactKind.NO_ANSWER, 26))


@pytest.fixture
def server() -> Iterator[TextModelServer]:
    with text_model_server() as running:
        yield running


@pytest.fixture
def environment(template: Template, server: TextModelServer) -> Iterator[dict[str, str]]:
    names = {
        "LIVE_TABLE": template.physical["LiveTable"],
        "LEADS_TABLE": template.physical["LeadsTable"],
        "OPENAI_SECRET_ID": template.physical["OpenAiSecret"],
        "SIGNING_SECRET_ID": template.physical["SigningSecret"],
        "OPENAI_BASE_URL": server.base_url,
    }
    function.compose.cache_clear()
    with use_environment(names):
        yield names
    function.compose.cache_clear()


def store(
    environment: dict[str, str], call_id: str, talk: Conversation = CONVERSATION, **changes: Any
) -> None:
    dynamodb, table = aws_clients.dynamodb(), environment["LIVE_TABLE"]
    number = changes.pop("number", "+34600000001")
    call = replace(a_call(call_id, TENANT, **changes), to_number=number)
    LiveCalls(dynamodb, table).create(call, DECISION)
    bodies = (*talk.turns, *talk.tools, *talk.duties, *talk.follow_ups, *talk.usage)
    entries = [JournalEntry(call_id, n, 1, body) for n, body in enumerate(bodies, 1)]
    if entries:
        Journal(dynamodb, table).append(entries)


def deliver(*call_ids: str) -> list[str]:
    """Gives the messages that failed."""
    records = [
        {
            "messageId": call_id,
            "body": json.dumps({"detail": {"data": {"call_id": call_id}}}),
            "eventSource": "aws:sqs",
        }
        for call_id in call_ids
    ]
    answer = function.handler({"Records": records}, LambdaContext("analysis", "request", 9e9))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def on_record(environment: dict[str, str], call_id: str) -> WholeCall:
    return LiveReader(aws_clients.dynamodb(), environment["LIVE_TABLE"]).read(call_id)


def item(environment: dict[str, str], call_id: str) -> Any:
    key: Any = {"pk": {"S": f"CALL#{call_id}"}, "sk": {"S": "ANALYSIS"}}
    return aws_clients.dynamodb().get_item(TableName=environment["LIVE_TABLE"], Key=key).get("Item")


def test_a_call_is_read_once_whatever_is_delivered_twice(
    environment: dict[str, str], server: TextModelServer
) -> None:
    store(environment, "a-read")
    assert deliver("a-read", "a-read") == []
    assert deliver("a-read") == []
    whole = on_record(environment, "a-read")
    assert whole.analysis is not None
    assert whole.analysis.outcome is Outcome.QUALIFIED
    assert whole.call.status is CallStatus.ANALYSED
    assert len(server.requests) == 1
    assert whole.analysis_usage is not None
    assert whole.analysis_usage.kind is UsageKind.ANALYSIS
    assert whole.analysis_usage.text_in > 0


def test_a_crash_after_the_analysis_was_written_is_made_good(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store(environment, "a-crash")
    with monkeypatch.context() as patch:
        patch.setattr(LiveCalls, "record", lambda *_: 1 / 0)
        assert deliver("a-crash") == ["a-crash"]
    first = item(environment, "a-crash")
    assert on_record(environment, "a-crash").call.status is CallStatus.ENDED
    assert deliver("a-crash") == []
    assert on_record(environment, "a-crash").call.status is CallStatus.ANALYSED
    assert item(environment, "a-crash") == first


def test_an_analysis_goes_with_its_call(environment: dict[str, str]) -> None:
    store(environment, "a-ttl")
    deliver("a-ttl")
    key: Any = {"pk": {"S": "CALL#a-ttl"}, "sk": {"S": "META"}}
    meta = aws_clients.dynamodb().get_item(TableName=environment["LIVE_TABLE"], Key=key)["Item"]
    assert item(environment, "a-ttl")["ttl"] == meta["ttl"]


def test_a_call_that_nobody_answered_costs_no_model(
    environment: dict[str, str], server: TextModelServer
) -> None:
    store(environment, "a-nobody", Conversation(), kinds=UNANSWERED)
    assert deliver("a-nobody") == []
    whole = on_record(environment, "a-nobody")
    assert whole.analysis is not None
    assert (whole.analysis.outcome, whole.analysis.model) == (Outcome.NO_ANSWER, "rule")
    assert server.requests == []


@pytest.mark.parametrize(
    "misdeed", [Misdeed.BUSY, Misdeed.REFUSAL, Misdeed.CUT_SHORT, Misdeed.OTHER_SHAPE]
)
def test_where_the_model_gives_nothing_the_call_stays_unanalysed_until_it_does(
    environment: dict[str, str],
    server: TextModelServer,
    misdeed: Misdeed,
    caplog: pytest.LogCaptureFixture,
) -> None:
    call_id = f"a-{misdeed}"
    store(environment, call_id)
    server.script.extend([misdeed, misdeed])
    assert deliver(call_id) == [call_id]
    assert on_record(environment, call_id).call.status is CallStatus.ENDED
    assert "Carmen" not in caplog.text + str([vars(record) for record in caplog.records])
    server.script.clear()
    assert deliver(call_id) == []
    assert on_record(environment, call_id).call.status is CallStatus.ANALYSED


def the_register(environment: dict[str, str]) -> Suppressions:
    return Suppressions(aws_clients.dynamodb(), environment["LEADS_TABLE"], b"h" * 32)


def objecting() -> tuple[Turn, ...]:
    return turns("P: ¿Sí?", "S: Hola, soy Sofía.", "P: No me vuelvan a llamar nunca más.")


def test_an_objection_that_only_the_reading_found_is_registered_once(
    environment: dict[str, str],
) -> None:
    number = "+34600000091"
    store(environment, "a-late", Conversation(turns=objecting()), number=number)
    assert the_register(environment).find(TENANT, number) is None
    assert deliver("a-late", "a-late") == []
    found = the_register(environment).find(TENANT, number)
    assert found is not None
    assert (found.call_id, found.source) == ("a-late", "outcome_analysis")
    assert found.quote == "No me vuelvan a llamar nunca más."
    analysis = on_record(environment, "a-late").analysis
    assert analysis is not None
    assert analysis.outcome is Outcome.DO_NOT_CALL


PARAPHRASED = ("P: ¿Sí?", "S: Hola, soy Sofía.", "P: Uy, con eso ni me vengan, que ya está bien.")


@pytest.mark.parametrize(
    ("outcome", "source", "requested"),
    [
        ("do_not_call", "outcome_analysis", True),
        ("wrong_number", "wrong_number", False),
        ("business_closed", "business_closed", False),
    ],
)
def test_a_number_that_must_not_be_called_again_is_suppressed_whatever_can_be_quoted(
    environment: dict[str, str],
    server: TextModelServer,
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    source: str,
    requested: bool,
) -> None:
    number = f"+3460000008{len(outcome) % 10}"
    said = {"turn": 3, "quote": "no me llaméis más", "scope": "tenant", "requested": requested}
    server.answer_with({"outcome": outcome, "opt_out": said})
    store(environment, f"a-{source}", Conversation(turns=turns(*PARAPHRASED)), number=number)
    with monkeypatch.context() as patch:
        patch.setattr(Analyses, "put", lambda *_: 1 / 0)
        assert deliver(f"a-{source}") == [f"a-{source}"]
    found = the_register(environment).find(TENANT, number)
    assert found is not None
    assert (found.source, found.call_id, found.quote) == (source, f"a-{source}", None)
    # The same message again: on record once, and read the same way.
    assert deliver(f"a-{source}") == []
    assert the_register(environment).find(TENANT, number) == found
    analysis = on_record(environment, f"a-{source}").analysis
    assert analysis is not None
    assert (analysis.outcome.value, analysis.opt_out.requested) == (outcome, requested)
    assert (Flag.AGENT_ERROR in analysis.flags) is requested


def test_a_call_that_ends_otherwise_suppresses_nobody(environment: dict[str, str]) -> None:
    number = "+34600000095"
    store(environment, "a-none", number=number)
    assert deliver("a-none") == []
    assert the_register(environment).find(TENANT, number) is None


def test_an_objection_that_is_on_record_stays_and_lends_its_reference(
    environment: dict[str, str],
) -> None:
    number, register = "+34600000092", the_register(environment)
    key = register.number_key(number)
    spoken = Suppression(
        TENANT, key, "tenant", "OP-AAAAA", datetime.now(UTC), "call", "a-known", "basta"
    )
    register.add(spoken)
    store(environment, "a-known", Conversation(turns=turns("P: ¿Sí?", "S: Hola.")), number=number)
    assert deliver("a-known") == []
    analysis = on_record(environment, "a-known").analysis
    assert analysis is not None
    assert (analysis.outcome, analysis.opt_out.reference) == (Outcome.DO_NOT_CALL, "OP-AAAAA")
    assert register.find(TENANT, number) == spoken


def test_a_message_that_fails_holds_up_no_other(environment: dict[str, str]) -> None:
    store(environment, "a-good")
    assert deliver("a-missing", "a-good") == ["a-missing"]
    assert on_record(environment, "a-good").call.status is CallStatus.ANALYSED
