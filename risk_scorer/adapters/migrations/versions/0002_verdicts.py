"""What outcomes taught, what was found out about logins, and where in the log an event is."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
PAGE_ROWS = 500


class _Score(msgspec.Struct):
    event_id: str


class _Event(msgspec.Struct):
    score: _Score


_events = msgspec.json.Decoder(list[_Event])


def upgrade() -> None:
    op.add_column("seen_outcomes", sa.Column("login_id", sa.Text))
    op.add_column("seen_outcomes", sa.Column("lesson", sa.LargeBinary))
    known = sa.text("login_id IS NOT NULL")
    op.create_index("seen_outcomes_by_login", "seen_outcomes", ["login_id"], sqlite_where=known, postgresql_where=known)
    _verdicts()
    op.create_table(
        "event_places",
        sa.Column("event_key", LONG, primary_key=True, autoincrement=False),
        sa.Column("row_id", LONG, nullable=False),
    )
    _place_events()


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ts", sa.Float, nullable=False),
        sa.Column("recorded_at", sa.Float, nullable=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("score", sa.LargeBinary),
        sa.Column("context", sa.LargeBinary, nullable=False),
        sa.Column("own", sa.LargeBinary, nullable=False),
    )
    op.create_index("verdicts_by_user", "verdicts", ["user_id", "recorded_at"])


def _place_events() -> None:
    """Make what was logged before findable, the oldest first, so that the newest score of an id has the last word."""
    connection, after = op.get_bind(), 0
    page = sa.text("SELECT id, body FROM scored_events WHERE id > :after ORDER BY id LIMIT :rows")
    place = sa.text("INSERT OR REPLACE INTO event_places (event_key, row_id) VALUES (:event_key, :row_id)")
    while rows := connection.execute(page, {"after": after, "rows": PAGE_ROWS}).all():
        found = [{"event_key": _key(event_id), "row_id": row[0]} for row in rows for event_id in _event_ids(row[1])]
        if found:
            connection.execute(place, found)
        after = rows[-1][0]


def _event_ids(body: bytes) -> Iterable[str]:
    try:
        return [event.score.event_id for event in _events.decode(body)]
    except msgspec.MsgspecError:
        return []


def _key(event_id: str) -> int:
    """As `adapters.event_places` has it; a migration stays as it is when that changes."""
    return int.from_bytes(blake2b(event_id.encode(), digest_size=8).digest(), signed=True)
