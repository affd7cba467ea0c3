"""How much higher people's own step-up marks lie."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leeway",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("passed", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("leeway")
