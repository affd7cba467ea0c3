"""Scored logins as the console shows them, a row each, with what was said of them and how far the log was taken.

On PostgreSQL they are kept by months, as the log is.
"""

import sqlalchemy as sa
from alembic import op

from plumbing.partitions import convert

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
# In the order of code points, so that ids that begin alike lie beside each other.
ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXTS = (
    "ip", "prefix", "asn_name", "country", "region", "city", "device_id", "browser", "os", "ja4", "reasons",
    "model_version", "dominant",
)  # fmt: skip
BY_VALUE = {
    "user": "user_id",
    "prefix": "prefix",
    "device": "device_id",
    "ja4": "ja4",
    "asn": "asn",
    "country": "country",
}
BY_RARE_VALUE = {
    "level": "level <> 'low'",
    "decision": "decision IN ('challenge', 'deny')",
    "outcome": "outcome IN ('mfa_passed', 'mfa_failed', 'failure')",
    "verdict": "verdict <> ''",
}


def upgrade() -> None:
    _make_sign_ins()
    op.create_table(
        "sign_in_words",
        sa.Column("id", LONG, primary_key=True, autoincrement=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("event_id", "decision", "rule", "factor", "client_id", "outcome", "verdict")
        ),
        sa.Column("said_at", sa.Float, nullable=False),
        sa.Column("look_at", sa.Float, nullable=False),
    )
    op.create_index("sign_in_words_by_look", "sign_in_words", ["look_at"])
    op.create_table(
        "sign_in_progress",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("log_id", LONG, nullable=False),
        sa.Column("holes", sa.Text, nullable=False),
        sa.Column("version", LONG, nullable=False),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        convert(connection, "sign_ins", column="ts", key="seq")


def _make_sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("seq", LONG, primary_key=True, autoincrement=True),
        sa.Column("ts", sa.Float, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("event_key", LONG, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("client_id", "kind", "level")),
        sa.Column("score", sa.Float, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("decision", "rule", "factor", "outcome", "verdict")),
        sa.Column("asn", LONG, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS),
    )
    op.create_index("sign_ins_by_time", "sign_ins", ["ts"])
    op.create_index("sign_ins_by_event", "sign_ins", ["event_key"])
    for name, column in BY_VALUE.items():
        op.create_index(f"sign_ins_by_{name}", "sign_ins", [column, "ts"])
    for column, where in BY_RARE_VALUE.items():
        only = sa.text(where)
        op.create_index(f"sign_ins_by_{column}", "sign_ins", [column, "ts"], sqlite_where=only, postgresql_where=only)
