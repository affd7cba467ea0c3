"""Histories, the event log, credentials, operators and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    _histories()
    _events()
    _access()
    _outbox()


def _histories() -> None:
    op.create_table(
        "user_histories",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("blob", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "imported_models",
        sa.Column("histories_sha256", sa.Text, primary_key=True),
        sa.Column("users", sa.Integer, nullable=False),
        sa.Column("imported_at", sa.Float, nullable=False),
    )
    op.create_table(
        "seen_outcomes",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("seen_at", sa.Float, nullable=False),
    )
    op.create_index("seen_outcomes_by_age", "seen_outcomes", ["seen_at"])


def _events() -> None:
    op.create_table(
        "scored_events",
        sa.Column("id", LONG, primary_key=True, autoincrement=True),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("ts_scored", sa.Float, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def _access() -> None:
    op.create_table(
        "credentials",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("revoked_at", sa.Float),
    )
    op.create_table(
        "operator_links",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("used_at", sa.Float),
    )
    op.create_table(
        "operator_sessions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("next_attempt_at", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("claimed_until", sa.Float, nullable=False),
        sa.Column("delivered_at", sa.Float),
        sa.Column("dead_at", sa.Float),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.Text),
    )
    waits = sa.text("delivered_at IS NULL AND dead_at IS NULL")
    op.create_index(
        "outbox_waiting", "outbox", ["endpoint", "next_attempt_at"], sqlite_where=waits, postgresql_where=waits
    )
