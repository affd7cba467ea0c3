"""Looking at sessions: a page of them by risk, and all that is known of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from plumbing.bodies import refuse_unsafe_text
from plumbing.refusals import Refused
from risk_scorer.contract.activity import SessionScore, Signal
from risk_scorer.core.console.accounts import AccountSummary, HeardSignal
from risk_scorer.core.console.session_lines import (
    SeenEvent,
    SessionFilter,
    SessionLine,
    SessionPage,
    SessionPlace,
    session_filter_of,
    session_place_of,
)
from risk_scorer.core.console.sign_in_filter import BadFilter
from risk_scorer.core.incidents.incident import Step
from risk_scorer.flows.console.people import People, told
from risk_scorer.flows.console.ports import Gateway
from risk_scorer.flows.console.sign_ins import Shared, SignIns

PAGE_SESSIONS: Final = 50
LATEST_EVENTS: Final = 50
MOST_PLACES: Final = 3
"""Addresses and devices of one session, of each kind, for which others are looked up."""
MOST_SHARING: Final = 100
LOOK_BACK_SECONDS: Final = 30 * 86_400.0
LONGEST_ID: Final = 512


class SessionRisks(Protocol):
    async def page(self, wanted: SessionFilter, after: SessionPlace | None, limit: int) -> SessionPage:
        """The riskiest after that place. Raises: Refused."""
        ...

    async def one(self, session_id: str) -> SessionLine | None:
        """One of them. Raises: Refused."""
        ...

    async def found(self, session_id: str) -> tuple[Signal, ...]:
        """What spoke against it after its last event. Raises: Refused."""
        ...

    async def events(self, line: SessionLine, limit: int) -> Sequence[SeenEvent]:
        """Its latest events. Raises: Refused."""
        ...


class Standings(Protocol):
    def session(self, session_id: str) -> SessionScore:
        """How it stands now. Raises: Refused (404 `unknown_session`)."""
        ...


class Shares(Struct, frozen=True, kw_only=True):
    """Who else came with the same address or device, as far as was looked."""

    kind: Shared
    value: str
    people: tuple[str, ...]


class SessionDetails(Struct, frozen=True, kw_only=True):
    """All of one session. `then` is what spoke against it after its last event, before it faded; `signals` is None
    where the gateway did not answer, for the reason of `missing`."""

    line: SessionLine
    now: SessionScore
    then: tuple[Signal, ...]
    events: tuple[SeenEvent, ...]
    shares: tuple[Shares, ...]
    signals: tuple[HeardSignal, ...] | None
    is_live: bool | None
    missing: str
    answered: tuple[Step, ...]


class SessionDesk:
    """What the pages about sessions ask."""

    def __init__(
        self, *, sessions: SessionRisks, standings: Standings, people: People, sign_ins: SignIns, gateway: Gateway
    ) -> None:
        self._sessions = sessions
        self._standings = standings
        self._people = people
        self._sign_ins = sign_ins
        self._gateway = gateway

    async def asked(self, query: Mapping[str, str]) -> tuple[SessionFilter, SessionPage]:
        """What a query string asks for, and that page. Raises: Refused (422 `invalid_filter`)."""
        try:
            wanted, after = session_filter_of(query), session_place_of(query.get("after", ""))
        except BadFilter as bad:
            raise Refused("invalid_filter", bad.message, status=422, evidence={"field": f"query.{bad.field}"}) from None
        return wanted, await self._sessions.page(wanted, after, PAGE_SESSIONS)

    async def line(self, session_id: str) -> SessionLine:
        """One line. Raises: Refused (404 `unknown_session`)."""
        refuse_unsafe_text(session_id, "path.session_id")
        line = await self._sessions.one(session_id) if len(session_id) <= LONGEST_ID else None
        if line is None:
            raise Refused("unknown_session", "There is no such session, or not any more.", status=404)
        return line

    async def of(self, session_id: str) -> SessionDetails:
        """Everything of one. Raises: Refused (404 `unknown_session`)."""
        line = await self.line(session_id)
        summary, missing = await told(self._gateway.summary(line.user_id))
        events = tuple(await self._sessions.events(line, LATEST_EVENTS))
        incidents, _ = await self._people.of_person(line.user_id)
        return SessionDetails(
            line=line,
            now=self._standings.session(session_id),
            then=await self._sessions.found(session_id),
            events=events,
            shares=tuple([await self._shared(kind, value, line) for kind, value in _places(events)]),
            signals=None if summary is None else _of_session(summary, session_id),
            is_live=None if summary is None else any(each.session_id == session_id for each in summary.sessions),
            missing=missing,
            answered=tuple(
                step
                for incident in incidents
                for step in incident.timeline
                if step.what == "responded"
                and step.text.startswith((f"session {session_id} ", f"session {session_id}:"))
            ),
        )

    async def _shared(self, kind: Shared, value: str, line: SessionLine) -> Shares:
        since = max(0.0, line.updated_at - LOOK_BACK_SECONDS)
        try:
            found = await self._sign_ins.neighbours(kind, value, since, MOST_SHARING)
        except Refused as refused:
            if refused.code != "invalid_filter":
                raise
            found = []  # what was reported is no address that sign-ins are found by
        people = dict.fromkeys(row.user_id for row in found if row.user_id != line.user_id)
        return Shares(kind=kind, value=value, people=tuple(people))


def _of_session(summary: AccountSummary, session_id: str) -> tuple[HeardSignal, ...]:
    return tuple(signal for signal in summary.signals if signal.session_id == session_id)


def _places(events: Sequence[SeenEvent]) -> list[tuple[Shared, str]]:
    """The latest addresses and devices."""
    addresses = list(dict.fromkeys(event.ip for event in events if event.ip))[:MOST_PLACES]
    devices = list(dict.fromkeys(event.device_id for event in events if event.device_id))[:MOST_PLACES]
    found: list[tuple[Shared, str]] = [("address", each) for each in addresses]
    found += [("device", each) for each in devices]
    return [(kind, value) for kind, value in found if value.isprintable()]
