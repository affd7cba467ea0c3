"""Operators with roles, sessions that the gateway vouches for, and what people did at the console."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OF_LINKS = (("role", sa.Text), ("name", sa.Text))
OF_SESSIONS = (
    ("way", sa.Text),
    ("name", sa.Text),
    ("role", sa.Text),
    ("subject", sa.Text),
    ("proved_at", sa.Float),
    ("level", sa.Text),
    ("gateway_session", sa.Text),
    ("id_token", sa.Text),
    ("masked", sa.Integer),
)


def upgrade() -> None:
    for table, columns in (("operator_links", OF_LINKS), ("operator_sessions", OF_SESSIONS)):
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind))
    op.create_table(
        "operator_roles",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("added_at", sa.Float, nullable=False),
    )
    op.create_table(
        "console_audit",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Float),
    )
    op.create_index("console_audit_by_age", "console_audit", ["at"])
    op.create_index("console_audit_by_subject", "console_audit", ["subject", "id"])
