"""What a challenge began with, for whoever answers it; guesses as the time at which they are forgiven."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pending_logins", sa.Column("amr", sa.String(), server_default=sa.text("'pwd'"), nullable=False))
    op.add_column(
        "pending_logins", sa.Column("is_known_device", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.drop_table("guesses")  # of a version that nobody had
    op.create_table(
        "guesses",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("forgiven_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("guesses would be forgiven")
