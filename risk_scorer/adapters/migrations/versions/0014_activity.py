"""What happens within sessions: the sessions themselves, what is remembered, the event store and the risk of each.

On PostgreSQL the event store is kept by months, as the log of logins is.
"""

import sqlalchemy as sa
from alembic import op

from plumbing.partitions import convert

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    _make_sessions()
    _make_events()
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        convert(connection, "activity_events", column="ts", key="id")


def _make_sessions() -> None:
    op.create_table(
        "known_sessions",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
    )
    op.create_index("known_sessions_by_user", "known_sessions", ["user_id", "started_at"])
    op.create_index("known_sessions_by_age", "known_sessions", ["changed_at"])
    op.create_table(
        "session_risk",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("nats", sa.Float, nullable=False),
        sa.Column("signals", sa.LargeBinary, nullable=False),
        sa.Column("attack_likelihood", sa.Float),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("peak", sa.Float, nullable=False),
        sa.Column("events", LONG, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
    )
    op.create_index("session_risk_by_user", "session_risk", ["user_id", "updated_at"])
    op.create_index("session_risk_by_age", "session_risk", ["updated_at"])
    op.create_table(
        "activity_memory",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
    )
    op.create_index("activity_memory_by_age", "activity_memory", ["scope", "updated_at"])


def _make_events() -> None:
    op.create_table(
        "activity_events",
        sa.Column("id", LONG, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("ts", sa.Float, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("ip", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("asn", LONG, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("device_id", sa.Text, nullable=False),
        sa.Column("ja4", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("latency_ms", sa.Float),
        sa.Column("bytes_in", LONG, nullable=False),
        sa.Column("bytes_out", LONG, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("signals", sa.Text, nullable=False),
    )
    op.create_index("activity_events_by_time", "activity_events", ["ts"])
    op.create_index("activity_events_by_user", "activity_events", ["user_id", "ts"])
    op.create_table(
        "activity_answers",
        sa.Column("event_key", LONG, primary_key=True, autoincrement=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
