"""Transmitters of Shared Signals whose events we take."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "transmitters",
        sa.Column("transmitter_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("bearer_digest", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_poll_token", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("disabled_at", sa.Float(), nullable=True),
        *(
            sa.Column(name, _LONG, server_default=sa.text("0"), nullable=False)
            for name in ("taken", "unknown_subject", "not_understood", "repeated")
        ),
        sa.Column("last_taken_at", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("verified_at", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("verified_state", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("stream_status", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("stream_reason", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("polled_at", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("poll_problem", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("transmitter_id"),
        sa.UniqueConstraint("name"),
    )


def downgrade() -> None:
    raise NotImplementedError("what other providers tell would be lost")
