"""Pages of sign-ins from either database, each within a bounded number of rows however much there is."""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from plumbing.database import Database, Transaction
from plumbing.statements import Value
from risk_scorer.adapters.console.sign_in_mark import behind_since
from risk_scorer.adapters.console.sign_in_statements import (
    COLUMNS,
    FIRST_PERSON,
    NEXT_PERSON,
    ONE,
    USUAL,
    Terms,
    count_statement,
    end_statement,
    page_statement,
)
from risk_scorer.adapters.event_places import event_key
from risk_scorer.contract.assessment import HIGH_FROM
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.console.sign_in_page import Cursor, SignInPage, place_of
from risk_scorer.core.observation import prefix_of

MOST_WALKED: Final = 5_000
"""Rows that are looked at for one page in the order of time, where they lie beside each other."""
MOST_SCATTERED: Final = 2_000
"""The same along another index, whose rows lie anywhere: of ten million each is a page of the file, and 5,000 took
a p95 of 190 ms (`benchmarks/console.py`)."""
FIRST_WALK: Final = 500
"""Rows that are looked at first: where most of them are such, no more need be."""
FEW: Final = 500
"""An index with no more is as good as any."""
MOST_PEOPLE: Final = 50
"""People whose rows are looked up one by one; where more ids begin so, rows are looked at in the order of time."""
LAST_SIGN: Final = 0x10FFFF
SURROGATES: Final = range(0xD800, 0xE000)

_CLOSED: Final = ("level", "decision", "outcome", "verdict", "kind")
_SPAN: Final = frozenset({"since", "until", "before", "after"})
_INDEXED: Final = ("user", "people", "device", "ja4", "prefix", "asn", "country")
_RARE: Final = ("level", "decision", "outcome", "verdict")


class _Asked(Struct, frozen=True):
    """Conditions by name, and the values of their parameters."""

    terms: Terms
    values: dict[str, Value]

    @property
    def span(self) -> Terms:
        """Those of time, which every index has."""
        return self.terms & _SPAN

    def of(self, terms: Terms) -> dict[str, Value]:
        """The values that statements with these conditions take."""
        names = {name for term in terms for name in _PARAMETERS.get(term, (term,))}
        return {name: value for name, value in self.values.items() if name in names}


_PARAMETERS: Final = {"text": ("low", "high"), "before": ("at_ts", "at_seq"), "after": ("at_ts", "at_seq")}


class SignInRows:
    """Reads the rows, beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, wanted: SignInFilter, *, before: Cursor | None = None, after: Cursor | None = None, limit: int
    ) -> SignInPage:
        """The newest rows before that place, or the oldest after the other; newest first. Raises: Refused."""
        at = after or before
        return await self._database.read_in_thread(
            lambda tx: _page(tx, wanted, at=at, is_after=after is not None, limit=limit)
        )

    async def one(self, event_id: str) -> SignIn | None:
        """The row of that login. Raises: Refused."""
        rows = await self._database.read_in_thread(lambda tx: tx.all(ONE, key=event_key(event_id), of_event=event_id))
        return _sign_in(rows[0]) if rows else None

    async def behind_since(self) -> float | None:
        """When the oldest login was scored that is in no row yet; None where all are. Raises: Refused."""
        return await self._database.read_in_thread(behind_since)

    async def around(self, user_id: str, ts: float, each_side: int) -> list[SignIn]:
        """So many of the person's rows from that moment on, and so many before it, newest first. Raises: Refused."""
        here, wanted = Cursor(ts, 0), SignInFilter(user=user_id)

        def read(tx: Transaction) -> list[SignIn]:
            since = _page(tx, wanted, at=here, is_after=True, limit=each_side)
            return [*since.rows, *_page(tx, wanted, at=here, is_after=False, limit=each_side).rows]

        return await self._database.read_in_thread(read)


