"""Calls, turns and follow-ups, each row visible to its tenant alone.

The application's role owns nothing and cannot bypass row-level security.
"""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = ("calls", "turns", "follow_ups")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE calls (
            tenant_id text NOT NULL, call_id text NOT NULL, version integer NOT NULL,
            created_at timestamptz NOT NULL, answered_at timestamptz, ended_at timestamptz,
            status text NOT NULL, end_reason text, outcome text, next_step text, summary text,
            cost_usd numeric(12, 6) NOT NULL, report jsonb NOT NULL,
            PRIMARY KEY (tenant_id, call_id))
        """
    )
    op.execute(
        "CREATE INDEX calls_by_time ON calls (tenant_id, created_at DESC, call_id DESC)"
    )
    op.execute(
        """
        CREATE TABLE turns (
            tenant_id text NOT NULL, call_id text NOT NULL, n integer NOT NULL, who text NOT NULL,
            said text, heard text, started_ms integer NOT NULL, ended_ms integer NOT NULL,
            interrupted boolean NOT NULL, waterfall_ms jsonb,
            PRIMARY KEY (tenant_id, call_id, n))
        """
    )
    op.execute(
        """
        CREATE TABLE follow_ups (
            tenant_id text NOT NULL, call_id text NOT NULL, n integer NOT NULL, kind text NOT NULL,
            due_at timestamptz, body jsonb NOT NULL,
            PRIMARY KEY (tenant_id, call_id, n))
        """
    )
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} "
            "USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')) "
            "WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''))"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO sofia_app")
