"""Looking at sign-ins: a page of those that somebody asks for, one, those around a moment, and its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Protocol

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import BadFilter, SignInFilter, filter_of
from risk_scorer.core.console.sign_in_page import Cursor, SignInPage, cursor_of

USUAL_ROWS: Final = 50
MOST_ROWS: Final = 500
"""Rows of one page; an export asks for page after page."""
Shared = Literal["user", "address", "asn", "country", "device", "fingerprint"]
_FILTERS: Final[dict[Shared, str]] = {
    "user": "user",
    "address": "ip",
    "asn": "asn",
    "country": "country",
    "device": "device",
    "fingerprint": "ja4",
}


class SignInRows(Protocol):
    async def page(
        self, wanted: SignInFilter, *, before: Cursor | None, after: Cursor | None, limit: int
    ) -> SignInPage:
        """The newest rows before that place, or the oldest after the other. Raises: Refused."""
        ...

    async def one(self, event_id: str) -> SignIn | None:
        """The row of that login. Raises: Refused."""
        ...

    async def behind_since(self) -> float | None:
        """When the oldest login was scored that is in no row yet; None where all are. Raises: Refused."""
        ...

    async def around(self, user_id: str, ts: float, each_side: int) -> list[SignIn]:
        """So many of the person's rows from that moment on, and so many before it, newest first. Raises: Refused."""
        ...


class SignIns:
    """What pages ask."""

    def __init__(self, rows: SignInRows, *, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock

    def wanted(self, query: Mapping[str, str]) -> SignInFilter:
        """What a query string asks for. Raises: Refused (422 `invalid_filter`)."""
        try:
            return filter_of(query, now=self._clock.now())
        except BadFilter as bad:
            raise refused(bad) from None

    async def asked(self, query: Mapping[str, str]) -> tuple[SignInFilter, SignInPage]:
        """What a query string asks for (a filter, `before` or `after`, `limit`), and that page. Raises: Refused."""
        wanted = self.wanted(query)
        try:
            before, after = (cursor_of(query[name], name) if query.get(name) else None for name in ("before", "after"))
            limit = _limit(query.get("limit") or str(USUAL_ROWS))
        except BadFilter as bad:
            raise refused(bad) from None
        return wanted, await self.page(wanted, before, after=after, limit=limit)

    async def page(
        self,
        wanted: SignInFilter,
        before: Cursor | None = None,
        *,
        after: Cursor | None = None,
        limit: int = USUAL_ROWS,
    ) -> SignInPage:
        """The newest rows before that place, or those next after the other one; newest first. Raises: Refused."""
        return await self._rows.page(wanted, before=before, after=after, limit=limit)

    async def late_seconds(self) -> float | None:
        """How long a scored login waits to become a row; None where none does. Raises: Refused."""
        since = await self._rows.behind_since()
        return None if since is None else max(0.0, self._clock.now() - since)

    async def one(self, event_id: str) -> SignIn:
        """The sign-in with that id. Raises: Refused (404 `unknown_event`)."""
        found = await self._rows.one(event_id)
        if found is None:
            raise Refused("unknown_event", "There is no sign-in of that id, or not any more.", status=404)
        return found

    async def around(self, user_id: str, ts: float, each_side: int = 5) -> list[SignIn]:
        """So many of the person's own from that moment on, and so many before it, newest first. Raises: Refused."""
        return await self._rows.around(user_id, ts, each_side)

    async def neighbours(
        self, kind: Shared, value: str, since: float | None = None, limit: int = USUAL_ROWS
    ) -> list[SignIn]:
        """The newest sign-ins that share it, of whoever. Raises: Refused (422 for a value that is none)."""
        query = {_FILTERS[kind]: value, **({} if since is None else {"since": f"{since:.3f}"})}
        return list((await self.page(self.wanted(query), limit=limit)).rows)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_ROWS):
        raise BadFilter("limit", f"limit must be a whole number from 1 to {MOST_ROWS}")
    return int(text)


def refused(bad: BadFilter) -> Refused:
    """What a filter that is none is answered with."""
    return Refused("invalid_filter", bad.message, status=422, evidence={"field": f"query.{bad.field}"})
