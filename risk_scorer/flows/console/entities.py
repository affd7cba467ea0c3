"""Looking at an address, an ASN, a device, a fingerprint or a country: what is known of it, who came with it, and what
became of that. Every look is bounded, and says how far it went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from plumbing.clock import Clock
from risk_scorer.core.campaigns.names import network_of
from risk_scorer.core.console.campaign import ListedCampaign
from risk_scorer.core.console.entity import Entity, Kind, entity_of, guessed
from risk_scorer.core.console.entity_facts import (
    Facts,
    country_facts,
    device_facts,
    fingerprint_facts,
    network_facts,
    operator_facts,
)
from risk_scorer.core.console.entity_summary import (
    LONGEST_SPAN,
    Notable,
    Person,
    Summary,
    hours_of,
    notable,
    people_of,
    summary,
)
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import BadFilter, SignInFilter
from risk_scorer.core.console.sign_in_page import Cursor, SignInPage, cursor_of
from risk_scorer.core.facts import NO_IP_FACTS, IpFacts
from risk_scorer.core.incidents.incident import Incident
from risk_scorer.flows.console.sign_ins import SignIns, refused
from risk_scorer.flows.observe import Observer

MOST_LOOKED: Final = 1_000
"""Sign-ins of one page: of ten million each is a page of the file (`SignInRows`)."""
MOST_FURTHER: Final = 500
"""Sign-ins that a further page of people is made of, and those before it that are looked at for the same people."""
MOST_PEOPLE: Final = 20
MOST_BESIDE: Final = 50
"""People whose campaigns and incidents are looked for."""
SHOWN_SIGN_INS: Final = 10
MOST_RISKY: Final = 1_000
NOTABLE_EACH: Final = 5
DAY: Final = 86_400.0
COLUMNS: Final[dict[Kind, str]] = {
    "asn": "asn",
    "device": "device_id",
    "fingerprint": "ja4",
    "country": "country",
}
FROM_ALL_TIME: Final = Cursor(0.0, 0)


class EntityRows(Protocol):
    async def hours(self, column: str, value: str | int, *, now: float, seconds: float) -> tuple[dict[int, int], bool]:
        """How many sign-ins there were how many whole hours ago, and whether those are all. Raises: Refused."""
        ...

    async def beside(
        self, signals: Sequence[tuple[str, str]], people: Sequence[str]
    ) -> tuple[list[ListedCampaign], list[ListedCampaign], list[Incident]]:
        """Campaigns that share a signal, those of the people, and the people's incidents. Raises: Refused."""
        ...


class Known(Struct, frozen=True, kw_only=True):
    """All that a page shows. `first_seen` is None where nothing is kept, or it lies further back than was looked;
    `older` is where the list of people goes on."""

    facts: Facts
    summary: Summary
    hours: dict[int, int]
    are_hours_whole: bool
    first_seen: float | None
    latest: tuple[SignIn, ...]
    people: tuple[Person, ...]
    older: Cursor | None
    sharing: list[ListedCampaign]
    of_people: list[ListedCampaign]
    incidents: list[Incident]


