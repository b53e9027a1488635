"""The servers a twin stands on: begun at once, with a database that was prepared before, gone whenever they are told."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from local.cloud import prepared_database, state
from local.cloud.ground import Ground
from local.cloud.ministack import MiniStack, MiniStackFailed
from local.cloud.postgres import Postgres, PreparedData
from local.cloud.prepared_database import prepared_data


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where twins keep things: empty."""
    monkeypatch.setattr(state, "HOME", tmp_path)
    return tmp_path


def processes_of(ground: Ground) -> list[str]:
    """Commands of running processes that know the ground's folders."""
    own = (str(ground.folder).encode(), str(ground.postgres.home).encode())
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            told = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if any(name in text for name in own for text in told):
            found.append(told[0].decode())
    return found


async def test_both_servers_come_up_with_the_products_tables() -> None:
    with Ground() as standing:
        await standing.is_up()
        assert standing.ministack.endpoint_url
        assert len(processes_of(standing)) > 1
        with psycopg.connect(standing.postgres.application_url()) as connection:
            row = connection.execute("SELECT current_user, to_regclass('calls')::text").fetchone()
    assert row == ("sofia_app", "calls")
    assert processes_of(standing) == []
    assert not standing.folder.exists()


def test_nothing_is_left_of_servers_that_were_only_coming_up() -> None:
    standing = Ground()
    standing.stop()
    assert processes_of(standing) == []
    assert not standing.folder.exists()
    assert not standing.postgres.home.exists()


async def test_a_server_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: MiniStack) -> None:
        raise MiniStackFailed("no memory left")

    monkeypatch.setattr(MiniStack, "start", start)
    with Ground() as standing, pytest.raises(MiniStackFailed, match="no memory left"):
        await asyncio.wait_for(standing.is_up(), 30)
    assert processes_of(standing) == []


def test_a_database_is_prepared_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepared_data()
    with monkeypatch.context() as patch:
        patch.setattr(prepared_database, "Postgres", None)
        assert prepared_data() == first
    assert [entry.name for entry in (home / "database").iterdir()] == [first.folder.parent.name]


def test_a_copy_keeps_nothing_of_another(home: Path, tmp_path: Path) -> None:
    data = prepared_data()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        server = Postgres(tmp_path / name)
        try:
            server.start(data)
            with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
                connection.execute("CREATE TABLE mine ()")
        finally:
            server.stop()


def test_another_schema_is_prepared_anew_and_the_old_one_goes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = prepared_data()
    monkeypatch.setattr(prepared_database, "_version", lambda: "another")
    new = prepared_data()
    assert new.folder.parent.name == "another"
    assert not old.folder.exists()


def test_whoever_is_slower_takes_what_is_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def migrated(scratch: Path, data: Path) -> PreparedData:
        data.mkdir()
        faster = home / "database" / prepared_database._version()
        (faster / "data").mkdir(parents=True)
        (faster / "password").write_text("theirs")
        return PreparedData(data, "ours")

    monkeypatch.setattr(prepared_database, "_migrated", migrated)
    assert prepared_data().password == "theirs"
    assert len(list((home / "database").iterdir())) == 1


def test_the_password_is_for_nobody_else(home: Path) -> None:
    password = prepared_data().folder.parent / "password"
    assert password.stat().st_mode & 0o077 == 0


def test_servers_begin_before_anything_heavy_is_imported() -> None:
    code = (
        "import sys, local.commands.demo;"
        "print(*sorted({'numpy', 'boto3', 'aiohttp', 'psycopg', 'openai', 'rich', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=state.PROJECT
    )
    assert done.stdout.split() == []
