"""Sessions that rest until their owner shows a factor, and what the scorer signalled of sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("asked_at", sa.Float(), nullable=True))
    op.add_column("sessions", sa.Column("answered_at", sa.Float(), nullable=True))
    op.create_table(
        "session_signals",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("recommended", sa.String(), nullable=False),
        sa.Column("response", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=True),
        sa.Column("reasons", sa.LargeBinary(), nullable=False),
        sa.Column("observed_at", sa.Float(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_session_signals_user_id", "session_signals", ["user_id", "received_at"])
    op.create_index("ix_session_signals_received_at", "session_signals", ["received_at"])


def downgrade() -> None:
    op.drop_table("session_signals")
    op.drop_column("sessions", "answered_at")
    op.drop_column("sessions", "asked_at")
