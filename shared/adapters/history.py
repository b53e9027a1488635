"""What is remembered, in Aurora PostgreSQL: a projection, written by idempotent upserts, read under row-level security.

Every unit of work names its tenant first; without one no row is visible.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from shared.domain.errors import NotFound, Unavailable

CONNECT_WITHIN_S = 5


class History:
    """One connection for each process, opened when first needed and again after it broke."""

    def __init__(self, connect: Callable[[], psycopg.Connection[dict[str, Any]]]) -> None:
        self._connect = connect
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        # A Lambda environment runs one invocation at a time; where threads share this one, their
        # transactions must not nest into each other.
        self._one_at_a_time = threading.Lock()

    def put(self, report: dict[str, Any], version: int) -> bool:
        """Project a call's report. `version` grows with what is known; an older one changes nothing (False)."""
        tenant_id, call_id = report["tenant_id"], report["call_id"]
        with self._work(tenant_id) as connection:
            row = connection.execute(
                """
                INSERT INTO calls (tenant_id, call_id, version, created_at, answered_at, ended_at,
                                   status, end_reason, outcome, next_step, summary, cost_usd, report)
                VALUES (%(tenant_id)s, %(call_id)s, %(version)s, %(created_at)s, %(answered_at)s,
                        %(ended_at)s, %(status)s, %(end_reason)s, %(outcome)s, %(next_step)s,
                        %(summary)s, %(cost_usd)s, %(report)s)
                ON CONFLICT (tenant_id, call_id) DO UPDATE SET
                    version = EXCLUDED.version, answered_at = EXCLUDED.answered_at,
                    ended_at = EXCLUDED.ended_at, status = EXCLUDED.status,
                    end_reason = EXCLUDED.end_reason, outcome = EXCLUDED.outcome,
                    next_step = EXCLUDED.next_step, summary = EXCLUDED.summary,
                    cost_usd = EXCLUDED.cost_usd, report = EXCLUDED.report
                WHERE calls.version < EXCLUDED.version
                RETURNING version
                """,
                {
                    **{name: report[name] for name in _CALL_COLUMNS},
                    "version": version,
                    "cost_usd": report["cost_usd"]["total"],
                    "report": Jsonb(report),
                },
            ).fetchone()
            if row is None:
                return False
            self._put_turns(connection, tenant_id, call_id, report["turns"])
            self._put_follow_ups(connection, tenant_id, call_id, report["follow_ups"])
            return True

    def get(self, tenant_id: str, call_id: str) -> dict[str, Any]:
        """A call's report; raises NotFound."""
        with self._work(tenant_id) as connection:
            row = connection.execute(
                "SELECT report FROM calls WHERE call_id = %s", (call_id,)
            ).fetchone()
        if row is None:
            raise NotFound("there is no such call")
        report: dict[str, Any] = row["report"]
        return report

    def page(
        self,
        tenant_id: str,
        limit: int,
        before: tuple[str, str] | None,
        outcome: str | None,
    ) -> list[dict[str, Any]]:
        """The youngest calls before a (created_at, call_id)."""
        conditions = [sql.SQL("TRUE")]
        values: list[object] = []
        if before is not None:
            conditions.append(sql.SQL("(created_at, call_id) < (%s, %s)"))
            values += before
        if outcome is not None:
            conditions.append(sql.SQL("outcome = %s"))
            values.append(outcome)
        query = sql.SQL(
            "SELECT call_id, created_at, status, end_reason, outcome, next_step, cost_usd FROM calls "
            "WHERE {} ORDER BY created_at DESC, call_id DESC LIMIT %s"
        ).format(sql.SQL(" AND ").join(conditions))
        with self._work(tenant_id) as connection:
            rows = connection.execute(query, [*values, limit]).fetchall()
        return json.loads(json.dumps(rows, default=str))  # type: ignore[no-any-return]

    def follow_ups(self, tenant_id: str, limit: int) -> list[dict[str, Any]]:
        """Promises to keep, the next first."""
        with self._work(tenant_id) as connection:
            rows = connection.execute(
                "SELECT call_id, kind, due_at, body FROM follow_ups "
                "ORDER BY due_at NULLS LAST, call_id LIMIT %s",
                (limit,),
            ).fetchall()
        return json.loads(json.dumps(rows, default=str))  # type: ignore[no-any-return]

    def _put_turns(
        self, connection: Any, tenant_id: str, call_id: str, turns: list[dict[str, Any]]
    ) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO turns (tenant_id, call_id, n, who, said, heard, started_ms, ended_ms,
                                   interrupted, waterfall_ms)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (tenant_id, call_id, n) DO UPDATE SET
                    said = EXCLUDED.said, heard = EXCLUDED.heard, ended_ms = EXCLUDED.ended_ms,
                    interrupted = EXCLUDED.interrupted, waterfall_ms = EXCLUDED.waterfall_ms
                """,
                [
                    (
                        tenant_id,
                        call_id,
                        turn["n"],
                        turn["who"],
                        turn["said"],
                        turn["heard"],
                        turn["started_ms"],
                        turn["ended_ms"],
                        turn["interrupted"],
                        Jsonb(turn.get("waterfall_ms")),
                    )
                    for turn in turns
                ],
            )

    def _put_follow_ups(
        self,
        connection: Any,
        tenant_id: str,
        call_id: str,
        follow_ups: list[dict[str, Any]],
    ) -> None:
        connection.execute("DELETE FROM follow_ups WHERE call_id = %s", (call_id,))
        for number, follow_up in enumerate(follow_ups):
            connection.execute(
                "INSERT INTO follow_ups (tenant_id, call_id, n, kind, due_at, body) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    tenant_id,
                    call_id,
                    number,
                    follow_up["kind"],
                    follow_up["at"],
                    Jsonb(follow_up),
                ),
            )

    @contextmanager
    def _work(self, tenant_id: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """One transaction in the tenant's name."""
        with self._one_at_a_time, self._transaction(tenant_id) as connection:
            yield connection

    @contextmanager
    def _transaction(self, tenant_id: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            with self._connection.transaction():
                self._connection.execute(
                    "SELECT set_config('app.tenant_id', %s, true)", (tenant_id,)
                )
                yield self._connection
        except psycopg.OperationalError as error:
            self._connection = None
            raise Unavailable("the database is away") from error


_CALL_COLUMNS = (
    "tenant_id",
    "call_id",
    "created_at",
    "answered_at",
    "ended_at",
    "status",
    "end_reason",
    "outcome",
    "next_step",
    "summary",
)


def connector(
    settings: dict[str, str],
) -> Callable[[], psycopg.Connection[dict[str, Any]]]:
    """Connects with DATABASE_* settings: a password locally, an IAM token (15 minutes, only at connect) in AWS."""

    def connect() -> psycopg.Connection[dict[str, Any]]:
        iam = settings.get("DATABASE_IAM") == "true"
        password = _iam_token(settings) if iam else settings["DATABASE_PASSWORD"]
        return psycopg.connect(
            host=settings["DATABASE_HOST"],
            port=int(settings["DATABASE_PORT"]),
            dbname=settings["DATABASE_NAME"],
            user=settings["DATABASE_USER"],
            password=password,
            sslmode="verify-full" if iam else "prefer",
            connect_timeout=CONNECT_WITHIN_S,
            prepare_threshold=None,
            row_factory=dict_row,
        )

    return connect


def _iam_token(settings: dict[str, str]) -> str:
    import boto3

    token: str = boto3.client("rds").generate_db_auth_token(
        settings["DATABASE_HOST"],
        int(settings["DATABASE_PORT"]),
        settings["DATABASE_USER"],
    )
    return token
