"""One PostgreSQL with the product's schema, and how to log in as the application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.migrate import migrate
from local.cloud.postgres import Postgres


@contextmanager
def migrated_server(folder: Path) -> Iterator[tuple[Postgres, dict[str, str]]]:
    """The server, and the DATABASE_* settings of the application's role."""
    server = Postgres(folder)
    server.start()
    try:
        migrate(server.url())
        server.grant_login()
        yield (
            server,
            {
                "DATABASE_HOST": "127.0.0.1",
                "DATABASE_PORT": str(server.port),
                "DATABASE_NAME": "sofia",
                "DATABASE_USER": "sofia_app",
                "DATABASE_PASSWORD": server.application_password,
                "DATABASE_IAM": "false",
            },
        )
    finally:
        server.stop()
