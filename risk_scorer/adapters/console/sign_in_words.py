"""What is said of scored logins, until it is in their rows: written in the transaction in which it became true.

Whoever says something does not look for the row, which may come a moment later, or never: of a login without a score
there is none. The projector takes words to their rows, one process at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from plumbing.database import Transaction
from plumbing.expressions import numbers_of
from plumbing.statements import Statement
from risk_scorer.adapters.tables import sign_in_words
from risk_scorer.core.console.sign_in import Word

TOGETHER: Final = 500
FIRST_WAIT_SECONDS: Final = 1.0
KEPT_SECONDS: Final = 86_400.0
"""Senders try for longer, but a row is there a second after its score."""

_words = sign_in_words.c
_SAID: Final = ("event_id", "decision", "rule", "factor", "client_id", "outcome", "verdict")
SAY = Statement(
    insert(sign_in_words).values({name: bindparam(name) for name in (*_SAID, "said_at", "look_at")}),
)
DUE = Statement(
    select(_words.id, _words.said_at, *(_words[name] for name in _SAID))
    .where(_words.look_at <= bindparam("now"))
    .order_by(_words.look_at, _words.id)
    .limit(TOGETHER)
)
DONE = Statement(delete(sign_in_words).where(_words.id.in_(numbers_of(bindparam("ids")))))
LATER = Statement(update(sign_in_words).where(_words.id == bindparam("of_id")).values(look_at=bindparam("then")))


class Said(msgspec.Struct, frozen=True, gc=False):
    """A word with its number, and when it was said."""

    word_id: int
    said_at: float
    word: Word


def say(tx: Transaction, words: Iterable[Word], now: float) -> None:
    """Keep these until they are in their rows."""
    tx.many(SAY, [{**msgspec.structs.asdict(word), "said_at": now, "look_at": now} for word in words])


def due(tx: Transaction, now: float) -> list[Said]:
    """Words whose rows are to be looked for now, in the order in which they were said."""
    rows = sorted(tx.all(DUE, now=now), key=lambda row: row[0])
    return [Said(row[0], row[1], Word(**dict(zip(_SAID, row[2:], strict=True)))) for row in rows]


def done(tx: Transaction, said: Sequence[Said]) -> None:
    """These are in their rows, or never will be."""
    if said:
        tx.run(DONE, ids=msgspec.json.encode([each.word_id for each in said]).decode())


def later(tx: Transaction, said: Sequence[Said], now: float) -> None:
    """There is no row of these yet: look again when they are twice as old; after a day they go."""
    old = [each for each in said if now - each.said_at > KEPT_SECONDS]
    done(tx, old)
    waiting = [each for each in said if now - each.said_at <= KEPT_SECONDS]
    tx.many(LATER, [{"of_id": each.word_id, "then": now + _wait(now - each.said_at)} for each in waiting])


def _wait(age: float) -> float:
    return max(FIRST_WAIT_SECONDS, age)
