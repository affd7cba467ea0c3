"""Assessments that nobody waits for: a queue in the database."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activity_tasks",
        sa.Column("task_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("vouches", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.LargeBinary),
        sa.Column("problem", sa.Text),
        sa.Column("claimed_until", sa.Float, nullable=False),
        sa.Column("claims", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
    )
    op.create_index("activity_tasks_finished", "activity_tasks", ["finished_at"])
    op.create_index("activity_tasks_by_user", "activity_tasks", ["user_id"])
    is_open = sa.text("finished_at IS NULL")
    op.create_index(
        "activity_tasks_open", "activity_tasks", ["created_at"], sqlite_where=is_open, postgresql_where=is_open
    )
