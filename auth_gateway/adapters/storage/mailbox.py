"""What waits in the outbox for streams that are polled: taken by whoever polls, instead of being sent."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, exists, select, tuple_, update

from auth_gateway.adapters.storage.tables import outbox
from auth_gateway.flows.ports.streams import Collected
from plumbing.statements import Statement, Transaction
from webhooks.outbox_table import waiting_in

_c = outbox.c
_earlier = outbox.alias("earlier")
_this = and_(_c.endpoint == bindparam("to"), _c.message_id == bindparam("id"), waiting_in(outbox))
_follows_one_in_flight = exists().where(
    _earlier.c.endpoint == _c.endpoint,
    _earlier.c.order_key == _c.order_key,
    waiting_in(_earlier),
    _earlier.c.claimed_until > bindparam("at"),
    tuple_(_earlier.c.created_at, _earlier.c.message_id) < tuple_(_c.created_at, _c.message_id),
)
_free = and_(
    _c.endpoint == bindparam("to"), waiting_in(outbox), _c.claimed_until <= bindparam("at"), ~_follows_one_in_flight
)

FIRST = Statement(select(_c.message_id).where(_free).limit(1))
OLDEST = Statement(
    select(_c.message_id, _c.body, _c.created_at)
    .where(_free)
    .order_by(_c.next_attempt_at, _c.created_at, _c.message_id)
    .limit(bindparam("most"))
)
CLAIM = Statement(update(outbox).where(_this).values(claimed_until=bindparam("until"), attempts=_c.attempts + 1))
SETTLE = Statement(update(outbox).where(_this).values(delivered_at=bindparam("now"), last_status=200, last_error=None))
REFUSE = Statement(update(outbox).where(_this).values(dead_at=bindparam("now"), last_error=bindparam("error")))
HASTEN = Statement(
    update(outbox)
    .where(_c.endpoint == bindparam("to"), waiting_in(outbox), _c.next_attempt_at != bindparam("now"))
    .values(next_attempt_at=bindparam("now"))
)


class OutboxMailbox:
    """A stream's part of the outbox. Whoever collects holds the stream, so two polls never race for a message."""

    def has_some(self, tx: Transaction, stream_id: str, now: float) -> bool:
        return tx.one(FIRST, to=stream_id, at=now) is not None

    def collect(self, tx: Transaction, stream_id: str, *, now: float, until: float, limit: int) -> Collected:
        found = tx.all(OLDEST, to=stream_id, at=now, most=limit + 1)
        taken = sorted(found[:limit], key=lambda row: row[2])
        tx.many(CLAIM, [{"to": stream_id, "id": row[0], "until": until} for row in taken])
        return Collected([(row[0], bytes(row[1])) for row in taken], len(found) > limit)

    def settle(self, tx: Transaction, stream_id: str, message_ids: Sequence[str], now: float) -> int:
        return tx.many(SETTLE, [{"to": stream_id, "id": each, "now": now} for each in message_ids])

    def refuse(self, tx: Transaction, stream_id: str, message_id: str, *, error: str, now: float) -> bool:
        return tx.run(REFUSE, to=stream_id, id=message_id, error=error, now=now) == 1

    def hasten(self, tx: Transaction, stream_id: str, now: float) -> None:
        tx.run(HASTEN, to=stream_id, now=now)
