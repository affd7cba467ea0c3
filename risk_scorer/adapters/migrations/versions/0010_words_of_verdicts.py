"""What each said of a login, in the order in which it came: the labels of the next training, with whose word they are.

Of verdicts from before this the last word alone is known, and it was the owner's where it is signed "account-owner".
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
COPY = """
INSERT INTO verdict_words (event_id, user_id, verdict, "by", source, ts, recorded_at)
SELECT event_id, user_id, verdict, "by", CASE "by" WHEN 'account-owner' THEN 'owner' ELSE 'analyst' END, ts, recorded_at
FROM verdicts ORDER BY recorded_at, event_id
"""


def upgrade() -> None:
    op.create_table(
        "verdict_words",
        sa.Column("id", LONG, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("ts", sa.Float, nullable=False),
        sa.Column("recorded_at", sa.Float, nullable=False),
    )
    op.create_index("verdict_words_by_event", "verdict_words", ["event_id", "id"])
    op.create_index("verdict_words_by_user", "verdict_words", ["user_id"])
    op.execute(COPY)
