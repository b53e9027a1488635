"""Remembered calls and all that belongs to them, each row visible to its tenant alone.

`sofia_owner` owns the tables; the functions come as `sofia_app`, which owns nothing and cannot bypass row-level
security. FORCE binds the owner to the policies as well.
"""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = {
    "calls": """
        version integer NOT NULL,
        created_at timestamptz NOT NULL, answered_at timestamptz, ended_at timestamptz,
        status text NOT NULL, end_reason text, outcome text, next_step text, summary text,
        agent_id text NOT NULL, agent_version integer NOT NULL, campaign_id text,
        answer_to_first_audio_ms integer, callee_end_to_opening_ms integer,
        turn_p50_ms integer, turn_p95_ms integer,
        cost_usd numeric(12, 6) NOT NULL, trace_id text NOT NULL, report jsonb NOT NULL,
        PRIMARY KEY (tenant_id, call_id)""",
    "turns": """
        n integer NOT NULL, who text NOT NULL, said text, heard text,
        started_ms integer NOT NULL, ended_ms integer NOT NULL, interrupted boolean NOT NULL,
        waterfall_ms jsonb,
        PRIMARY KEY (tenant_id, call_id, n)""",
    "tool_calls": """
        n integer NOT NULL, name text NOT NULL, arguments jsonb NOT NULL, status text NOT NULL,
        result jsonb NOT NULL, at_ms integer NOT NULL, turn integer NOT NULL,
        PRIMARY KEY (tenant_id, call_id, n)""",
    "duties": """
        duty text NOT NULL, heard_at_ms integer NOT NULL,
        PRIMARY KEY (tenant_id, call_id, duty)""",
    "follow_ups": """
        follow_up_id text NOT NULL, kind text NOT NULL, due_at timestamptz, timezone text,
        with_whom text, channel text, address text, detail text, cancelled boolean NOT NULL,
        PRIMARY KEY (tenant_id, call_id, follow_up_id)""",
    "usage_lines": """
        n integer NOT NULL, kind text NOT NULL, model text NOT NULL,
        text_in integer NOT NULL, text_in_cached integer NOT NULL,
        audio_in integer NOT NULL, audio_in_cached integer NOT NULL,
        text_out integer NOT NULL, audio_out integer NOT NULL, seconds double precision NOT NULL,
        PRIMARY KEY (tenant_id, call_id, n)""",
    "cost_lines": """
        name text NOT NULL, quantity numeric NOT NULL, unit text NOT NULL,
        unit_price_usd numeric NOT NULL, amount_usd numeric(12, 6) NOT NULL,
        PRIMARY KEY (tenant_id, call_id, name)""",
    "gate_decisions": """
        stage text NOT NULL, decided_at timestamptz NOT NULL, allowed boolean NOT NULL,
        reason text, policy_version text NOT NULL, inputs_hash text NOT NULL, rules jsonb NOT NULL,
        PRIMARY KEY (tenant_id, call_id, stage, decided_at)""",
    "analyses": """
        outcome text NOT NULL, flags text[] NOT NULL, next_step text NOT NULL,
        fields jsonb NOT NULL, opt_out jsonb NOT NULL, sentiment text, language text,
        reason text NOT NULL, model text NOT NULL, analysed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, call_id)""",
}
_INDEXES = (
    "CREATE INDEX calls_by_time ON calls (tenant_id, created_at DESC, call_id DESC)",
    "CREATE INDEX follow_ups_by_due ON follow_ups (tenant_id, due_at, call_id)",
)
_TENANT = "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')"


def upgrade() -> None:
    for table, columns in _TABLES.items():
        op.execute(
            f"CREATE TABLE {table} (tenant_id text NOT NULL, call_id text NOT NULL, {columns})"
        )
        if table != "calls":
            op.execute(
                f"ALTER TABLE {table} ADD FOREIGN KEY (tenant_id, call_id) "
                "REFERENCES calls (tenant_id, call_id) ON DELETE CASCADE"
            )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({_TENANT}) WITH CHECK ({_TENANT})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO sofia_app")
    for index in _INDEXES:
        op.execute(index)
