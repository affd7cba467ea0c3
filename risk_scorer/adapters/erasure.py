"""One person's erasure from the scorer's database: histories, verdicts, lessons, logs, messages, shadow scores.

What stays are ids of outcomes that were counted, without what they taught: a repeated report teaches nothing. The log
and the lessons have no index by person, so they are walked through in pieces; logins are scored meanwhile. Fails
closed: refused half-way it says so, and the next try starts over, which changes nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, delete, select, tuple_, update

from plumbing.database import Database, Transaction
from plumbing.statements import Row, Statement
from risk_scorer.adapters.activity.campaign_looks import erase_campaigns
from risk_scorer.adapters.activity.erasure import erase_activity
from risk_scorer.adapters.console.act_rows import ERASE
from risk_scorer.adapters.console.draft_rows import erase_drafts
from risk_scorer.adapters.console.sign_in_mark import step_back
from risk_scorer.adapters.console.sign_in_retention import erase_sign_ins
from risk_scorer.adapters.event_places import event_key
from risk_scorer.adapters.tables import (
    event_places,
    outbox,
    scored_events,
    seen_outcomes,
    shadow_scores,
    user_histories,
    verdict_words,
    verdicts,
)
from risk_scorer.core.lessons import decode_taught

PAGE_ROWS: Final = 200
LESSONS_PAGE_ROWS: Final = 5000

UNKNOW = Statement(delete(user_histories).where(user_histories.c.user_id == bindparam("of_user")))
UNJUDGE = Statement(delete(verdicts).where(verdicts.c.user_id == bindparam("of_user")))
UNSAY = Statement(delete(verdict_words).where(verdict_words.c.user_id == bindparam("of_user")))
UNSHADOW = Statement(delete(shadow_scores).where(shadow_scores.c.user_id == bindparam("of_user")))
EVENTS = Statement(
    select(scored_events.c.id, scored_events.c.body)
    .where(scored_events.c.id > bindparam("after_id"))
    .order_by(scored_events.c.id)
    .limit(PAGE_ROWS)
)
BODY = Statement(select(scored_events.c.body).where(scored_events.c.id == bindparam("of_id")).with_for_update())
REWRITE = Statement(
    update(scored_events)
    .where(scored_events.c.id == bindparam("of_id"))
    .values(events=bindparam("left"), body=bindparam("new_body"))
)
DROP = Statement(delete(scored_events).where(scored_events.c.id == bindparam("of_id")))
UNPLACE = Statement(
    delete(event_places).where(
        event_places.c.event_key == bindparam("of_key"), event_places.c.row_id == bindparam("of_row")
    )
)
UNPLACE_ROW = Statement(delete(event_places).where(event_places.c.row_id == bindparam("of_row")))
LESSONS = Statement(
    select(seen_outcomes.c.seen_at, seen_outcomes.c.event_id, seen_outcomes.c.lesson)
    .where(
        tuple_(seen_outcomes.c.seen_at, seen_outcomes.c.event_id)
        > tuple_(bindparam("after_time"), bindparam("after_id")),
    )
    .order_by(seen_outcomes.c.seen_at, seen_outcomes.c.event_id)
    .limit(LESSONS_PAGE_ROWS)
)
UNLEARN = Statement(update(seen_outcomes).where(seen_outcomes.c.event_id == bindparam("of_id")).values(lesson=None))
MESSAGES = Statement(
    select(outbox.c.message_id, outbox.c.endpoint, outbox.c.body)
    .where(tuple_(outbox.c.message_id, outbox.c.endpoint) > tuple_(bindparam("after_id"), bindparam("after_endpoint")))
    .order_by(outbox.c.message_id, outbox.c.endpoint)
    .limit(PAGE_ROWS)
)
UNTELL = Statement(
    delete(outbox).where(outbox.c.message_id == bindparam("of_id"), outbox.c.endpoint == bindparam("to"))
)


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """How much there was of a person: rows of the history and verdicts, logins in the log, lessons, messages, scores of
    models that shadowed, rows of what they did in their sessions, campaigns that had them, and rows of the console.
    """

    histories: int
    verdicts: int
    events: int
    lessons: int
    messages: int
    shadow_scores: int
    activity: int
    campaigns: int
    sign_ins: int


class _Person(msgspec.Struct):
    user_id: str


class _Id(msgspec.Struct):
    event_id: str


class _Scored(msgspec.Struct):
    event: _Person
    score: _Id


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_scored = msgspec.json.Decoder(_Scored)


def erase_person(database: Database, user_id: str) -> Erased:
    """Delete what is stored of this person; how much there was. Blocks: not for the event loop. Raises: Refused."""

    def known(tx: Transaction) -> tuple[int, int, int]:
        tx.run(UNSAY, of_user=user_id)
        tx.run(ERASE, of_user=user_id)
        erase_drafts(tx, user_id)
        return (
            tx.run(UNKNOW, of_user=user_id),
            tx.run(UNJUDGE, of_user=user_id),
            tx.run(UNSHADOW, of_user=user_id),
        )

    histories, judged, shadowed = database.write_sync(known)
    return Erased(
        histories=histories,
        verdicts=judged,
        events=_from_log(database, user_id),
        lessons=_from_lessons(database, user_id),
        activity=erase_activity(database, user_id),
        campaigns=erase_campaigns(database, user_id),
        messages=_from_messages(database, user_id),
        shadow_scores=shadowed,
        sign_ins=erase_sign_ins(database, user_id),  # after the log, which they come from
    )


def _from_log(database: Database, user_id: str) -> int:
    needle, after, gone = msgspec.json.encode(user_id), 0, 0
    while rows := database.read(lambda tx, after=after: tx.all(EVENTS, after_id=after)):  # type: ignore[misc]
        named = [row[0] for row in rows if needle in row[1]]
        if named:
            gone += database.write_sync(lambda tx, named=named: sum(_cleaned(tx, each, user_id) for each in named))  # type: ignore[misc]
        after = rows[-1][0]
    return gone


def _cleaned(tx: Transaction, row_id: int, user_id: str) -> int:
    """Take the person's logins out of a row of the log; how many. A row that cannot be read goes whole."""
    found = tx.one(BODY, of_id=row_id)
    if found is None:
        return 0
    try:
        events = [(each, _scored.decode(each)) for each in _rows.decode(found[0])]
    except msgspec.MsgspecError:
        tx.run(UNPLACE_ROW, of_row=row_id)
        return _dropped(tx, row_id)
    theirs = [scored.score.event_id for _, scored in events if scored.event.user_id == user_id]
    tx.many(UNPLACE, [{"of_key": event_key(each), "of_row": row_id} for each in theirs])
    left = [raw for raw, scored in events if scored.event.user_id != user_id]
    if not left:
        _dropped(tx, row_id)
    elif theirs:
        tx.run(REWRITE, of_id=row_id, left=len(left), new_body=msgspec.json.encode(left))
    return len(theirs)


