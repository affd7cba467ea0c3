"""Looking at people: who is most at risk, whoever is looked for, and all that is known of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from plumbing.bodies import refuse_unsafe_text
from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.contract.campaigns import AccountRanking, AccountScored
from risk_scorer.core.console.accounts import AccountSummary, ListedAccount, LiveSession, PersonRisk
from risk_scorer.core.console.people import OpenIncident, PartOf, PersonLine, riskiest
from risk_scorer.core.console.person_history import Move, RiskPicture, moves_of, risk_picture
from risk_scorer.core.console.session_lines import SessionFilter, SessionLine, SessionPage, SessionPlace
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.incidents.incident import Incident
from risk_scorer.flows.activity.standing import PersonActivity
from risk_scorer.flows.console.ports import ActLog, Gateway
from risk_scorer.flows.console.sign_ins import SignIns

MOST_RANKED: Final = 500
"""Of each kind: sessions, incidents, sign-ins, unusual accounts."""
PAGE_PEOPLE: Final = 25
LOOK_BACK_SECONDS: Final = 7 * 86_400.0
LATEST_SIGN_INS: Final = 200
MOST_ACTS: Final = 20
MOST_MOVES_OF_RISK: Final = 50
LONGEST_ID: Final = 256
NOBODY_THERE: Final = ("", "unknown_user", "gateway_not_configured")
"""Where the gateway did answer, or never will: whom nobody knows then is nobody."""

T = TypeVar("T")


class People(Protocol):
    async def open_incidents(self) -> Sequence[OpenIncident]:
        """Of people. Raises: Refused."""
        ...

    async def of_person(self, user_id: str) -> tuple[Sequence[Incident], Sequence[PartOf]]:
        """Somebody's incidents and campaigns. Raises: Refused."""
        ...


class SessionRisks(Protocol):
    async def page(self, wanted: SessionFilter, after: SessionPlace | None, limit: int) -> SessionPage:
        """The riskiest after that place. Raises: Refused."""
        ...


class Rankings(Protocol):
    async def ranking(self, *, limit: int) -> AccountRanking:
        """The most unusual accounts. Raises: Refused."""
        ...

    async def account(self, user_id: str) -> AccountScored | None:
        """That account. Raises: Refused."""
        ...


class Standings(Protocol):
    async def person(self, user_id: str) -> PersonActivity:
        """What is known of what the person does. Raises: Refused."""
        ...


class Listed(Struct, frozen=True, kw_only=True):
    """People with what the gateway says of those whom it knows; `missing` is why it said nothing, "" if it did."""

    lines: tuple[PersonLine, ...]
    accounts: Mapping[str, ListedAccount]
    missing: str
    next: str = ""


class Person(Struct, frozen=True, kw_only=True):
    """All of one person. What the gateway would say is None where it did not answer, for the reason of `missing`."""

    user_id: str
    summary: AccountSummary | None
    risk: PersonRisk | None
    live: tuple[LiveSession, ...] | None
    missing: str
    activity: PersonActivity
    sessions: tuple[SessionLine, ...]
    unusual: AccountScored | None
    incidents: tuple[Incident, ...]
    campaigns: tuple[PartOf, ...]
    sign_ins: tuple[SignIn, ...]
    moves: tuple[Move, ...]
    picture: RiskPicture


