"""The overview's figures, read once for all who look and kept for seconds: the page says how old they are."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import structlog
from msgspec import Struct, structs

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.core.console.attention import Notice, State, attention
from risk_scorer.core.console.chips import words_of
from risk_scorer.core.console.figures import (
    Detection,
    Prompted,
    Rate,
    Timed,
    detections,
    found_in_sessions,
    median,
    p95,
    prompted,
    rate,
)
from risk_scorer.core.console.overview_read import Read, RiskySignIn
from risk_scorer.core.console.world import Came, Sign, signs
from risk_scorer.core.facts import IpFacts

KEPT_SECONDS: Final = 5.0
"""Half of what a page waits between two looks, so that ten people who look cost as much as two."""
WAIT_SECONDS: Final = 0.05
"""As long as a page waits where it has some to show; over many rows on a busy machine it takes longer."""
STALE_SECONDS: Final = 60.0
"""Older ones are waited for a little longer, and where they stand they are called old."""
LONG_WAIT_SECONDS: Final = 0.12
"""As long as that: the whole page is to come within 0.2 s."""
TIMED_SECONDS: Final = 300.0
"""The answers that a p95 is about: those of the last minutes, once the process is that old."""
RATE_BOX: Final = (240.0, 44.0)
MOST_PLACES: Final = 200
"""Places that are looked up: the commonest."""
MOST_LISTED: Final = 10
MOST_PEOPLE: Final = 5
SHOWN_REASONS: Final = 3
CLEARED: Final = frozenset({"confirmed_safe", "dismissed"})

Buckets = Mapping[float, float]

log = structlog.get_logger(__name__)


class Rows(Protocol):
    async def read(self, now: float) -> Read:
        """Everything, as of one moment. Raises: Refused."""
        ...


class Around(Protocol):
    """What is known beside the storage, in this process; nothing here asks anybody."""

    def budget(self) -> float:
        """The share of people that may be prompted."""
        ...

    def timed(self) -> Buckets:
        """Cumulative counts of the seconds that answers took, by upper bound."""
        ...

    def networks(self, addresses: Sequence[str]) -> list[IpFacts]:
        """What is known of each address."""
        ...

    async def state(self) -> State:
        """What may need somebody, but for what is in `Read`. Raises: Refused."""
        ...


class Person(Struct, frozen=True, kw_only=True):
    """Somebody with risky sign-ins that nobody cleared, and the riskiest of them with its weightiest reasons."""

    user_id: str
    score: float
    event_id: str
    ts: float
    reasons: tuple[str, ...]


class Figures(Struct, frozen=True, kw_only=True):
    """Everything that is shown."""

    at: float
    read: Read
    rate: Rate
    prompted: Prompted
    verdict_seconds: float | None
    close_seconds: float | None
    people: tuple[Person, ...]
    risky_people: int
    detections: tuple[Detection, ...]
    in_sessions: tuple[Detection, ...]
    places: tuple[Came, ...]
    unplaced: int
    signs: tuple[Sign, ...]
    timed: Timed
    timed_since: float
    notices: tuple[Notice, ...]
    more_notices: int


class FigureDesk:
    """Reads, reckons, and remembers for seconds."""

    def __init__(self, rows: Rows, around: Around, *, clock: Clock) -> None:
        self._rows = rows
        self._around = around
        self._clock = clock
        self._reading: asyncio.Task[Figures] | None = None
        self._known: Figures | None = None
        self._began: tuple[float, Buckets] = (clock.now(), {})
        self._seen: deque[tuple[float, Buckets]] = deque()

    async def figures(self) -> Figures:
        """What is known, read again once it is seconds old; for a page that cannot wait so long, or while the storage
        refuses, as it was: it says of when it is. The very first ones are waited for, so a process reads them before
        anybody asks. Raises: Refused, where nothing was ever read."""
        known, now = self._known, self._clock.now()
        if known is not None and 0.0 <= now - known.at < KEPT_SECONDS:
            return known
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        timeout = None if known is None else LONG_WAIT_SECONDS if self.is_old(known) else WAIT_SECONDS
        done, _ = await asyncio.wait([self._reading], timeout=timeout)
        return self._reading.result() if done or known is None else known

    def is_old(self, figures: Figures) -> bool:
        """Whether they are older than those that look often ever see."""
        return self._clock.now() - figures.at >= STALE_SECONDS

    async def _read(self) -> Figures:
        try:
            self._known = await self._fresh(self._clock.now())
        except Refused as refused:
            if self._known is None:
                raise
            log.warning("figures_not_read", reason=refused.code)
        return self._known

    async def _fresh(self, now: float) -> Figures:
        read = await self._rows.read(now)
        share = prompted(read.prompted, read.people, self._around.budget())
        late = 0.0 if read.behind_since is None else now - read.behind_since
        state = structs.replace(
            await self._around.state(),
            now=now,
            late_seconds=late,
            waiting=read.waiting,
            campaigns=read.campaigns,
            prompts=share.standing,
        )
        notices, more = attention(state)
        people = risky_people(read.risky)
        places = self._placed(read)
        timed_since, before = self._before(now)
        return Figures(
            at=now,
            read=read,
            rate=rate(read.minutes, now, width=RATE_BOX[0], height=RATE_BOX[1]),
            prompted=share,
            verdict_seconds=median(read.verdict_seconds),
            close_seconds=median(read.close_seconds),
            people=people[:MOST_PEOPLE],
            risky_people=len(people),
            detections=detections(each.reasons for each in read.risky),
            in_sessions=found_in_sessions(read.sessions),
            places=places[:MOST_LISTED],
            unplaced=read.walked - sum(each.count for each in places if each.where is not None),
            signs=signs(places),
            timed=p95(self._seen[-1][1], before),
            timed_since=timed_since,
            notices=notices,
            more_notices=more,
        )

    def _placed(self, read: Read) -> tuple[Came, ...]:
        """The commonest places, each where one of its addresses is, if that is the country that was told."""
        common = sorted(read.places, key=lambda each: (-each[0].count, each[0].country, each[0].city))[:MOST_PLACES]
        facts = self._around.networks([ip for _, ip in common])
        return tuple(
            structs.replace(came, where=_where(came, fact)) for (came, _), fact in zip(common, facts, strict=True)
        )

    def _before(self, now: float) -> tuple[float, Buckets]:
        """The newest reading that is old enough, else the first of this process; the one of now is kept."""
        self._seen.append((now, self._around.timed()))
        while len(self._seen) > 1 and now - self._seen[1][0] >= TIMED_SECONDS:
            self._seen.popleft()
        return self._seen[0] if now - self._seen[0][0] >= TIMED_SECONDS else self._began


def risky_people(risky: Sequence[RiskySignIn]) -> tuple[Person, ...]:
    """Those with a sign-in that nobody cleared, the riskiest first."""
    found: dict[str, RiskySignIn] = {}
    for each in risky:
        if each.verdict not in CLEARED and (each.user_id not in found or found[each.user_id].score < each.score):
            found[each.user_id] = each
    ranked = sorted(found.values(), key=lambda each: (-each.score, each.user_id))
    return tuple(
        Person(
            user_id=each.user_id,
            score=each.score,
            event_id=each.event_id,
            ts=each.ts,
            reasons=tuple(words_of(code) for code in each.reasons.split()[:SHOWN_REASONS]),
        )
        for each in ranked
    )


def _where(came: Came, fact: IpFacts) -> tuple[float, float] | None:
    if fact.latitude is None or fact.longitude is None or fact.country != came.country:
        return None
    return fact.latitude, fact.longitude
