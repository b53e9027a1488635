"""Brings the database's schema up to date: run before the stack is updated, by one process at a time.

DATABASE_URL=postgresql://... python -m infra.migrate
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

# Any constant: whoever holds it migrates.
_LOCK = 7_340_211


def migrate(url: str) -> None:
    """Migrate the database at `url` (SQLAlchemy form). The role `sofia_app` is made if it is missing."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
        connection.execute(
            text(
                "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sofia_app') "
                "THEN CREATE ROLE sofia_app LOGIN NOBYPASSRLS; END IF; END $$"
            )
        )
        connection.commit()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
    engine.dispose()


if __name__ == "__main__":
    address = os.environ.get("DATABASE_URL", "")
    if not address:
        sys.exit("set DATABASE_URL to postgresql+psycopg://user:password@host:port/name")
    migrate(address)