def _dropped(tx: Transaction, row_id: int) -> int:
    gone = tx.run(DROP, of_id=row_id)
    step_back(tx)
    return gone


def _from_lessons(database: Database, user_id: str) -> int:
    after_time, after_id, gone = float("-inf"), "", 0

    def page(tx: Transaction) -> list[Row]:
        return tx.all(LESSONS, after_time=after_time, after_id=after_id)

    while rows := database.read(page):
        theirs = [{"of_id": row[1]} for row in rows if row[2] is not None and _is_lesson_of(row[2], user_id)]
        if theirs:
            gone += database.write_sync(lambda tx, theirs=theirs: tx.many(UNLEARN, theirs))  # type: ignore[misc]
        after_time, after_id = rows[-1][0], rows[-1][1]
    return gone


def _is_lesson_of(lesson: bytes, user_id: str) -> bool:
    if user_id.encode() not in lesson:
        return False
    try:
        return decode_taught(lesson).user_id == user_id
    except msgspec.MsgspecError:
        return True  # nobody can read it, and it has their id


def _from_messages(database: Database, user_id: str) -> int:
    """Announcements of their logins go whether they were sent or wait."""
    after, gone = ("", ""), 0

    def page(tx: Transaction) -> list[Row]:
        return tx.all(MESSAGES, after_id=after[0], after_endpoint=after[1])

    while rows := database.read(page):
        theirs = [{"of_id": row[0], "to": row[1]} for row in rows if _names(row[2], user_id)]
        if theirs:
            gone += database.write_sync(lambda tx, theirs=theirs: tx.many(UNTELL, theirs))  # type: ignore[misc]
        after = (rows[-1][0], rows[-1][1])
    return gone


def _names(body: bytes, user_id: str) -> bool:
    if msgspec.json.encode(user_id) not in body:
        return False
    try:
        return user_id in set(_texts(msgspec.json.decode(body)))
    except msgspec.MsgspecError:
        return True


def _texts(value: Any) -> Iterable[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
