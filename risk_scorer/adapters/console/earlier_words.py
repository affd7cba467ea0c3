"""What was found out and how it ended, of logins that are taken from the log long after: at the first look after an
upgrade. Nobody said it while there was a table for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, select

from plumbing.database import Transaction
from plumbing.expressions import texts_of
from plumbing.statements import Statement
from risk_scorer.adapters.tables import seen_outcomes, verdicts
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.lessons import decode_taught

LATE_SECONDS: Final = 600.0
"""Logins are taken a second after their score; of those that waited for longer, words may have come before."""

_asked = texts_of(bindparam("ids")).order_by(None)
VERDICTS = Statement(select(verdicts.c.event_id, verdicts.c.verdict).where(verdicts.c.event_id.in_(_asked)))
OUTCOMES = Statement(
    select(seen_outcomes.c.event_id, seen_outcomes.c.lesson).where(
        seen_outcomes.c.event_id.in_(_asked), seen_outcomes.c.lesson.is_not(None)
    )
)


def told(tx: Transaction, rows: Sequence[SignIn], now: float) -> list[SignIn]:
    """The rows with what was said of them before."""
    late = [row.event_id for row in rows if now - row.ts > LATE_SECONDS]
    if not late:
        return list(rows)
    judged: dict[str, str] = dict(tx.all(VERDICTS, ids=_array(late)))
    ended = {key: _outcome(lesson) for key, lesson in tx.all(OUTCOMES, ids=_array(_keys(late)))}
    return [
        replace(
            row,
            verdict=judged.get(row.event_id, ""),
            outcome=ended.get(f"own:{row.event_id}") or ended.get(f"failed:{row.event_id}", ""),
        )
        for row in rows
    ]


def _keys(event_ids: Sequence[str]) -> list[str]:
    return [f"{side}:{each}" for each in event_ids for side in ("own", "failed")]


def _array(texts: Sequence[str]) -> str:
    return msgspec.json.encode(texts).decode()


def _outcome(lesson: bytes) -> str:
    try:
        return decode_taught(lesson).outcome
    except msgspec.MsgspecError:
        return ""  # written by another version
