"""Brings the database's schema up to date: run before the stack is updated, by one process at a time.

    python -m infra.migrate postgresql://user:password@host:port/name       (or DATABASE_URL=...)

Goes to the cluster itself, not through a proxy: the lock belongs to the session. Migrations only add (the code that
runs meanwhile is the old one).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine, text

OWNER, APPLICATION = "sofia_owner", "sofia_app"
# Any constant: whoever holds it migrates.
_LOCK = 7_340_211
# A migration waits this long for a table that others use, then gives up and may be run again.
_TABLE_WITHIN = "5s"
_TURN_WITHIN = "120s"


def migrate(url: str) -> None:
    """Migrate the database at `url` (`postgresql://...`). Makes the roles `sofia_owner` and `sofia_app` where they are
    missing. Safe to run again and by several at once: the second waits and finds nothing to do."""
    engine = create_engine(_with_driver(url), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    # The lock goes with the session, whatever happens in it.
    with engine.connect() as connection:
        _run(connection, f"SET lock_timeout = '{_TURN_WITHIN}'")
        _run(connection, f"SELECT pg_advisory_lock({_LOCK})")
        _run(connection, f"SET lock_timeout = '{_TABLE_WITHIN}'")
        _prepare_roles(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def _prepare_roles(connection: Connection) -> None:
    """Tables belong to a role under which no function comes. In AWS the application logs in by IAM."""
    for role, attributes in ((OWNER, "NOLOGIN"), (APPLICATION, "LOGIN NOBYPASSRLS")):
        if not _exists(connection, role):
            _run(connection, f"CREATE ROLE {role} {attributes}")
    if _exists(connection, "rds_iam"):
        _run(connection, f"GRANT rds_iam TO {APPLICATION}")
    whoever = connection.execute(text("SELECT current_user")).scalar_one()
    if whoever != OWNER:
        _run(connection, f"GRANT {OWNER} TO CURRENT_USER")
    _run(connection, f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}")
    _run(connection, f"GRANT USAGE ON SCHEMA public TO {APPLICATION}")
    _run(connection, f"SET ROLE {OWNER}")


def _exists(connection: Connection, role: str) -> bool:
    query = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    return connection.execute(query, {"role": role}).scalar() is not None


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
    connection.commit()


def _with_driver(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgresql", "postgres") else url


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("DATABASE_URL", "")
    if not address:
        sys.exit("name the database: python -m infra.migrate postgresql://user:password@host/name")
    migrate(address)
