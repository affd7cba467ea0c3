"""Incidents: what was seen of a person or a campaign, folded together, with the people whom it is about."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

NOT_CLOSED, IS_DUE = sa.text("state <> 'closed'"), sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Float),
        sa.Column("announced_at", sa.Float),
    )
    op.create_index(
        "incidents_open_by_key", "incidents", ["key"], unique=True, sqlite_where=NOT_CLOSED, postgresql_where=NOT_CLOSED
    )
    op.create_index("incidents_by_age", "incidents", ["updated_at", "incident_id"])
    op.create_index("incidents_due", "incidents", ["due_at"], sqlite_where=IS_DUE, postgresql_where=IS_DUE)
    op.create_table(
        "incident_members",
        sa.Column("incident_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("incident_members_by_user", "incident_members", ["user_id"])
