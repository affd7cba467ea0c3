"""The log of scored logins as rows of the console: read in order, written once, whatever dies in between.

A piece of rows and the mark up to where the log was taken are written by one process at a time: it holds the mark, and
what it read is void when somebody else has moved it, or erased a person, meanwhile. A row of the log with many events
is taken in several pieces; what was there before is known by its event id. Fails open: while the storage refuses, the
console shows what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec
import structlog
from sqlalchemy import bindparam, insert, select, update

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.expressions import numbers_of
from plumbing.statements import Row, Statement
from risk_scorer.adapters.console import earlier_words
from risk_scorer.adapters.console.sign_in_mark import begin, interrupt, is_ours, mark, move
from risk_scorer.adapters.console.sign_in_words import Said, done, due, later
from risk_scorer.adapters.event_places import event_key
from risk_scorer.adapters.tables import scored_events, sign_ins
from risk_scorer.core.console.progress import Progress, advanced
from risk_scorer.core.console.sign_in import SAID, SignIn, Word, said_of, sign_in_of
from risk_scorer.flows.ports import ScoredEvent

LOG_ROWS: Final = 200
"""Rows of the log that are read at a time."""
PIECE: Final = 250
"""Logins that one transaction writes, so that the writer is never held for long."""

_log, _rows = scored_events.c, sign_ins.c
LOG = Statement(select(_log.id, _log.body).where(_log.id > bindparam("after_id")).order_by(_log.id).limit(LOG_ROWS))
LATE = Statement(
    select(_log.id, _log.body).where(_log.id.in_(numbers_of(bindparam("ids")))).order_by(_log.id).limit(LOG_ROWS)
)
_NAMES: Final = tuple(column.name for column in sign_ins.columns if column.name != "seq")
ADD = Statement(insert(sign_ins).values({name: bindparam(name) for name in _NAMES}))
FOUND = Statement(
    select(_rows.event_id, _rows.seq, _rows.ts, *(_rows[name] for name in SAID)).where(
        _rows.event_key.in_(numbers_of(bindparam("keys")))
    )
)
CHANGE = Statement(
    update(sign_ins)
    .where(_rows.seq == bindparam("of_seq"), _rows.ts == bindparam("of_ts"))
    .values({name: bindparam(f"new_{name}") for name in SAID})
)

log = structlog.get_logger(__name__)
_decoder = msgspec.json.Decoder(list[ScoredEvent])


class View(msgspec.Struct, frozen=True):
    """What there is to do: the mark and its version, rows of the log, and words."""

    progress: Progress
    version: int
    rows: list[Row]
    said: list[Said]


class Projection:
    """Takes the log to `sign_ins`; `taken_at` is when all of it was there last."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.taken_at: float | None = None

    async def advance(self) -> int:
        """Take what is there, a bounded part of it; how many rows of the log and words. Raises: Refused."""
        now = self._clock.now()
        view = await self._database.read_in_thread(lambda tx: viewed(tx, now))
        if view is None:
            await self._database.write(begin)
            return 1
        if view.rows and not await self.take(view, now):
            return 0
        if view.said:
            version = view.version + bool(view.rows)
            await self._database.write(lambda tx: _told(tx, view.said, version, now))
        if not view.rows:
            self.taken_at = now
        return len(view.rows) + len(view.said)

    async def take(self, view: View, now: float) -> bool:
        """Whether these rows are ours to take, and taken."""
        logins = [login for row in view.rows for login in logins_of(row)]
        version = view.version
        for start in range(0, len(logins), PIECE):
            piece = logins[start : start + PIECE]
            if not await self._database.write(partial(add, piece=piece, version=version, now=now)):
                return False
        progress = advanced(view.progress, [row[0] for row in view.rows], now)
        return await self._database.write(partial(_move, progress=progress, version=version))


def viewed(tx: Transaction, now: float) -> View | None:
    """What there is to do; None while there is no mark."""
    found = mark(tx)
    if found is None:
        return None
    progress, version = found
    awaited = progress.awaited(now)
    late = tx.all(LATE, ids=msgspec.json.encode(awaited).decode()) if awaited else []
    new = tx.all(LOG, after_id=progress.log_id)
    is_behind = len(new) == LOG_ROWS
    # One view: of a login that is not in these rows nothing can be among the words.
    return View(progress, version, [*late, *new], [] if is_behind else due(tx, now))


def logins_of(row: Row) -> list[SignIn]:
    """The logins of a row of the log."""
    try:
        return [sign_in_of(each.event, each.score) for each in _decoder.decode(row[1])]
    except msgspec.MsgspecError:
        log.warning("scored_events_unreadable")  # written by another version; they only miss from the list
        return []


def add(tx: Transaction, *, piece: Sequence[SignIn], version: int, now: float) -> bool:
    """Write those of the piece that are not there; False when the mark is not what it was."""
    if not is_ours(tx, version):
        return False
    known = {row[0] for row in _found(tx, [each.event_id for each in piece])}
    new: dict[str, SignIn] = {}
    for each in piece:
        if each.event_id not in known:
            new.setdefault(each.event_id, each)  # the first of an id is what happened
    tx.many(ADD, [_row(each) for each in earlier_words.told(tx, [*new.values()], now)])
    return True


def _move(tx: Transaction, *, progress: Progress, version: int) -> bool:
    if not is_ours(tx, version):
        return False
    move(tx, progress)
    return True


def _told(tx: Transaction, said: Sequence[Said], version: int, now: float) -> None:
    """Take the words to their rows; those without one wait. Nothing, when the mark is not what it was: somebody else
    took them, and may have taken newer ones since."""
    if not is_ours(tx, version):
        return
    rows = {row[0]: row for row in _found(tx, [each.word.event_id for each in said])}
    words = {name: Word(event_id=name, **dict(zip(SAID, row[3:], strict=True))) for name, row in rows.items()}
    for each in said:
        if each.word.event_id in words:
            words[each.word.event_id] = said_of(words[each.word.event_id], each.word)
    tx.many(CHANGE, [_change(rows[name], word) for name, word in words.items()])
    done(tx, [each for each in said if each.word.event_id in rows])
    later(tx, [each for each in said if each.word.event_id not in rows], now)
    interrupt(tx)


def _change(row: Row, word: Word) -> dict[str, str | float | int]:
    return {"of_seq": row[1], "of_ts": row[2], **{f"new_{name}": getattr(word, name) for name in SAID}}


def _found(tx: Transaction, event_ids: Sequence[str]) -> list[Row]:
    """The rows of these logins as far as words change them: id, place, time, and what was said."""
    asked = set(event_ids)
    keys = msgspec.json.encode(sorted(map(event_key, asked))).decode()
    return [row for row in tx.all(FOUND, keys=keys) if row[0] in asked] if asked else []


def _row(row: SignIn) -> dict[str, str | float | int]:
    values = msgspec.structs.asdict(row)
    del values["seq"]
    return {**values, "event_key": event_key(row.event_id)}
