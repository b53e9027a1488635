"""Who was called, for which of the tenant's leads, how long they talked, and what each gate decision rested on.

Numbers are the tenant's own data: row-level security guards them like the transcript.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE calls ADD to_number text, ADD from_number text, ADD lead_id text, "
        "ADD metadata jsonb, ADD talk_s double precision"
    )
    op.execute("ALTER TABLE gate_decisions ADD inputs jsonb")
    op.execute("CREATE INDEX calls_by_lead ON calls (tenant_id, lead_id, created_at DESC)")
