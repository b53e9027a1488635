"""PostgreSQL under one tenant at a time: a connection that is opened when first needed and again after it broke.

Every unit of work names its tenant before anything else; row-level security shows that tenant's rows and no others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from shared.config import SettingError
from shared.domain.errors import Unavailable

Row = dict[str, Any]
Connection = psycopg.Connection[Row]
CONNECT_WITHIN_S = 5
STATEMENT_WITHIN_MS = 8_000


class Database:
    """One connection for each process, used by one unit of work at a time."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    @contextmanager
    def work(self, tenant_id: str) -> Iterator[Connection]:
        """A transaction in the tenant's name; what raises inside rolls it back. Raises Unavailable where the
        database is away, or does not answer in time."""
        with self._lock:
            try:
                connection = self._begin(tenant_id)
                try:
                    yield connection
                except BaseException:
                    # On a connection that broke there is nothing left to roll back.
                    if not connection.broken:
                        connection.rollback()
                    raise
                connection.commit()
            except psycopg.OperationalError as error:
                self._drop()
                raise Unavailable("the database is away") from error

    def close(self) -> None:
        """Give the connection back; the next unit of work opens another."""
        with self._lock:
            self._drop()

    def _begin(self, tenant_id: str) -> Connection:
        """A connection may have died unseen since it was last used (a failover, a pause): one fresh one is tried."""
        if self._connection is not None:
            try:
                return _in_the_name_of(tenant_id, self._connection)
            except psycopg.OperationalError:
                self._drop()
        self._connection = self._connect()
        return _in_the_name_of(tenant_id, self._connection)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _in_the_name_of(tenant_id: str, connection: Connection) -> Connection:
    # Local to the transaction, so that neither outlives it, behind a proxy either.
    connection.execute(
        "SELECT set_config('app.tenant_id', %s, true), set_config('statement_timeout', %s, true)",
        (tenant_id, str(STATEMENT_WITHIN_MS)),
    )
    return connection


def connector(settings: Mapping[str, str]) -> Callable[[], Connection]:
    """Connects by the DATABASE_* settings: with a password, or with DATABASE_IAM=true by an IAM token (it lives 15
    minutes and matters only while connecting) over verified TLS, where DATABASE_CA_FILE may name the authorities.

    Settings are looked at when first connecting: calls that live are read without a database.
    """

    def connect() -> Connection:
        _check(settings)
        iam = settings.get("DATABASE_IAM") == "true"
        return psycopg.connect(
            host=settings["DATABASE_HOST"],
            port=int(settings["DATABASE_PORT"]),
            dbname=settings["DATABASE_NAME"],
            user=settings["DATABASE_USER"],
            password=_iam_token(settings) if iam else settings["DATABASE_PASSWORD"],
            connect_timeout=CONNECT_WITHIN_S,
            # Named prepared statements pin a session of RDS Proxy.
            prepare_threshold=None,
            row_factory=dict_row,
            sslmode="verify-full" if iam else "prefer",
            sslrootcert=settings.get("DATABASE_CA_FILE") or ("system" if iam else None),
        )

    return connect


def _check(settings: Mapping[str, str]) -> None:
    """Raises SettingError, naming every setting that is missing."""
    wanted = ["DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME", "DATABASE_USER"]
    if settings.get("DATABASE_IAM") != "true":
        wanted.append("DATABASE_PASSWORD")
    missing = [name for name in wanted if not settings.get(name)]
    if missing:
        raise SettingError(f"set {', '.join(missing)} in template.yaml")


def _iam_token(settings: Mapping[str, str]) -> str:
    """Signed here; nobody is asked."""
    import boto3

    token: str = boto3.client("rds").generate_db_auth_token(
        settings["DATABASE_HOST"],
        int(settings["DATABASE_PORT"]),
        settings["DATABASE_USER"],
    )
    return token
