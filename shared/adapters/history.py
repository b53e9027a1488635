"""What is remembered, in Aurora PostgreSQL: a projection of whole calls, written by idempotent upserts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import sql

from shared.adapters.database import Connection, Database
from shared.adapters.history_rows import CHILDREN, Child, call_row
from shared.adapters.live_reader import WholeCall
from shared.domain.conversation import FollowUp, FollowUpKind
from shared.domain.cost import Cost
from shared.domain.errors import NotFound
from shared.domain.listing import CallQuery, CallRow


@dataclass(frozen=True, slots=True)
class FollowUpPlace:
    """Where in the list of promises one stands; those without a time come last."""

    due_at: datetime | None
    call_id: str
    follow_up_id: str


@dataclass(frozen=True, slots=True)
class FollowUpQuery:
    """A tenant's promises due in `[since, until)` and after `after`. None asks for all."""

    limit: int
    after: FollowUpPlace | None = None
    kind: FollowUpKind | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DueFollowUp:
    call_id: str
    promise: FollowUp

    @property
    def place(self) -> FollowUpPlace:
        return FollowUpPlace(self.promise.at, self.call_id, self.promise.follow_up_id)


class History:
    """Writes and reads in the name of one tenant at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def writing(self, whole: WholeCall, cost: Cost, report: Mapping[str, Any]) -> Iterator[bool]:
        """Project a call. False where more is known already; then nothing changes.

        The call's row stays locked until the block ends and nothing is kept if it raises: what else is written for
        the call inside the block is in step with the row. Raises Unavailable.
        """
        row = call_row(whole, cost, report)
        with self._database.work(whole.call.tenant_id) as connection:
            is_latest = connection.execute(_upsert(row), row).fetchone() is not None
            if is_latest:
                for child in CHILDREN:
                    _replace(connection, child, whole, cost)
            yield is_latest

    def get(self, tenant_id: str, call_id: str) -> dict[str, Any]:
        """A call's report; raises NotFound."""
        with self._database.work(tenant_id) as connection:
            row = connection.execute(
                "SELECT report FROM calls WHERE tenant_id = %s AND call_id = %s",
                (tenant_id, call_id),
            ).fetchone()
        if row is None:
            raise NotFound("there is no such call")
        report: dict[str, Any] = row["report"]
        return report

    def rows(self, tenant_id: str, query: CallQuery) -> list[CallRow]:
        """The tenant's youngest calls that `query` asks for."""
        before = query.before
        with self._database.work(tenant_id) as connection:
            found = connection.execute(
                _LIST,
                {
                    "tenant_id": tenant_id,
                    "before_at": before.created_at if before else None,
                    "before_id": before.call_id if before else None,
                    "status": query.status.value if query.status else None,
                    "outcome": query.outcome.value if query.outcome else None,
                    "since": query.since,
                    "until": query.until,
                    "limit": query.limit,
                },
            ).fetchall()
        return [
            CallRow(**{**row, "created_at": row["created_at"].astimezone(UTC)}) for row in found
        ]

    def follow_ups(self, tenant_id: str, query: FollowUpQuery) -> list[DueFollowUp]:
        """Promises that stand, the next first."""
        after = query.after
        with self._database.work(tenant_id) as connection:
            found = connection.execute(
                _FOLLOW_UPS,
                {
                    "tenant_id": tenant_id,
                    "after": after is not None,
                    "after_at": after.due_at if after else None,
                    "after_call": after.call_id if after else None,
                    "after_id": after.follow_up_id if after else None,
                    "kind": query.kind.value if query.kind else None,
                    "since": query.since,
                    "until": query.until,
                    "limit": query.limit,
                },
            ).fetchall()
        return [DueFollowUp(row.pop("call_id"), _promise(row)) for row in found]


def _promise(row: dict[str, Any]) -> FollowUp:
    """With its time as the callee's clock shows it."""
    at, timezone = row["at"], row["timezone"]
    if at is not None:
        at = at.astimezone(ZoneInfo(timezone) if timezone else UTC)
    return FollowUp(**{**row, "kind": FollowUpKind(row["kind"]), "at": at})


def _upsert(row: Mapping[str, object]) -> sql.Composed:
    """Equal versions are written again: a replay by newer code refreshes what older code wrote."""
    names = [sql.Identifier(name) for name in row]
    return sql.SQL(
        "INSERT INTO calls ({names}) VALUES ({values}) "
        "ON CONFLICT (tenant_id, call_id) DO UPDATE SET ({names}) = ROW({news}) "
        "WHERE calls.version <= EXCLUDED.version RETURNING version"
    ).format(
        names=sql.SQL(", ").join(names),
        values=sql.SQL(", ").join(sql.Placeholder(name) for name in row),
        news=sql.SQL(", ").join(sql.SQL("EXCLUDED.{}").format(name) for name in names),
    )


def _replace(connection: Connection, child: Child, whole: WholeCall, cost: Cost) -> None:
    key = (whole.call.tenant_id, whole.call.call_id)
    table = sql.Identifier(child.table)
    delete = sql.SQL("DELETE FROM {} WHERE tenant_id = %s AND call_id = %s").format(table)
    connection.execute(delete, key)
    values = [sql.SQL("%s::jsonb" if c in child.json else "%s") for c in child.columns]
    insert = sql.SQL("INSERT INTO {} (tenant_id, call_id, {}) VALUES (%s, %s, {})").format(
        table,
        sql.SQL(", ").join(sql.Identifier(column) for column in child.columns),
        sql.SQL(", ").join(values),
    )
    with connection.cursor() as cursor:
        cursor.executemany(insert, [(*key, *row) for row in child.rows(whole, cost)])


_LIST = """
    SELECT call_id, created_at, status, end_reason, outcome, next_step, cost_usd
    FROM calls
    WHERE tenant_id = %(tenant_id)s
      AND (%(before_id)s::text IS NULL
           OR (created_at, call_id) < (%(before_at)s::timestamptz, %(before_id)s::text))
      AND (%(status)s::text IS NULL OR status = %(status)s)
      AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
      AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s)
    ORDER BY created_at DESC, call_id DESC
    LIMIT %(limit)s
"""
_FOLLOW_UPS = """
    SELECT call_id, follow_up_id, kind, due_at AS at, timezone, with_whom, channel, address, detail
    FROM follow_ups
    WHERE tenant_id = %(tenant_id)s AND NOT cancelled
      AND (NOT %(after)s
           OR (COALESCE(due_at, 'infinity'), call_id, follow_up_id)
            > (COALESCE(%(after_at)s::timestamptz, 'infinity'), %(after_call)s, %(after_id)s))
      AND (%(kind)s::text IS NULL OR kind = %(kind)s)
      AND (%(since)s::timestamptz IS NULL OR due_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR due_at < %(until)s)
    ORDER BY COALESCE(due_at, 'infinity'), call_id, follow_up_id
    LIMIT %(limit)s
"""
