"""Migrating a database as AWS hands it out: by a login that is no superuser, by several at once, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from sqlalchemy.exc import OperationalError

from infra.migrate import migrate
from local.cloud import postgres
from local.cloud.postgres import Postgres

BOOTSTRAP = "bootstrap"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an empty database of a role that may make roles and nothing else, as Aurora's first user."""
    with pytest.MonkeyPatch.context() as patch:
        # The product's owner role must not exist yet.
        patch.setattr(postgres, "OWNER", BOOTSTRAP)
        running = Postgres(tmp_path_factory.mktemp("postgres"))
        running.start()
        address = running.url().replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE ROLE first_user LOGIN CREATEROLE CREATEDB PASSWORD 'p'")
        connection.execute("ALTER DATABASE sofia OWNER TO first_user")
        connection.execute("CREATE ROLE rds_iam")
        connection.execute("GRANT rds_iam TO first_user WITH ADMIN OPTION")
    yield f"postgresql://first_user:p@127.0.0.1:{running.port}/sofia"
    running.stop()


def test_several_at_once_leave_one_schema(server: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, [server] * 3))
    with psycopg.connect(server) as connection:
        versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert len(versions) == 1


def test_tables_belong_to_a_role_that_nobody_logs_in_as(server: str) -> None:
    migrate(server)
    with psycopg.connect(server) as connection:
        owners = connection.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        roles = connection.execute(
            "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls FROM pg_roles "
            "WHERE rolname LIKE 'sofia%' ORDER BY 1"
        ).fetchall()
        bare = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
            "AND NOT (relrowsecurity AND relforcerowsecurity) AND relname <> 'alembic_version'"
        ).fetchall()
        iam = connection.execute("SELECT pg_has_role('sofia_app', 'rds_iam', 'member')").fetchone()
    assert owners == [("sofia_owner",)]
    assert roles == [("sofia_app", True, False, False), ("sofia_owner", False, False, False)]
    assert bare == []
    assert iam == (True,)


def everything_in(server: str) -> dict[str, list[tuple[object, ...]]]:
    """The schema as the server's own tables tell it, by their objects' numbers: whatever is made anew has another."""
    own = "'public'::regnamespace"
    queries = {
        "relations": f"SELECT oid, relname, relkind, relowner, relacl::text, relrowsecurity FROM pg_class WHERE relnamespace = {own}",
        "columns": f"SELECT attrelid, attname, atttypid, attnotnull FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = {own}",
        "constraints": f"SELECT oid, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = {own}",
        "policies": "SELECT oid, polname, polrelid, pg_get_expr(polqual, polrelid) FROM pg_policy",
        "roles": "SELECT oid, rolname, rolcanlogin, rolinherit FROM pg_roles",
        "members": "SELECT roleid, member, admin_option FROM pg_auth_members",
        "namespace": f"SELECT nspowner, nspacl::text FROM pg_namespace WHERE oid = {own}",
        "version": "SELECT version_num FROM alembic_version",
    }
    with psycopg.connect(server) as connection:
        return {
            name: sorted(connection.execute(query).fetchall(), key=str)
            for name, query in queries.items()
        }


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_migration_that_is_done_changes_nothing(server: str, scheme: str) -> None:
    migrate(server)
    before = everything_in(server)
    assert all(before.values())
    migrate(server.replace("postgresql://", f"{scheme}://"))
    assert everything_in(server) == before


def test_a_failed_migration_lets_the_next_one_in(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a migration broke")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr("infra.migrate.command.upgrade", fail)
        migrate(server)
    upgraded: list[object] = []
    upgrade = command.upgrade

    def noted(*arguments: object) -> None:
        upgraded.append(arguments)
        upgrade(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("infra.migrate.command.upgrade", noted)
    # Whoever still held the turn would keep it out for longer.
    monkeypatch.setattr("infra.migrate._TURN_WITHIN", "5s")
    migrate(server)
    assert len(upgraded) == 1


def test_a_database_that_is_away_is_an_error() -> None:
    with pytest.raises(OperationalError):
        migrate("postgresql://nobody@127.0.0.1:9/sofia")
