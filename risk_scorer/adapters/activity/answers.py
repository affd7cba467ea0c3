"""What was answered for events that came with an id: a repeated one is known by it and gets the same answer.

An id is the person's own, so that nobody's event takes the answer of somebody else's. Of each id a key is kept, and
when its event was; the answer is read out of the event's row, since keys come in no order, and whatever stands beside
one is rewritten with its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Transaction
from plumbing.expressions import numbers_of
from plumbing.statements import Row, Statement, Value
from risk_scorer.adapters.tables import activity_answers, activity_events
from risk_scorer.contract.activity import Assessment, HowKnown, Signal, recommended
from risk_scorer.contract.assessment import risk_level
from risk_scorer.core.activity.engine import BASELINE, baseline_beside

_keys = numbers_of(bindparam("keys"))
_answers, _events = activity_answers.c, activity_events.c
FOUND = Statement(select(_answers.event_key, _answers.ts).where(_answers.event_key.in_(_keys)))
KEEP = Statement(
    insert(activity_answers)
    .values(event_key=bindparam("event_key"), ts=bindparam("ts"), answer=b"")
    .on_conflict_do_nothing(index_elements=["event_key"])
)
FORGET = Statement(delete(activity_answers).where(_answers.event_key.in_(_keys)))
EVENT = Statement(
    select(_events.session_id, _events.score, _events.signals, _events.answered)
    .where(_events.user_id == bindparam("of_user"), _events.ts == bindparam("at"))
    .where(_events.event_id == bindparam("of_event"), _events.answered.is_not(None))
    .limit(1)
)


class Rest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an answer says beside its event's row."""

    ts_scored: float
    identity: HowKnown
    model_version: str
    attack_likelihood: float | None
    unknown: list[str]


_encode, _rest = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Rest)
_tell, _signals = msgspec.json.Encoder().encode, msgspec.json.Decoder(list[Signal])


@lru_cache(maxsize=16_384)
def answer_key(user_id: str, event_id: str) -> int:
    """What the answer for that person's event is found by: 16 bits of the person's hash, then 48 of the event's.

    So what one person does stands together, and a batch writes a page for each of its people, not for each event.
    """
    event = blake2b(f"{user_id}\0{event_id}".encode(), digest_size=6).digest()
    return int.from_bytes(_whose(user_id) + event, signed=True)


@lru_cache(maxsize=16_384)
def _whose(user_id: str) -> bytes:
    return blake2b(user_id.encode(), digest_size=2).digest()


def kept_under(tx: Transaction, keys: Iterable[int]) -> dict[int, float]:
    """When the events were that are known by these keys."""
    listed = _array(keys)
    return {} if listed is None else dict(tx.all(FOUND, keys=listed))


def answer_of(tx: Transaction, user_id: str, event_id: str, ts: float) -> Assessment | None:
    """The answer for the event that was then; None where it is no longer kept."""
    row = tx.one(EVENT, of_user=user_id, at=ts, of_event=event_id)
    return None if row is None else _answer(user_id, event_id, row)


def keep_keys(tx: Transaction, given: Sequence[tuple[int, float]]) -> list[bool]:
    """Keep each (key, when its event was) that is not known yet; which of them were new."""
    rows: list[dict[str, Value]] = [
        {"event_key": key, "ts": ts}
        for key, ts in sorted(given)  # in one order: processes tie no knots
    ]
    new = {row["event_key"] for row, kept in zip(rows, tx.each(KEEP, rows), strict=True) if kept}
    return [key in new for key, _ in given]


def forget_answers(tx: Transaction, events: Iterable[tuple[str, str]]) -> None:
    """Forget those of these (person, event id)."""
    listed = _array(answer_key(user, event) for user, event in events)
    if listed is not None:
        tx.run(FORGET, keys=listed)


def held_signals(answer: Assessment) -> str:
    """What is held against the session, as JSON; that it begins above nothing is said in answers alone."""
    signals = answer.signals
    return "[]" if len(signals) < 2 else _tell([each for each in signals if each.code != BASELINE]).decode()


def rest_of(answer: Assessment) -> bytes:
    """What of the answer is in no other column of the event's row."""
    return _encode((answer.ts_scored, answer.identity, answer.model_version, answer.attack_likelihood, answer.unknown))


def _answer(user_id: str, event_id: str, row: Row) -> Assessment:
    session_id, score, held, rest = row[0], row[1], _signals.decode(row[2]), _rest.decode(bytes(row[3]))
    return Assessment(
        event_id=event_id, user_id=user_id, session_id=session_id, total_score=score, risk_level=risk_level(score),
        action=recommended(score), signals=[*held, baseline_beside(held, score)], unknown=rest.unknown,
        attack_likelihood=rest.attack_likelihood, identity=rest.identity, model_version=rest.model_version,
        ts_scored=rest.ts_scored,
    )  # fmt: skip


def _array(keys: Iterable[int]) -> str | None:
    ordered = sorted(set(keys))
    return msgspec.json.encode(ordered).decode() if ordered else None