class PeopleDesk:
    """What the pages about people ask."""

    def __init__(
        self,
        *,
        people: People,
        sessions: SessionRisks,
        rankings: Rankings,
        standings: Standings,
        sign_ins: SignIns,
        acts: ActLog,
        gateway: Gateway,
        clock: Clock,
    ) -> None:
        self._people = people
        self._sessions = sessions
        self._rankings = rankings
        self._standings = standings
        self._sign_ins = sign_ins
        self._acts = acts
        self._gateway = gateway
        self._clock = clock

    async def riskiest(self, place: int) -> Listed:
        """A page of those who are most at risk, from that one on. Raises: Refused."""
        everybody = await self._everybody()
        shown = everybody[place : place + PAGE_PEOPLE]
        following = str(place + PAGE_PEOPLE) if len(everybody) > place + PAGE_PEOPLE else ""
        accounts, missing = await self._accounts_of([line.user_id for line in shown])
        return Listed(lines=tuple(shown), accounts=accounts, missing=missing, next=following)

    async def found(self, query: str, cursor: str) -> Listed:
        """Whom the gateway finds, and whom we know by exactly that id. Raises: Refused."""
        refuse_unsafe_text(query, "query")
        known = {line.user_id: line for line in await self._everybody()}
        answer, missing = await told(self._gateway.accounts(query, cursor=cursor, limit=PAGE_PEOPLE))
        found = [] if answer is None else answer.accounts
        ids = [account.user_id for account in found]
        if query not in ids and not cursor and (query in known or await self._has_signed_in(query)):
            ids.insert(0, query)
        lines = tuple(known.get(user_id) or PersonLine(user_id=user_id) for user_id in ids)
        accounts = {account.user_id: account for account in found}
        following = "" if answer is None else answer.next or ""
        return Listed(lines=lines, accounts=accounts, missing=missing, next=following)

    async def person(self, user_id: str) -> Person:
        """Everything of one. Raises: Refused (404 `unknown_user` for somebody whom nobody knows)."""
        refuse_unsafe_text(user_id, "path.user_id")
        if len(user_id) > LONGEST_ID:
            raise unknown_user()
        (summary, missing), (risk, _), (live, _) = await asyncio.gather(
            told(self._gateway.summary(user_id)),
            told(self._gateway.risk(user_id, limit=MOST_MOVES_OF_RISK)),
            told(self._gateway.live_sessions(user_id)),
        )
        activity = await self._standings.person(user_id)
        sessions = await self._sessions.page(SessionFilter(user=user_id), None, PAGE_PEOPLE)
        incidents, campaigns = await self._people.of_person(user_id)
        page = await self._sign_ins.page(SignInFilter(user=user_id), limit=LATEST_SIGN_INS)
        unusual = await self._rankings.account(user_id)
        is_known = summary or activity.sessions or activity.events or sessions.lines or incidents or page.rows
        if not is_known and not unusual and missing in NOBODY_THERE:
            raise unknown_user()
        acts = await self._acted(user_id)
        return Person(
            user_id=user_id,
            summary=summary,
            risk=risk,
            live=None if live is None else tuple(live.sessions),
            missing=missing,
            activity=activity,
            sessions=sessions.lines,
            unusual=unusual,
            incidents=tuple(incidents),
            campaigns=tuple(campaigns),
            sign_ins=page.rows,
            moves=moves_of(risk=risk, summary=summary, incidents=incidents, campaigns=campaigns, acts=acts),
            picture=risk_picture(risk, page.rows, now=self._clock.now()),
        )

    async def _everybody(self) -> list[PersonLine]:
        since = self._clock.now() - LOOK_BACK_SECONDS
        sessions = await self._sessions.page(SessionFilter(is_open=True), None, MOST_RANKED)
        incidents = await self._people.open_incidents()
        ranking = await self._rankings.ranking(limit=MOST_RANKED)
        sign_ins: list[SignIn] = []
        for level in ("high", "medium"):
            page = await self._sign_ins.page(SignInFilter(level=level, since=since), limit=MOST_RANKED)
            sign_ins += page.rows
        return riskiest(sessions.lines, incidents, sign_ins, ranking.accounts)

    async def _accounts_of(self, user_ids: Sequence[str]) -> tuple[dict[str, ListedAccount], str]:
        if not user_ids:
            return {}, ""
        answer, missing = await told(self._gateway.accounts_of(user_ids))
        return ({} if answer is None else {each.user_id: each for each in answer.accounts}), missing

    async def _has_signed_in(self, user_id: str) -> bool:
        return bool(user_id) and bool((await self._sign_ins.page(SignInFilter(user=user_id), limit=1)).rows)

    async def _acted(self, user_id: str) -> list[Move]:
        """What people did about them at this console."""
        rows = await self._acts.page(before=None, subject=user_id, operator="", limit=MOST_ACTS)
        return [
            Move(at=row.at, who="operator", by=row.operator, what=row.action, text=f"{row.reason} ({row.result})")
            for row in rows
        ]


async def told(asked: Awaitable[T]) -> tuple[T | None, str]:
    """What the gateway answers, or the code of why it does not: a page says that in its place, and all else stands."""
    try:
        return await asked, ""
    except Refused as refused:
        return None, refused.code


def unknown_user() -> Refused:
    """Nobody has this id."""
    return Refused("unknown_user", "Nobody has this id, here or at the gateway.", status=404)
