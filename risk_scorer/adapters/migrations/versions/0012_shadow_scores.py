"""What a model that shadows makes of the logins that another one decides."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shadow_scores",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("success", sa.Integer, nullable=False),
        sa.Column("ts_scored", sa.Float, nullable=False),
        sa.Column("active_version", sa.Text, nullable=False),
        sa.Column("active_score", sa.Float, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("active_level", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("shadow_scores_by_age", "shadow_scores", ["ts_scored"])
    op.create_index("shadow_scores_by_user", "shadow_scores", ["user_id"])
