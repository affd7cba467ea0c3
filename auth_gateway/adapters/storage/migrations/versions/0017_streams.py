"""Streams of Shared Signals, and the subjects that they name."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "streams",
        sa.Column("stream_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("endpoint_url", sa.String(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("sealed_authorization", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("default_subjects", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("verified_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("stream_id"),
    )
    op.create_index("ix_streams_client_id", "streams", ["client_id"])
    op.create_table(
        "stream_subjects",
        sa.Column("stream_id", sa.String(), nullable=False),
        sa.Column("covered", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("stream_id", "covered"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("receivers would be told of nothing")
