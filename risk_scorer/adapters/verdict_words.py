"""Each word that was said about a login, in the order in which it came.

The verdict that stands is one row that later words replace; training has to know as well who said what when.
"""

from __future__ import annotations

from typing import Final, cast

import msgspec
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import verdict_words
from risk_scorer.contract.feedback import VerdictKind, VerdictSource, source_of
from risk_scorer.flows.ports import Judgement

MOST_OF_A_LOGIN: Final = 50
"""Words that are kept of one login: a program that goes on telling must not fill the disk. The oldest go first."""

_OF_EVENT = verdict_words.c.event_id == bindparam("of_event")
LAST_BY = Statement(
    select(verdict_words.c.verdict)
    .where(_OF_EVENT, verdict_words.c.by == bindparam("of_by"), verdict_words.c.source == bindparam("of_source"))
    .order_by(verdict_words.c.id.desc())
    .limit(1)
)
KEEP = Statement(
    insert(verdict_words).values(
        {column.name: bindparam(f"new_{column.name}") for column in verdict_words.columns if column.name != "id"}
    )
)
NEWEST = (
    select(verdict_words.c.id)
    .where(_OF_EVENT)
    .order_by(verdict_words.c.id.desc())
    .offset(MOST_OF_A_LOGIN - 1)
    .limit(1)
    .scalar_subquery()
)
DROP_OLDEST = Statement(delete(verdict_words).where(_OF_EVENT, verdict_words.c.id < NEWEST))
COUNT = Statement(select(func.count()).select_from(verdict_words).where(_OF_EVENT))
WORDS = Statement(
    select(
        verdict_words.c.event_id,
        verdict_words.c.verdict,
        verdict_words.c.by,
        verdict_words.c.source,
        verdict_words.c.ts,
        verdict_words.c.recorded_at,
    )
    .where(verdict_words.c.event_id >= bindparam("first_id"), verdict_words.c.event_id <= bindparam("last_id"))
    .order_by(verdict_words.c.id)
)


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a login: `at` when they found out, `known_at` when we were told (epoch seconds)."""

    verdict: VerdictKind
    by: str
    source: VerdictSource
    at: float
    known_at: float


def keep_word(tx: Transaction, judgement: Judgement, user_id: str, now: float) -> None:
    """Keep the word unless the same mouth said the same of this login last."""
    source = source_of(judgement.by, judgement.source)
    last = tx.one(LAST_BY, of_event=judgement.event_id, of_by=judgement.by, of_source=source)
    if last is not None and last[0] == judgement.verdict:
        return
    tx.run(
        KEEP,
        new_event_id=judgement.event_id,
        new_user_id=user_id,
        new_verdict=judgement.verdict,
        new_by=judgement.by,
        new_source=source,
        new_ts=judgement.ts,
        new_recorded_at=now,
    )
    if tx.all(COUNT, of_event=judgement.event_id)[0][0] > MOST_OF_A_LOGIN:
        tx.run(DROP_OLDEST, of_event=judgement.event_id)


def words_between(tx: Transaction, first_id: str, last_id: str) -> dict[str, list[Word]]:
    """The words about the logins whose ids lie between these two, both included; the oldest of each first."""
    found: dict[str, list[Word]] = {}
    for event_id, verdict, by, source, ts, recorded_at in tx.all(WORDS, first_id=first_id, last_id=last_id):
        word = Word(
            verdict=cast(VerdictKind, verdict),
            by=by,
            source=cast(VerdictSource, source),
            at=ts,
            known_at=recorded_at,
        )
        found.setdefault(event_id, []).append(word)
    return found
