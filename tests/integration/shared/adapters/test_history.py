"""The projection in PostgreSQL: whole, idempotent, never older than before, blind to other tenants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

from shared.adapters.call_report import cost, report_of
from shared.adapters.database import Database, connector
from shared.adapters.history import FollowUpQuery, History
from shared.adapters.history_rows import CHILDREN
from shared.adapters.live_reader import WholeCall
from shared.config import SettingError
from shared.domain.call import CallStatus
from shared.domain.conversation import Conversation, FollowUp, FollowUpKind
from shared.domain.errors import NotFound, Unavailable
from shared.domain.lead import Lead
from shared.domain.listing import CallQuery, Place
from shared.domain.outcome import Outcome
from tests.integration.postgres_server import migrated_server
from tests.sample_calls import (
    ANALYSIS,
    CREATED,
    DECISION,
    DEMO,
    NUMBER,
    a_call,
    a_whole_call,
)

TABLES = ("calls", *(child.table for child in CHILDREN))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with migrated_server(tmp_path_factory.mktemp("postgres")) as (_, found):
        yield found


@pytest.fixture
def history(settings: dict[str, str]) -> Iterator[History]:
    database = Database(connector(settings))
    yield History(database)
    database.close()


def put(history: History, whole: WholeCall) -> bool:
    with history.writing(whole, cost(whole), report_of(whole)) as is_latest:
        return is_latest


def count(settings: dict[str, str], table: str, tenant_id: str) -> int:
    with connector(settings)() as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant_id,))
        query = sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(table))
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row["n"])


def test_a_whole_call_lies_in_its_tables(history: History, settings: dict[str, str]) -> None:
    whole = a_whole_call("c1", "t-whole")
    assert put(history, whole)
    assert {table: count(settings, table, "t-whole") for table in TABLES} == {
        "calls": 1,
        "turns": 8,
        "tool_calls": 2,
        "duties": 5,
        "follow_ups": 1,
        "usage_lines": 2,
        "cost_lines": len(cost(whole).lines),
        "gate_decisions": 1,
        "analyses": 1,
    }
    assert history.get("t-whole", "c1") == report_of(whole)
    (row,) = history.rows("t-whole", CallQuery(10))
    assert (row.outcome, row.next_step, row.created_at) == ("qualified", "demo", CREATED)
    assert row.cost_usd == Decimal(cost(whole).total_micro_usd) / 1_000_000


def test_the_newer_reading_wins_whatever_comes_last(
    history: History, settings: dict[str, str]
) -> None:
    early = a_whole_call("c1", "t-newer", analysis=None, analysis_usage=None, known=10)
    late = a_whole_call("c1", "t-newer", known=11)
    for reading, counts in ((early, True), (late, True), (early, False), (late, True)):
        assert put(history, reading) is counts
    assert history.get("t-newer", "c1")["outcome"] == "qualified"
    assert count(settings, "analyses", "t-newer") == count(settings, "calls", "t-newer") == 1


def test_what_fails_inside_leaves_no_row(history: History) -> None:
    whole = a_whole_call("c1", "t-rollback")
    with (
        pytest.raises(Unavailable, match="archive"),
        history.writing(whole, cost(whole), report_of(whole)),
    ):
        raise Unavailable("the archive is away")
    with pytest.raises(NotFound):
        history.get("t-rollback", "c1")
    assert put(history, whole)


def test_of_two_writers_the_later_reading_has_the_last_word_on_what_lies_beside_the_row(
    settings: dict[str, str],
) -> None:
    """The older one holds the row while it writes its object; the newer one has to wait, and writes after it."""
    older = a_whole_call("c1", "t-order", known=10)
    newer = a_whole_call("c1", "t-order", known=20)
    objects: list[int] = []
    begun = threading.Event()

    def write_newer() -> None:
        own = Database(connector(settings))
        begun.set()
        with History(own).writing(newer, cost(newer), report_of(newer)) as is_latest:
            assert is_latest
            objects.append(newer.known)
        own.close()

    thread = threading.Thread(target=write_newer)
    mine = Database(connector(settings))
    with History(mine).writing(older, cost(older), report_of(older)) as is_latest:
        assert is_latest
        thread.start()
        begun.wait(10)
        # It cannot end before this block does: the row is locked.
        thread.join(0.3)
        objects.append(older.known)
    thread.join(10)
    mine.close()
    assert objects == [10, 20]


def test_a_tenant_sees_only_its_own(history: History, settings: dict[str, str]) -> None:
    put(history, a_whole_call("c1", "t-mine"))
    with pytest.raises(NotFound):
        history.get("t-other", "c1")
    assert history.rows("t-other", CallQuery(10)) == []
    assert history.follow_ups("t-other", FollowUpQuery(10)) == []
    assert {count(settings, table, "t-other") for table in TABLES} == {0}


@pytest.mark.parametrize("table", TABLES)
def test_row_level_security_holds_below_the_code(
    history: History, settings: dict[str, str], table: str
) -> None:
    put(history, a_whole_call("c1", "t-wall"))
    name = sql.Identifier(table)
    with connector(settings)() as connection:
        unnamed = connection.execute(sql.SQL("SELECT * FROM {}").format(name)).fetchall()
        assert unnamed == []
        connection.execute("SELECT set_config('app.tenant_id', 't-intruder', true)")
        stolen = connection.execute(sql.SQL("UPDATE {} SET call_id = 'x'").format(name))
        assert stolen.rowcount == 0
        connection.execute("SELECT set_config('app.tenant_id', 't-wall', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("UPDATE {} SET tenant_id = 't-intruder'").format(name))


def test_the_application_can_change_no_table(settings: dict[str, str]) -> None:
    with connector(settings)() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("ALTER TABLE calls DISABLE ROW LEVEL SECURITY")


def test_lists_can_be_narrowed_and_followed(history: History) -> None:
    for n in range(5):
        call = a_call(f"c{n}", "t-list", created_at=CREATED + timedelta(days=n))
        put(history, replace(a_whole_call(f"c{n}", "t-list"), call=call))
    first = history.rows("t-list", CallQuery(3))
    second = history.rows("t-list", CallQuery(3, before=first[-1].place))
    assert [row.call_id for row in first + second] == ["c4", "c3", "c2", "c1", "c0"]
    some = CallQuery(9, since=CREATED + timedelta(days=1), until=CREATED + timedelta(days=3))
    assert [row.call_id for row in history.rows("t-list", some)] == ["c2", "c1"]
    assert len(history.rows("t-list", CallQuery(9, outcome=Outcome.QUALIFIED))) == 5
    assert history.rows("t-list", CallQuery(9, outcome=Outcome.BUSY)) == []
    assert len(history.rows("t-list", CallQuery(9, status=CallStatus.ENDED))) == 5
    assert history.rows("t-list", CallQuery(9, status=CallStatus.DENIED)) == []
    last = Place(CREATED - timedelta(days=9), "")
    assert history.rows("t-list", CallQuery(9, before=last)) == []


def test_promises_come_in_the_order_in_which_they_are_due(history: History) -> None:
    later = replace(DEMO, at=datetime(2026, 12, 1, 9, tzinfo=UTC))
    undated = FollowUp(
        "information-email", FollowUpKind.INFORMATION, channel="email", address="a@b.es"
    )
    withdrawn = replace(DEMO, cancelled=True)
    for call_id, promises in {
        "c1": (later,), "c2": (DEMO, undated), "c3": (withdrawn,)
    }.items():  # fmt: skip
        talk = Conversation(follow_ups=promises)
        put(history, a_whole_call(call_id, "t-due", conversation=talk))
    everything = history.follow_ups("t-due", FollowUpQuery(10))
    assert [(due.call_id, due.promise.kind.value) for due in everything] == [
        ("c2", "demo"),
        ("c1", "demo"),
        ("c2", "information"),
    ]
    assert everything[0].promise == DEMO
    for n in (1, 2):
        rest = history.follow_ups("t-due", FollowUpQuery(10, after=everything[n - 1].place))
        assert rest == everything[n:]
    assert history.follow_ups("t-due", FollowUpQuery(10, after=everything[-1].place)) == []
    demos = FollowUpQuery(10, kind=FollowUpKind.DEMO, until=later.at)
    assert [due.call_id for due in history.follow_ups("t-due", demos)] == ["c2"]


def test_after_an_objection_no_promise_is_due(history: History) -> None:
    put(history, a_whole_call("c1", "t-objected", analysis=None, analysis_usage=None, known=1))
    assert len(history.follow_ups("t-objected", FollowUpQuery(10))) == 1
    objected = replace(ANALYSIS, outcome=Outcome.DO_NOT_CALL)
    put(history, a_whole_call("c1", "t-objected", analysis=objected, known=2))
    assert history.follow_ups("t-objected", FollowUpQuery(10)) == []
    owed = FollowUp("privacy", FollowUpKind.PRIVACY_REQUEST)
    talk = Conversation(follow_ups=(DEMO, owed))
    whole = a_whole_call("c1", "t-objected", analysis=objected, conversation=talk, known=3)
    put(history, whole)
    (due,) = history.follow_ups("t-objected", FollowUpQuery(10))
    assert due.promise == owed


def test_rows_say_who_was_called_and_on_what_proof(
    history: History, settings: dict[str, str]
) -> None:
    inputs = '{"active_calls":0,"lead":{"phone":"+34600000001"}}'
    call = a_call("c1", "t-who", lead=Lead(NUMBER, lead_id="l-7"), metadata={"list": "otoño"})
    proof = replace(DECISION, inputs=inputs)
    put(history, replace(a_whole_call("c1", "t-who"), call=call, decisions=(proof,)))
    with connector(settings)() as connection:
        connection.execute("SELECT set_config('app.tenant_id', 't-who', true)")
        row = connection.execute(
            "SELECT to_number, from_number, lead_id, metadata, talk_s FROM calls"
        ).fetchone()
        decision = connection.execute(
            "SELECT inputs->'lead'->>'phone' AS phone FROM gate_decisions"
        ).fetchone()
    assert row == {
        "to_number": NUMBER,
        "from_number": "+34400000012",
        "lead_id": "l-7",
        "metadata": {"list": "otoño"},
        "talk_s": 81.0,
    }
    assert decision == {"phone": NUMBER}


def test_threads_that_share_a_connection_do_not_mix_their_transactions(history: History) -> None:
    def write(number: int) -> bool:
        return put(history, a_whole_call(f"c{number}", f"t-many-{number % 3}"))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(60)))
    assert [len(history.rows(f"t-many-{n}", CallQuery(100))) for n in range(3)] == [20, 20, 20]


def test_a_connection_that_died_unseen_is_replaced(
    history: History, settings: dict[str, str]
) -> None:
    put(history, a_whole_call("c1", "t-died"))
    with connector(settings)() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = current_user AND pid <> pg_backend_pid()"
        )
    assert history.get("t-died", "c1")["call_id"] == "c1"


def test_a_database_that_is_away_says_so(settings: dict[str, str]) -> None:
    away = History(Database(connector({**settings, "DATABASE_PORT": "9"})))
    for _ in range(2):
        with pytest.raises(Unavailable):
            away.get("t1", "c1")


def test_settings_that_are_missing_are_named(settings: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="DATABASE_HOST, DATABASE_USER"):
        connector({**settings, "DATABASE_HOST": "", "DATABASE_USER": ""})()
    with pytest.raises(SettingError, match="DATABASE_PASSWORD"):
        connector({**settings, "DATABASE_PASSWORD": ""})()
