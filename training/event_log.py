"""The scorer's own database as a login log: what was scored, with how it ended, for training.

A login is in it once its outcome was reported: with `success` where it was the person's own, without where it failed.
One that nobody reported an end of is dropped as `bad_success`, since nobody can say whose it was; token refreshes are
no logins. Wrong passwords are never scored; of them the outcome alone is there: whose account, from where, when.

The database is read only, a page at a time, each page in a moment of its own: nobody waits for us. What is added
meanwhile is for the next time. In memory there are sixteen bytes for each outcome, and a page.
"""

import contextlib
import itertools
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import msgspec
import numpy as np
import pyarrow
from numpy.typing import NDArray
from sqlalchemy import bindparam, func, select, tuple_

from plumbing.statements import Row, Statement
from risk_scorer.adapters.event_places import event_key
from risk_scorer.adapters.tables import scored_events, seen_outcomes
from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.lessons import Taught, decode_taught
from training.log_files import typing_engine
from training.log_schemas import EVENTS, typed_columns
from training.read_only import Reading, opened
from training.refusals import WrongInputError

ROWS_AT_ONCE = 50_000
PAGE_ROWS = 200
"""Rows of the log, each of which holds many events."""
OUTCOMES_PAGE_ROWS = 5000
UNKNOWN = "unknown"
"""Stands where others have a truth value; neither word for one, so that it is read as missing."""

LAST = Statement(select(func.max(scored_events.c.id)))
EVENTS_PAGE = Statement(
    select(scored_events.c.id, scored_events.c.events, scored_events.c.body)
    .where(scored_events.c.id > bindparam("after_id"), scored_events.c.id <= bindparam("last_id"))
    .order_by(scored_events.c.id)
    .limit(PAGE_ROWS)
)
_IN_ORDER = (
    select(seen_outcomes.c.seen_at, seen_outcomes.c.event_id)
    .where(
        seen_outcomes.c.seen_at >= bindparam("after_time"),  # what the index can do of the line below
        tuple_(seen_outcomes.c.seen_at, seen_outcomes.c.event_id)
        > tuple_(bindparam("after_time"), bindparam("after_key")),
    )
    .order_by(seen_outcomes.c.seen_at, seen_outcomes.c.event_id)
    .limit(OUTCOMES_PAGE_ROWS)
)
OUTCOMES_PAGE = Statement(_IN_ORDER.add_columns(seen_outcomes.c.login_id))
FAILURES_PAGE = Statement(
    _IN_ORDER.add_columns(seen_outcomes.c.lesson).where(
        seen_outcomes.c.event_id.like("failed:%"), seen_outcomes.c.lesson.is_not(None)
    )
)
_TEXTS = ("user_id", "ip", "user_agent", "device_id", "country", "region", "city", "ja4", "ja4h", "ja4s", "event_id")
_SCHEMA = pyarrow.schema(
    [
        ("timestamp", pyarrow.string()),
        ("success", pyarrow.string()),
        ("asn", pyarrow.int64()),
        ("ip_rep", pyarrow.float64()),
        *((name, pyarrow.string()) for name in _TEXTS),
    ]
)


class _Score(msgspec.Struct, gc=False):
    event_id: str
    ts_scored: float


class _Scored(msgspec.Struct, gc=False):
    event: LoginEvent
    score: _Score


_scored = msgspec.json.Decoder(list[_Scored])


@dataclass(frozen=True)
class EventLog:
    """The log of the scorer whose database is at `url` (`sqlite:///file` or `postgresql://…`); `path` names it."""

    url: str
    path: PurePath
    schema = EVENTS

    @contextlib.contextmanager
    def batches(self) -> Iterator["EventLogRows"]:
        """Its logins as typed Arrow batches, in the order in which they were scored; then the failures beside them.

        Raises WrongInputError: no_such_file, unreadable_file, not_an_event_log, no_outcomes; UnreachableError:
        driver_missing, database_unreachable.
        """
        with opened(self.url, needed=(scored_events, seen_outcomes)) as reading, typing_engine() as engine:
            yield EventLogRows(reading, engine, self.path)


