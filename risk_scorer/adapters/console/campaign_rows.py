"""Campaigns as the console asks for them: pages with their incidents, and one with a page of its members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, bindparam, func, or_, select, text

from plumbing.database import Database
from plumbing.statements import Row, Statement, Transaction
from risk_scorer.adapters.activity.campaign_reading import OPEN, BadPlace, listed, one_campaign
from risk_scorer.adapters.activity.incident_statements import incident_of
from risk_scorer.adapters.tables import (
    account_scores,
    campaign_members,
    campaign_signals,
    incidents,
    session_risk,
)
from risk_scorer.contract.campaigns import CampaignSignal
from risk_scorer.core.campaigns.telling import incident_key
from risk_scorer.core.console.campaign import CampaignLine, CampaignPage, FoundCampaign, Member, MemberPlace
from risk_scorer.core.incidents.incident import Incident

SIGNALS_OF_LINE: Final = 4
SESSIONS_LOOKED: Final = 20
"""The newest sessions of a member that are looked at for their risk."""

_s = campaign_signals.c
SIGNALS = Statement(
    select(_s.kind, _s.value, _s.accounts)
    .where(_s.campaign_id == bindparam("of_id"))
    .order_by(_s.accounts.desc(), _s.kind, _s.value)
    .limit(bindparam("up_to"))
)
MOST_SIGNALS: Final = 100
_m = campaign_members.c
MEMBERS = Statement(
    select(_m.user_id, _m.marks, _m.first_seen, _m.last_seen, account_scores.c.score)
    .outerjoin_from(campaign_members, account_scores, account_scores.c.user_id == _m.user_id)
    .where(
        _m.campaign_id == bindparam("of_id"),
        or_(
            _m.last_seen < bindparam("at"),
            and_(_m.last_seen == bindparam("at"), _m.user_id > bindparam("after_user")),
        ),
    )
    .order_by(_m.last_seen.desc(), _m.user_id)
    .limit(bindparam("up_to"))
)
IS_MEMBER = Statement(
    select(_m.user_id).where(_m.campaign_id == bindparam("of_id"), _m.user_id == bindparam("of_user"))
)
_i = incidents.c
OPEN_INCIDENT = Statement(select(_i.body).where(_i.key == bindparam("of_key"), text("state <> 'closed'")))
LAST_INCIDENT = Statement(select(_i.body).where(_i.key == bindparam("of_key")).order_by(_i.updated_at.desc()).limit(1))
_r = session_risk.c
_newest = (
    select(_r.score)
    .where(_r.user_id == bindparam("of_user"))
    .order_by(_r.updated_at.desc())
    .limit(SESSIONS_LOOKED)
    .subquery()
)
SESSION_RISK = Statement(select(func.max(_newest.c.score)))
FROM_THE_NEWEST: Final = MemberPlace(2.0**53, "")


class CampaignRows:
    """The tables, read beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, *, state: str, after: str, limit: int) -> CampaignPage | None:
        """The last opened first; None where there is nothing to go on from. Raises: Refused."""
        try:
            return await self._database.read_in_thread(lambda tx: _page(tx, state=state, after=after, limit=limit))
        except BadPlace:
            return None

    async def one(self, campaign_id: str, *, after: MemberPlace | None, limit: int) -> FoundCampaign | None:
        """One, with so many members from that place on; None where there is none. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: _one(tx, campaign_id, after or FROM_THE_NEWEST, limit))

    async def open_ones(self) -> int:
        """How many go on. Raises: Refused."""
        row = await self._database.read_in_thread(lambda tx: tx.one(OPEN))
        return 0 if row is None else int(row[0])

    async def members_among(self, campaign_id: str, user_ids: Sequence[str]) -> list[str]:
        """Who of them is in it. Raises: Refused."""

        def job(tx: Transaction) -> list[str]:
            return [user for user in user_ids if tx.one(IS_MEMBER, of_id=campaign_id, of_user=user) is not None]

        return await self._database.read_in_thread(job)


def _page(tx: Transaction, *, state: str, after: str, limit: int) -> CampaignPage:
    found = listed(tx, state=state, limit=limit, after=after)
    lines = [
        CampaignLine(
            campaign=each,
            signals=_signals(tx, each.campaign_id, SIGNALS_OF_LINE),
            incident=_incident(tx, each.campaign_id),
        )
        for each in found.campaigns
    ]
    return CampaignPage(lines=tuple(lines), next=found.next, look=found.look)


def _one(tx: Transaction, campaign_id: str, after: MemberPlace, limit: int) -> FoundCampaign | None:
    campaign = one_campaign(tx, campaign_id)
    if campaign is None:
        return None
    rows = tx.all(MEMBERS, of_id=campaign_id, at=after.last_seen, after_user=after.user_id, up_to=limit + 1)
    members = tuple(_member(tx, row) for row in rows[:limit])
    last = members[-1] if len(rows) > limit else None
    return FoundCampaign(
        campaign=campaign,
        signals=_signals(tx, campaign_id, MOST_SIGNALS),
        incident=_incident(tx, campaign_id),
        members=members,
        next=None if last is None else MemberPlace(last.last_seen, last.user_id),
    )


def _signals(tx: Transaction, campaign_id: str, most: int) -> tuple[CampaignSignal, ...]:
    rows = tx.all(SIGNALS, of_id=campaign_id, up_to=most)
    return tuple(CampaignSignal(kind=each[0], value=each[1], accounts=each[2]) for each in rows)


def _incident(tx: Transaction, campaign_id: str) -> Incident | None:
    """The one that is not closed, else the last one."""
    key = incident_key(campaign_id)
    row = tx.one(OPEN_INCIDENT, of_key=key) or tx.one(LAST_INCIDENT, of_key=key)
    return None if row is None else incident_of(row[0])


def _member(tx: Transaction, row: Row) -> Member:
    risk = tx.one(SESSION_RISK, of_user=row[0])
    return Member(
        user_id=row[0],
        marks=tuple(each for each in row[1].split(",") if each),
        first_seen=row[2],
        last_seen=row[3],
        account_score=row[4],
        session_risk=None if risk is None else risk[0],
    )