def _page(tx: Transaction, wanted: SignInFilter, *, at: Cursor | None, is_after: bool, limit: int) -> SignInPage:
    asked = _asked(tx, wanted, at, is_after=is_after)
    if asked is None:
        return SignInPage(rows=())
    along = _along(tx, asked)
    others = asked.terms - along
    most = MOST_WALKED if along == asked.span else MOST_SCATTERED
    steps = sorted({min(FIRST_WALK, most), most}) if others else [limit + 1]
    found: list[SignIn] = []
    for step in steps:
        values = {**asked.of(along | others), "most_walked": step, "up_to": limit + 1}
        found = [_sign_in(row) for row in tx.all(page_statement(along, others), **values)]
        if len(found) > limit:
            break
    rows, last = found[:limit], place_of(found[limit - 1]) if len(found) > limit else None
    searched_to = None
    if others and last is None:
        end = tx.one(end_statement(along), **asked.of(along), most_walked=steps[-1])
        if end is not None and end[2] == steps[-1]:
            last, searched_to = Cursor(end[0], end[1]), end[0]
    return _bounded(rows, at=at, last=last, is_after=is_after, searched_to=searched_to)


def _bounded(
    rows: list[SignIn], *, at: Cursor | None, last: Cursor | None, is_after: bool, searched_to: float | None
) -> SignInPage:
    """The page with its ends: `last` is where the walk goes on, and the way back begins at the first row."""
    first = place_of(rows[0]) if rows else at
    if is_after:
        return SignInPage(rows=tuple(reversed(rows)), next_cursor=first, newer=last, searched_to=searched_to)
    return SignInPage(rows=tuple(rows), next_cursor=last, newer=None if at is None else first, searched_to=searched_to)


def _asked(tx: Transaction, wanted: SignInFilter, at: Cursor | None, *, is_after: bool) -> _Asked | None:
    """What is asked for as conditions; None where nobody's id begins so."""
    given: dict[str, Any] = dict(wanted.asked)
    if given.get("least", 0.0) >= HIGH_FROM:
        given.setdefault("level", "high")
    terms = {f"{name}={given.pop(name)}" for name in _CLOSED if name in given}
    text = given.pop("text", None)
    if text is not None:
        given |= {"low": text, "high": after_all(text)}
        people = _people(tx, text)
        if not people:
            return None
        if len(people) <= MOST_PEOPLE:
            given = {name: value for name, value in given.items() if name not in ("low", "high")}
            given["people"] = msgspec.json.encode(people).decode()
    if "ip" in given:
        address = given["ip"]
        given["prefix"] = given.pop("ip") if "/" in address else prefix_of(address)
    if "reason" in given:
        given["reason"] = f"% {given['reason'].replace('_', chr(92) + '_')} %"
    terms |= {"text" if name == "low" else name for name in given if name != "high"}
    if at is not None:
        terms.add("after" if is_after else "before")
        given |= {"at_ts": at.ts, "at_seq": at.seq}
    return _Asked(frozenset(terms), given)


def _people(tx: Transaction, text: str) -> list[str]:
    """Whose ids begin so, up to one more than are looked up one by one: a step in the index for each."""
    high = after_all(text)
    found: list[str] = []
    row = tx.one(FIRST_PERSON, low=text, high=high)
    while row is not None and len(found) <= MOST_PEOPLE:
        found.append(row[0])
        row = tx.one(NEXT_PERSON, last=row[0], high=high)
    return found


def after_all(text: str) -> str:
    """The first text in the order of code points that begins otherwise than this one and lies behind it."""
    for end in range(len(text), 0, -1):
        sign = ord(text[end - 1]) + 1
        if sign <= LAST_SIGN:
            return text[: end - 1] + chr(SURROGATES.stop if sign in SURROGATES else sign)
    return chr(LAST_SIGN)


def _along(tx: Transaction, asked: _Asked) -> Terms:
    """The conditions whose index leads to the fewest rows, with the span of time."""
    names = {term.partition("=")[0]: term for term in asked.terms}
    indexed = [names[name] for name in _INDEXED if name in names]
    indexed += [names[name] for name in _RARE if name in names and names[name] not in USUAL]
    choices = [asked.span | {term} for term in indexed]
    if len(choices) == 1 and not asked.terms & {"since", "until"}:
        return choices[0]
    if not choices:
        return asked.span
    if asked.terms & {"since", "until"}:
        choices.append(asked.span)
    best, fewest = asked.span, MOST_WALKED + 2
    for along in choices:
        count = cast(tuple[int], tx.one(count_statement(along), **asked.of(along), most_walked=MOST_WALKED + 1))[0]
        if count < fewest:
            best, fewest = along, count
        if fewest <= FEW:
            break
    return best


def _sign_in(row: tuple[Any, ...]) -> SignIn:
    return SignIn(**dict(zip(COLUMNS, row, strict=True)))