@dataclass
class EventLogRows:
    """An iterable of Arrow batches of typed columns that knows, once exhausted, which rows could not be read."""

    reading: Reading
    engine: Any
    path: PurePath
    unreadable: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[Any]:
        places = typed_columns(EVENTS, {name: name for name in _SCHEMA.names})
        for columns in _at_once(self._logins()):
            self.engine.register("logins_read", pyarrow.table(columns, schema=_SCHEMA))
            yield from self.engine.sql(f"SELECT {places} FROM logins_read").to_arrow_table().to_batches()  # noqa: S608 our own fields

    def malformed_rows(self) -> list[int]:
        """Places among the rows (the first is 0) of those rows of the log that another version wrote."""
        return self.unreadable

    def _logins(self) -> Iterator[tuple[Any, ...]]:
        ends = _Ends(self.reading)
        if not len(ends):
            raise WrongInputError("no_outcomes", f"no login in {self.path.name} has an end: outcomes are not reported")
        place = 0
        for events, body in _bodies(self.reading):
            try:
                logins = _scored.decode(body)
            except msgspec.MsgspecError:
                self.unreadable.extend(range(place, place + events))
                place += events
                continue
            for each in logins:
                word = None if each.event.kind == "refresh" else ends.met(each.score.event_id)
                if word is not None:
                    yield _row(each, word)
                    place += 1
        yield from _failures(self.reading, ends)


class _Ends:
    """How logins ended, by a hash of their ids, and which of them were met in the log."""

    def __init__(self, reading: Reading) -> None:
        keys: dict[str, array[int]] = {"own": array("q"), "failed": array("q")}
        for _, key, login_id in _pages(reading, OUTCOMES_PAGE):
            kind, _, outcome_id = key.partition(":")
            keys[kind].append(event_key(login_id or outcome_id))
        self._own, self._failed = (_Keys.of(keys[kind]) for kind in ("own", "failed"))

    def __len__(self) -> int:
        return len(self._own.known) + len(self._failed.known)

    def met(self, event_id: str) -> str | None:
        """How this login ended, in the words of a log; None for one that was met before.

        Asked about again it is no other login: the first event of an id is what happened.
        """
        key = event_key(event_id)
        for keys, word in ((self._own, "true"), (self._failed, "false")):
            place = keys.place(key)
            if place is not None:
                return None if keys.is_repeated(place) else word
        return UNKNOWN

    def is_told(self, outcome_id: str) -> bool:
        """Whether the login that failed so was met in the log."""
        place = self._failed.place(event_key(outcome_id))
        return place is not None and bool(self._failed.seen[place])


@dataclass(frozen=True)
class _Keys:
    known: NDArray[np.int64]
    seen: NDArray[np.bool_]

    @classmethod
    def of(cls, keys: "array[int]") -> "_Keys":
        known = np.unique(np.frombuffer(keys, np.int64)) if keys else np.empty(0, np.int64)
        return cls(known, np.zeros(len(known), bool))

    def place(self, key: int) -> int | None:
        place = int(self.known.searchsorted(key))
        return place if place < len(self.known) and self.known[place] == key else None

    def is_repeated(self, place: int) -> bool:
        """Whether this was asked before."""
        seen = bool(self.seen[place])
        self.seen[place] = True
        return seen


def _pages(reading: Reading, statement: Statement) -> Iterator[Row]:
    """The outcomes in the order in which they came."""
    after_time, after_key = 0.0, ""
    while rows := reading.all(statement, after_time=after_time, after_key=after_key):
        yield from rows
        after_time, after_key = rows[-1][0], rows[-1][1]


def _bodies(reading: Reading) -> Iterator[tuple[int, bytes]]:
    """How many events each row of the log has, and these as JSON; the rows that are there now."""
    [[last_id]] = reading.all(LAST)
    after_id = 0
    while last_id is not None and (rows := reading.all(EVENTS_PAGE, after_id=after_id, last_id=last_id)):
        yield from ((row[1], row[2]) for row in rows)
        after_id = rows[-1][0]


def _row(scored: _Scored, word: str) -> tuple[Any, ...]:
    event = scored.event
    moment = scored.score.ts_scored if event.timestamp is None else event.timestamp
    texts = (getattr(event, name) for name in _TEXTS[:-1])
    return (str(moment), word, event.asn, event.ip_rep, *texts, scored.score.event_id)


def _failures(reading: Reading, ends: _Ends) -> Iterator[tuple[Any, ...]]:
    """The failures that are not in the log: all wrong passwords, and second factors of another id than the login's."""
    for _, key, lesson in _pages(reading, FAILURES_PAGE):
        outcome_id = key.partition(":")[2]
        taught = None if ends.is_told(outcome_id) else _decoded(lesson)
        if taught is not None:
            blank = [""] * (len(_TEXTS) - 3)
            yield (str(taught.ts), "false", None, None, taught.user_id, taught.ip, *blank, outcome_id)


def _decoded(lesson: bytes) -> Taught | None:
    try:
        return decode_taught(lesson)
    except msgspec.MsgspecError:
        return None  # written by another version


def _at_once(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[Sequence[Any]]]:
    """The rows as columns, so many at a time."""
    while piece := list(itertools.islice(rows, ROWS_AT_ONCE)):
        yield [list(column) for column in zip(*piece, strict=True)]
