"""The rows of verdicts, inside one transaction: what was found out about a login, and what of it stands since.

Once there is a verdict its row has everything that a change of it needs, so it outlives the log and the outcomes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.expressions import texts_of
from plumbing.statements import Row, Statement
from risk_scorer.adapters.console.sign_in_words import say
from risk_scorer.adapters.history_rows import OpenHistories
from risk_scorer.adapters.lesson_rows import lessons_of
from risk_scorer.adapters.tables import verdicts
from risk_scorer.adapters.verdict_words import keep_word
from risk_scorer.contract.feedback import VerdictKind
from risk_scorer.core.console.sign_in import Word
from risk_scorer.core.history import OWN, learn_taught
from risk_scorer.core.standing import Lessons, judged, moved, standing
from risk_scorer.core.verdicts import Taught, decode_taught, encode_taught
from risk_scorer.flows.ports import Judgement

MOST_OF_A_PERSON = 200
"""Verdicts whose contexts make up a person's pardons and condemnations: more than a history has room for."""

_FOUND = select(verdicts.c.verdict, verdicts.c.context, verdicts.c.own).where(
    verdicts.c.event_id == bindparam("of_event")
)
FIND = Statement(_FOUND)
HOLD = Statement(_FOUND.with_for_update())
HOLD_MANY = Statement(
    select(verdicts.c.event_id, verdicts.c.verdict, verdicts.c.context, verdicts.c.own)
    .where(verdicts.c.event_id.in_(texts_of(bindparam("events")).order_by(None)))
    .order_by(verdicts.c.event_id)
    .with_for_update()
)
RECORD = Statement(insert(verdicts))
CHANGE = Statement(
    update(verdicts)
    .where(verdicts.c.event_id == bindparam("of_event"))
    .values(
        verdict=bindparam("new_verdict"),
        by=bindparam("new_by"),
        reason=bindparam("new_reason"),
        ts=bindparam("new_ts"),
        recorded_at=bindparam("now"),
    )
)
TAUGHT_LATE = Statement(
    update(verdicts).where(verdicts.c.event_id == bindparam("of_event")).values(own=bindparam("new_own"))
)
OF_PERSON = Statement(
    select(verdicts.c.verdict, verdicts.c.context)
    .where(verdicts.c.user_id == bindparam("of_user"), verdicts.c.verdict != "dismissed")
    .order_by(verdicts.c.recorded_at.desc(), verdicts.c.event_id.desc())
    .limit(MOST_OF_A_PERSON)
)

_encode = msgspec.json.Encoder().encode
_own_encoder = msgspec.msgpack.Encoder()
_own_decoder = msgspec.msgpack.Decoder(tuple[Taught, ...])