class Entities:
    """What pages ask."""

    def __init__(self, *, sign_ins: SignIns, rows: EntityRows, observer: Observer, clock: Clock) -> None:
        self._sign_ins = sign_ins
        self._rows = rows
        self._observer = observer
        self._clock = clock

    def entity(self, kind: str, value: str) -> Entity:
        """The one that is meant; "" as a kind is guessed. Raises: Refused (422 `invalid_filter`)."""
        try:
            return entity_of(kind, value) if kind else guessed(value)
        except BadFilter as bad:
            raise refused(bad) from None

    async def known(self, entity: Entity) -> Known:
        """Everything of it, and the first people. Raises: Refused."""
        now = self._clock.now()
        wanted = replace(entity.wanted, since=now - LONGEST_SPAN)
        page = await self._sign_ins.page(wanted, limit=MOST_LOOKED)
        told = summary(page.rows, now=now, is_all=page.next_cursor is None)
        first = await self._sign_ins.page(entity.wanted, after=FROM_ALL_TIME, limit=1)
        people, older = _page(told.people, page.next_cursor)
        hours, are_hours_whole = await self._hours(entity, page, now)
        named = [each.user_id for each in told.people[:MOST_BESIDE]]
        sharing, of_people, incidents = await self._rows.beside(_signals(entity), named)
        return Known(
            facts=self._facts(entity, page.rows),
            summary=told,
            hours=hours,
            are_hours_whole=are_hours_whole,
            first_seen=first.rows[0].ts if first.rows else None,
            latest=page.rows[:SHOWN_SIGN_INS],
            people=people,
            older=older,
            sharing=sharing,
            of_people=of_people,
            incidents=incidents,
        )

    async def notable(self) -> dict[Kind, tuple[Notable, ...]]:
        """What the risky sign-ins of the last day have in common. Raises: Refused."""
        since = self._clock.now() - DAY
        rows: list[SignIn] = []
        for level in ("high", "medium"):
            page = await self._sign_ins.page(SignInFilter(level=level, since=since), limit=MOST_RISKY)
            rows += page.rows
        return notable(rows, most=NOTABLE_EACH)

    async def people(self, entity: Entity, before: str) -> tuple[tuple[Person, ...], Cursor | None]:
        """Who came with it before that place, and where that goes on; whoever came again soon after it stands on a
        newer page already. Raises: Refused (422 for a place that is none)."""
        try:
            place = cursor_of(before)
        except BadFilter as bad:
            raise refused(bad) from None
        page = await self._sign_ins.page(entity.wanted, place, limit=MOST_FURTHER)
        since = await self._sign_ins.page(entity.wanted, after=place, limit=MOST_FURTHER)
        again = frozenset(row.user_id for row in since.rows)
        return _page(tuple(each for each in people_of(page.rows) if each.user_id not in again), page.next_cursor)

    async def _hours(self, entity: Entity, page: SignInPage, now: float) -> tuple[dict[int, int], bool]:
        """By the index alone, or of one address by the rows: only networks are in the index."""
        if entity.kind == "address" and not entity.is_network:
            return hours_of(page.rows, now=now), page.next_cursor is None
        column = "prefix" if entity.is_network else COLUMNS[entity.kind]
        value = int(entity.value) if entity.kind == "asn" else entity.value
        return await self._rows.hours(column, value, now=now, seconds=LONGEST_SPAN)

    def _facts(self, entity: Entity, rows: Sequence[SignIn]) -> Facts:
        if entity.kind == "address":
            return network_facts(self._network(entity.value.partition("/")[0]))
        if entity.kind == "asn":
            return operator_facts(entity.value, rows, self._network(rows[0].ip) if rows else NO_IP_FACTS)
        if entity.kind == "fingerprint":
            return fingerprint_facts(entity.value, self._observer.fingerprint(entity.value))
        return device_facts(rows) if entity.kind == "device" else country_facts(rows)

    def _network(self, address: str) -> IpFacts:
        return self._observer.networks([address])[0]


def _page(people: tuple[Person, ...], rest: Cursor | None) -> tuple[tuple[Person, ...], Cursor | None]:
    if len(people) > MOST_PEOPLE:
        return people[:MOST_PEOPLE], people[MOST_PEOPLE - 1].place
    return people, rest


def _signals(entity: Entity) -> list[tuple[str, str]]:
    """What campaigns call it."""
    if entity.is_network:
        return [("prefix", entity.value)]
    if entity.kind == "address":
        host, prefix = network_of(entity.value)
        return [("address", host), ("prefix", prefix)]
    names: dict[Kind, str] = {"device": "device", "fingerprint": "ja4"}
    return [(names[entity.kind], entity.value)] if entity.kind in names else []
