"""The projection in PostgreSQL: idempotent, and blind to other tenants."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from infra.migrate import migrate
from local.cloud.postgres import Postgres
from shared.adapters.history import History, connector
from shared.domain.errors import NotFound, Unavailable


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    migrate(server.url())
    # Again: a migration that is done is done.
    migrate(server.url())
    server.grant_login()
    names = {
        "DatabaseHost": "HOST",
        "DatabasePort": "PORT",
        "DatabaseName": "NAME",
        "DatabaseUser": "USER",
    }
    found = {f"DATABASE_{short}": server.settings()[name] for name, short in names.items()}
    yield {**found, "DATABASE_PASSWORD": server.application_password, "DATABASE_IAM": "false"}
    server.stop()


@pytest.fixture
def history(settings: dict[str, str]) -> History:
    return History(connector(settings))


def a_report(tenant_id: str, call_id: str, **changes: Any) -> dict[str, Any]:
    turn = {
        "n": 1,
        "who": "callee",
        "said": "¿Diga?",
        "heard": "¿Diga?",
        "started_ms": 1,
        "ended_ms": 2,
    }
    return {
        "tenant_id": tenant_id,
        "call_id": call_id,
        "created_at": "2026-11-24T09:40:00+00:00",
        "answered_at": None,
        "ended_at": None,
        "status": "ended",
        "end_reason": "completed",
        "outcome": None,
        "next_step": None,
        "summary": None,
        "cost_usd": {"total": 0.31},
        "turns": [{**turn, "interrupted": False}],
        "follow_ups": [{"kind": "demo", "at": "2026-11-26T11:00:00+01:00"}],
        **changes,
    }


def test_the_newer_report_wins_whatever_comes_last(history: History) -> None:
    assert history.put(a_report("t1", "c1"), 10)
    assert history.put(a_report("t1", "c1", outcome="qualified", status="analysed"), 21)
    assert not history.put(a_report("t1", "c1"), 10)
    assert not history.put(a_report("t1", "c1"), 21)
    assert history.get("t1", "c1")["outcome"] == "qualified"
    assert len(history.follow_ups("t1", 10)) == 1


def test_a_tenant_sees_only_its_own(history: History) -> None:
    history.put(a_report("t2", "c2"), 1)
    with pytest.raises(NotFound):
        history.get("t3", "c2")
    assert history.page("t3", 10, None, None) == []
    assert history.follow_ups("t3", 10) == []


def test_row_level_security_holds_below_the_code(
    history: History, settings: dict[str, str]
) -> None:
    history.put(a_report("t4", "c4"), 1)
    with connector(settings)() as connection:
        assert connection.execute("SELECT count(*) AS n FROM calls").fetchone() == {"n": 0}
        connection.execute("SELECT set_config('app.tenant_id', 't5', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO turns VALUES ('t4', 'c4', 9, 'agent', '', '', 0, 0, false, null)"
            )


def test_pages_go_on_where_the_last_one_ended(history: History) -> None:
    for number in range(5):
        day = f"2026-11-2{number}T09:00:00+00:00"
        history.put(a_report("t6", f"c{number}", created_at=day), 1)
    first = history.page("t6", 3, None, None)
    last = (first[-1]["created_at"], first[-1]["call_id"])
    second = history.page("t6", 3, last, None)
    assert [row["call_id"] for row in first + second] == ["c4", "c3", "c2", "c1", "c0"]


def test_a_database_that_is_away_says_so_and_is_found_again(settings: dict[str, str]) -> None:
    away = History(connector({**settings, "DATABASE_PORT": "9"}))
    with pytest.raises(Unavailable):
        away.get("t1", "c1")


def test_threads_that_share_a_connection_do_not_mix_their_transactions(history: History) -> None:
    def write(number: int) -> bool:
        return history.put(a_report(f"many-{number % 3}", f"c{number}"), 1)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(60)))
    assert sum(len(history.page(f"many-{n}", 100, None, None)) for n in range(3)) == 60
