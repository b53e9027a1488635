"""Everything that outlives a call but its transcript: the rows in PostgreSQL, the archive object, the live items.

What is read here is what is really stored, not what the API shows of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from local.callee.call_report import StoredText
from local.twin import Twin
from shared.adapters import aws_clients
from shared.adapters.archive import object_key
from shared.adapters.history_rows import CHILDREN
from shared.domain.journal import EntryKind

_TRANSCRIPT_TABLE = "turns"
_TRANSCRIPT_ITEMS = frozenset({EntryKind.TURN.value, EntryKind.ENGINE.value})
"""Engine blocks are the talk as the engine saw it, packed."""


def stored_texts(twin: Twin, tenant_id: str, call_id: str) -> tuple[StoredText, ...]:
    """Blocking. Each text with its place; only what lies in `turns` is left out."""
    return (
        *_rows(twin.database_url, tenant_id, call_id),
        *_archived(twin, tenant_id, call_id),
        *_live(twin, call_id),
    )


def turn_rows(database_url: str, tenant_id: str, call_id: str) -> int:
    """How many turns of a call PostgreSQL holds."""
    with _connected(database_url, tenant_id) as connection:
        return len(_rows_of(connection, _TRANSCRIPT_TABLE, tenant_id, call_id))


def _rows(database_url: str, tenant_id: str, call_id: str) -> Iterator[StoredText]:
    tables = ("calls", *(child.table for child in CHILDREN))
    with _connected(database_url, tenant_id) as connection:
        for table in tables:
            if table == _TRANSCRIPT_TABLE:
                continue
            for row in _rows_of(connection, table, tenant_id, call_id):
                for column, value in row.items():
                    yield StoredText(f"{table}.{column}", _text(value))


def _connected(database_url: str, tenant_id: str) -> psycopg.Connection[dict[str, Any]]:
    connection = psycopg.connect(database_url, row_factory=dict_row)
    connection.execute("SELECT set_config('app.tenant_id', %s, false)", (tenant_id,))
    return connection


def _rows_of(
    connection: psycopg.Connection[dict[str, Any]], table: str, tenant_id: str, call_id: str
) -> list[dict[str, Any]]:
    query = sql.SQL("SELECT * FROM {} WHERE tenant_id = %s AND call_id = %s")
    return connection.execute(query.format(sql.Identifier(table)), (tenant_id, call_id)).fetchall()


def _archived(twin: Twin, tenant_id: str, call_id: str) -> Iterator[StoredText]:
    call = twin.live.get_for(tenant_id, call_id)
    bucket = twin.cloud.template.physical["ArchiveBucket"]
    answer = aws_clients.s3().get_object(Bucket=bucket, Key=object_key(call))
    for name, value in json.loads(answer["Body"].read()).items():
        if name != _TRANSCRIPT_TABLE:
            yield StoredText(f"archive.{name}", _text(value))


def _live(twin: Twin, call_id: str) -> Iterator[StoredText]:
    pages = (
        aws_clients.dynamodb()
        .get_paginator("query")
        .paginate(
            TableName=twin.cloud.template.physical["LiveTable"],
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"CALL#{call_id}"}},
        )
    )
    for page in pages:
        for item in page["Items"]:
            if item.get("kind", {}).get("S") in _TRANSCRIPT_ITEMS:
                continue
            for name, value in item.items():
                yield StoredText(f"live.{item['sk']['S']}.{name}", _text(value))


def _text(value: object) -> str:
    """JSON as it is stored, less the transcript within it."""
    if isinstance(value, Mapping):
        value = {name: each for name, each in value.items() if name != _TRANSCRIPT_TABLE}
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