class VerdictRow(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict as far as the history of its person depends on it."""

    verdict: VerdictKind
    context: Taught
    own: Lessons

    @property
    def standing(self) -> Lessons:
        """The lessons of the login that are in the history."""
        return standing(self.verdict, self.own, self.context)


def find(tx: Transaction, event_id: str) -> VerdictRow | None:
    """The verdict on this login, which anybody may change meanwhile."""
    row = tx.one(FIND, of_event=event_id)
    return None if row is None else _read(row)


def held(tx: Transaction, event_id: str) -> VerdictRow | None:
    """The verdict on this login, which is ours to change until the transaction ends."""
    row = tx.one(HOLD, of_event=event_id)
    return None if row is None else _read(row)


def _read(row: Row) -> VerdictRow:
    return VerdictRow(
        verdict=cast(VerdictKind, row[0]),
        context=decode_taught(row[1]),
        own=_own_decoder.decode(row[2]),
    )


class OpenVerdicts:
    """The verdicts on these logins, ours to change until the transaction ends."""

    def __init__(self, tx: Transaction, login_ids: Collection[str]) -> None:
        self._tx = tx
        asked = msgspec.json.encode(sorted(set(login_ids))).decode()
        rows = tx.all(HOLD_MANY, events=asked) if login_ids else []
        self._rows = {row[0]: _read(row[1:]) for row in rows}

    def taught_late(self, histories: OpenHistories, login_id: str, taught: Taught) -> bool:
        """Learn a finished login as far as a verdict on it lets it teach; False when it teaches nothing."""
        user, row = taught.user_id, self._rows.get(login_id)
        if row is None or (row.context.user_id != user and row.verdict != "confirmed_compromised"):
            histories.put(user, learn_taught(histories.of(user), taught))
            return True
        if row.context.user_id == user:
            after = self._rows[login_id] = msgspec.structs.replace(row, own=(*row.own, taught))
            self._tx.run(TAUGHT_LATE, of_event=login_id, new_own=_own_encoder.encode(after.own))
            histories.put(user, moved(histories.of(user), row.standing, after.standing))
        return row.verdict != "confirmed_compromised"


def record(tx: Transaction, histories: OpenHistories, judgement: Judgement, now: float) -> str | None:
    """Record the verdict and move the history to what stands now; whose it is, None when nothing changes.

    Raises: KeyError for a login without a verdict of which the judgement says nothing.
    """
    known = held(tx, judgement.event_id)
    before = known or _unjudged(tx, judgement)
    keep_word(tx, judgement, before.context.user_id, now)
    if known is not None and known.verdict == judgement.verdict:
        return None
    say(tx, [Word(event_id=judgement.event_id, verdict=judgement.verdict)], now)
    after, user = msgspec.structs.replace(before, verdict=judgement.verdict), before.context.user_id
    histories.put(user, moved(histories.of(user), before.standing, after.standing))
    if known is None:
        _add(tx, judgement, after, now)
    else:  # the login itself stays what it was at the first verdict
        tx.run(
            CHANGE,
            of_event=judgement.event_id,
            new_verdict=judgement.verdict,
            new_by=judgement.by,
            new_reason=judgement.reason,
            new_ts=judgement.ts,
            now=now,
        )
    return user


def whose(tx: Transaction, judgement: Judgement) -> str | None:
    """Whose history the judgement is about: the first verdict's word, else what it says itself."""
    known = find(tx, judgement.event_id)
    if known is not None:
        return known.context.user_id
    return None if judgement.login is None else judgement.login.context.user_id


def _unjudged(tx: Transaction, judgement: Judgement) -> VerdictRow:
    """The login before its first verdict: what its outcomes have taught stands, as it does when one is dismissed."""
    if judgement.login is None:
        raise KeyError(judgement.event_id)
    context, lessons = judgement.login.context, lessons_of(tx, judgement.event_id)
    own = [lesson for lesson in lessons.own if lesson.user_id == context.user_id]
    if context.outcome in OWN:
        own += [context] * lessons.unknown  # what was not kept is as good as what the login is seen as now
    return VerdictRow(verdict="dismissed", context=context, own=tuple(own))


def _add(tx: Transaction, judgement: Judgement, row: VerdictRow, now: float) -> None:
    login = judgement.login
    if login is None:
        raise KeyError(judgement.event_id)
    tx.run(
        RECORD,
        event_id=judgement.event_id,
        user_id=row.context.user_id,
        verdict=judgement.verdict,
        by=judgement.by,
        reason=judgement.reason,
        ts=judgement.ts,
        recorded_at=now,
        event=_encode(login.event),
        score=None if login.score is None else _encode(login.score),
        context=encode_taught(row.context),
        own=_own_encoder.encode(row.own),
    )


def mark(tx: Transaction, histories: OpenHistories, user: str) -> None:
    """Give the person's history the pardons and condemnations of all verdicts that stand."""
    safe: list[Taught] = []
    compromised: list[Taught] = []
    for verdict, context in reversed(tx.all(OF_PERSON, of_user=user)):
        (safe if verdict == "confirmed_safe" else compromised).append(decode_taught(context))
    histories.put(user, judged(histories.of(user), safe=safe, compromised=compromised))
