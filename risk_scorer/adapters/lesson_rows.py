"""The rows of outcomes that were seen, each with what it taught, inside one transaction.

A lesson is kept to be taken out again when the login turns out not to have been the person, and to know after a restart
what is being tried around. Of a failure only the latter is kept: whose, from where, when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import structlog
from sqlalchemy import and_, bindparam, delete, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Database, Transaction
from plumbing.statements import Row, Statement, Value
from risk_scorer.adapters.tables import seen_outcomes
from risk_scorer.core.history import OWN
from risk_scorer.core.verdicts import Taught, decode_taught, encode_taught

PAGE_ROWS = 5000

SEE = Statement(
    insert(seen_outcomes)
    .values(
        event_id=bindparam("event_id"),
        seen_at=bindparam("seen_at"),
        login_id=bindparam("login_id"),
        lesson=bindparam("lesson"),
    )
    .on_conflict_do_nothing()
)
OF_LOGIN = Statement(
    select(seen_outcomes.c.event_id, seen_outcomes.c.lesson)
    .where(
        or_(
            seen_outcomes.c.login_id == bindparam("login"),
            # with an id of another login it would be that one's lesson
            and_(seen_outcomes.c.event_id == bindparam("own_key"), seen_outcomes.c.login_id.is_(None)),
            seen_outcomes.c.event_id == bindparam("failed_key"),
        )
    )
    .order_by(seen_outcomes.c.seen_at, seen_outcomes.c.event_id)
)
_OLD = select(seen_outcomes.c.event_id).where(seen_outcomes.c.seen_at < bindparam("before")).limit(bindparam("up_to"))
PRUNE = Statement(delete(seen_outcomes).where(seen_outcomes.c.event_id.in_(_OLD)))
SINCE = Statement(
    select(seen_outcomes.c.seen_at, seen_outcomes.c.event_id, seen_outcomes.c.lesson)
    .where(
        seen_outcomes.c.seen_at >= bindparam("after_time"),  # what the index can do of the line below
        tuple_(seen_outcomes.c.seen_at, seen_outcomes.c.event_id)
        > tuple_(bindparam("after_time"), bindparam("after_id")),
    )
    .order_by(seen_outcomes.c.seen_at, seen_outcomes.c.event_id)
    .limit(PAGE_ROWS)
)

log = structlog.get_logger(__name__)


class Lessons(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is kept of a login's outcomes: what they taught as the person's own, and the last failure.

    `unknown` of them taught something that was not kept in their time.
    """

    own: tuple[Taught, ...] = ()
    failed: Taught | None = None
    unknown: int = 0


def outcome_key(outcome_id: str, taught: Taught) -> str:
    """What an outcome counts once by: one login may fail at a factor first and pass later."""
    return _own_key(outcome_id) if taught.outcome in OWN else _failed_key(outcome_id)


class Told(msgspec.Struct, frozen=True, gc=False):
    """The outcome of that id, of the login that was scored with that one, and what it teaches."""

    outcome_id: str
    login_id: str
    taught: Taught

    @property
    def key(self) -> str:
        """What it counts once by."""
        return outcome_key(self.outcome_id, self.taught)


def see(tx: Transaction, told: Iterable[Told], now: float) -> list[Told]:
    """Keep the lessons of these outcomes; those that were not seen before, in their order.

    One login may fail at a factor first and pass later: each side counts once. They are kept in the order of their
    keys, so that two processes that are told the same wait for each other and tie no knot.
    """
    first: dict[str, Told] = {}
    for each in told:
        first.setdefault(each.key, each)
    keys = sorted(first)
    done = tx.each(SEE, [_row(key, first[key], now) for key in keys])
    new = {key for key, rows in zip(keys, done, strict=True) if rows == 1}
    return [each for key, each in first.items() if key in new]


def _row(key: str, told: Told, now: float) -> dict[str, Value]:
    taught = told.taught
    is_own = taught.outcome in OWN
    return {
        "event_id": key,
        "seen_at": now,
        "login_id": told.login_id if is_own and told.login_id != told.outcome_id else None,
        "lesson": encode_taught(taught if is_own else _in_short(taught)),
    }


def lessons_of(tx: Transaction, login_id: str) -> Lessons:
    """What is kept of this login's outcomes."""
    rows = tx.all(OF_LOGIN, login=login_id, own_key=_own_key(login_id), failed_key=_failed_key(login_id))
    own: list[Taught] = []
    failed, unknown = None, 0
    for key, stored in rows:
        taught = _decoded(stored)
        if key == _failed_key(login_id):
            failed = taught
        elif taught is None:
            unknown += 1
        else:
            own.append(taught)
    return Lessons(own=tuple(own), failed=failed, unknown=unknown)


def prune(tx: Transaction, *, before: float, up_to: int) -> int:
    """Forget so many outcomes seen before that time (what they taught stays); how many went."""
    return tx.run(PRUNE, up_to=up_to, before=before)


def lessons_since(database: Database, since: float) -> Iterator[tuple[float, str, Taught]]:
    """The lessons of outcomes seen from that time on, in the order they were seen: when, by which key, what.

    Raises: Refused.
    """
    after_time, after_id = since, ""
    while rows := _page(database, after_time, after_id):
        for row in rows:
            taught = _decoded(row[2])
            if taught is not None:
                yield row[0], row[1], taught
        after_time, after_id = rows[-1][0], rows[-1][1]


def _page(database: Database, after_time: float, after_id: str) -> list[Row]:
    return database.read(lambda tx: tx.all(SINCE, after_time=after_time, after_id=after_id))


def _decoded(stored: bytes | None) -> Taught | None:
    if stored is None:
        return None
    try:
        return decode_taught(stored)
    except msgspec.MsgspecError:
        log.error("lesson_unreadable")
        return None


def _own_key(event_id: str) -> str:
    return f"own:{event_id}"


def _failed_key(event_id: str) -> str:
    return f"failed:{event_id}"


def _in_short(taught: Taught) -> Taught:
    """A failure as far as it tells who is tried from where."""
    return msgspec.structs.replace(
        taught,
        asn_key="",
        country="",
        device_type="",
        os="",
        browser="",
        browser_version="",
        ja4="",
        ja4h="",
        ja4s="",
        zone="",
        utc_offset_s=0,
        latitude=None,
        longitude=None,
    )
