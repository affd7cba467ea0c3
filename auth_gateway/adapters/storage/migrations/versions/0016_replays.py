"""Spans of the audit trail that are told again, the trail by time, and the log of deliveries by destination."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replays",
        sa.Column("replay_id", sa.String(), nullable=False),
        sa.Column("destination_id", sa.String(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("types", sa.String(), nullable=False),
        sa.Column("at_ts", sa.Float(), nullable=False),
        sa.Column("at_seq", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column(
            "messages",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("is_stopped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("replay_id"),
    )
    op.create_index("ix_replays_destination_id", "replays", ["destination_id"])
    runs, dead = sa.text("ended_at IS NULL"), sa.text("dead_at IS NOT NULL")
    op.create_index(
        "ix_replays_running", "replays", ["destination_id"], unique=True, sqlite_where=runs, postgresql_where=runs
    )
    often = sa.text("kind <> 'token.refreshed'")
    op.create_index("ix_audit_ts", "audit", ["ts", "seq"], sqlite_where=often, postgresql_where=often)
    log = ["endpoint", "created_at", "message_id"]
    op.create_index("outbox_log", "outbox", log)
    op.create_index("outbox_dead", "outbox", log, sqlite_where=dead, postgresql_where=dead)


def downgrade() -> None:
    raise NotImplementedError("replays that run would begin anew")
