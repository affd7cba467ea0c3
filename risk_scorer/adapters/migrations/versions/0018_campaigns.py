"""Campaigns, who is in them, what they share, the most unusual accounts, and the last look for them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_campaigns()
    op.create_table(
        "account_scores",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("z_score", sa.Float, nullable=False),
        sa.Column("isolation", sa.Float, nullable=False),
        sa.Column("furthest", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
    )
    op.create_table(
        "campaign_looks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("erasures", sa.Integer, nullable=False),
        sa.Column("looked_at", sa.Float, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("accounts", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )


def _make_campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("first_seen", sa.Float, nullable=False),
        sa.Column("last_seen", sa.Float, nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sa.Column("closed_at", sa.Float),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
    )
    op.create_index("campaigns_by_age", "campaigns", ["opened_at", "campaign_id"])
    op.create_table(
        "campaign_members",
        sa.Column("campaign_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Float, nullable=False),
        sa.Column("last_seen", sa.Float, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
    )
    op.create_index("campaign_members_by_user", "campaign_members", ["user_id"])
    op.create_table(
        "campaign_signals",
        sa.Column("campaign_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("accounts", sa.Integer, nullable=False),
    )
