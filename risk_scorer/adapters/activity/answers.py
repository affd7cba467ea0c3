"""What was answered for events that came with an id: a repeated one is known by it and gets the same answer.

An id is the person's own, so that nobody's event takes the answer of somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.expressions import numbers_of
from plumbing.statements import Statement, Value
from risk_scorer.adapters.tables import activity_answers

_keys = numbers_of(bindparam("keys"))
FOUND = Statement(
    select(activity_answers.c.event_key, activity_answers.c.answer).where(activity_answers.c.event_key.in_(_keys))
)
KEEP = Statement(
    insert(activity_answers)
    .values(event_key=bindparam("event_key"), answer=bindparam("answer"))
    .on_conflict_do_nothing(index_elements=["event_key"])
)
FORGET = Statement(delete(activity_answers).where(activity_answers.c.event_key.in_(_keys)))


def answer_key(user_id: str, event_id: str) -> int:
    """What the answer for that person's event is found by."""
    return int.from_bytes(blake2b(f"{user_id}\0{event_id}".encode(), digest_size=8).digest(), signed=True)


def answers(tx: Transaction, keys: Iterable[int]) -> dict[int, bytes]:
    """The answers that are kept under these keys."""
    listed = _array(keys)
    return {} if listed is None else {row[0]: bytes(row[1]) for row in tx.all(FOUND, keys=listed)}


def keep_answers(tx: Transaction, given: Sequence[tuple[str, str, bytes]]) -> list[bool]:
    """Keep each (person, event id, answer) that has none yet; which of them were new, whoever kept the others."""
    named = [(answer_key(user, event), answer) for user, event, answer in given]
    rows: list[dict[str, Value]] = [
        {"event_key": key, "answer": answer}
        for key, answer in sorted(named)  # in one order: processes tie no knots
    ]
    if tx.many(KEEP, rows) == len(rows):
        return [True] * len(rows)
    kept = answers(tx, [key for key, _ in named])
    return [kept.get(key) == answer for key, answer in named]  # no two answers are the same: each says when it was made


def forget_answers(tx: Transaction, events: Iterable[tuple[str, str]]) -> None:
    """Forget those of these (person, event id)."""
    listed = _array(answer_key(user, event) for user, event in events)
    if listed is not None:
        tx.run(FORGET, keys=listed)


def _array(keys: Iterable[int]) -> str | None:
    ordered = sorted(set(keys))
    return msgspec.json.encode(ordered).decode() if ordered else None
