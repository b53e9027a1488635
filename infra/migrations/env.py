"""Alembic's environment: one connection, handed in by `infra.migrate`, which holds the lock and knows the roles."""

from __future__ import annotations

from alembic import context

from infra.migrate import migrate

_given = context.config.attributes.get("connection")
if context.is_offline_mode():
    # `alembic upgrade --sql`: the statements for somebody to read.
    context.configure(dialect_name="postgresql", literal_binds=True)
    context.run_migrations()
elif _given is None:
    raise SystemExit(f"run `python -m infra.migrate`: {migrate.__doc__}")
else:
    context.configure(connection=_given, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
