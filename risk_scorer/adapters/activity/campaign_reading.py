"""What is told of campaigns and the last look, as consoles and commands ask for it: lists, details, one look."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from sqlalchemy import bindparam, func, select, tuple_

from plumbing.database import Database
from plumbing.statements import Row, Statement, Transaction, Value
from risk_scorer.adapters.tables import account_scores, campaign_looks, campaign_members, campaign_signals, campaigns
from risk_scorer.contract.campaigns import (
    Campaign,
    CampaignDetail,
    CampaignEvidence,
    CampaignList,
    CampaignLook,
    CampaignMember,
    CampaignSignal,
)

MOST_SHOWN: Final = 1000
"""Members of one campaign that an answer has; its count says how many there are."""
LAST: Final = (2.0**53, "")
"""After every campaign, in the order of the newest first."""
NOTHING_READABLE: Final = CampaignEvidence(marks=(), overlap=0.0)

_c = campaigns.c
_TOLD = (
    _c.campaign_id, _c.state, _c.score, _c.members, _c.revision, _c.first_seen, _c.last_seen, _c.opened_at,
    _c.updated_at, _c.closed_at, _c.evidence,
)  # fmt: skip
_PAGE = (
    select(*_TOLD)
    .where(tuple_(_c.opened_at, _c.campaign_id) < tuple_(bindparam("before_time"), bindparam("before_id")))
    .order_by(_c.opened_at.desc(), _c.campaign_id.desc())
    .limit(bindparam("up_to"))
)
PAGE, PAGE_OF_STATE = Statement(_PAGE), Statement(_PAGE.where(_c.state == bindparam("of_state")))
ONE = Statement(select(*_TOLD).where(_c.campaign_id == bindparam("of_id")))
_m = campaign_members.c
MEMBERS = Statement(
    select(_m.user_id, _m.marks, _m.first_seen, _m.last_seen, account_scores.c.score)
    .outerjoin_from(campaign_members, account_scores, account_scores.c.user_id == _m.user_id)
    .where(_m.campaign_id == bindparam("of_id"))
    .order_by(_m.last_seen.desc(), _m.user_id)
    .limit(MOST_SHOWN)
)
_s = campaign_signals.c
SIGNALS = Statement(
    select(_s.kind, _s.value, _s.accounts)
    .where(_s.campaign_id == bindparam("of_id"))
    .order_by(_s.accounts.desc(), _s.kind, _s.value)
)
_l = campaign_looks.c
LOOK = Statement(select(_l.looked_at, _l.events, _l.accounts, _l.seconds).where(_l.looks > 0))
OPEN = Statement(select(func.count()).select_from(campaigns).where(_c.state == "open"))

_evidence = msgspec.json.Decoder(CampaignEvidence)


class BadPlace(ValueError):
    """Where a list is to go on is none that a list ever gave."""


class LastLook(NamedTuple):
    """The last look as those who watch it ask: when, over how many events, how long, and how many campaigns go on."""

    looked_at: float
    events: int
    seconds: float
    open: int


class CampaignReader:
    """The tables as the service asks them, on a thread that reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, *, state: str, limit: int, after: str) -> CampaignList | None:
        """As `listed`; None where there is nothing to go on from. Raises: Refused."""
        try:
            return await self._database.read_in_thread(lambda tx: listed(tx, state=state, limit=limit, after=after))
        except BadPlace:
            return None

    async def detail(self, campaign_id: str) -> CampaignDetail | None:
        """As `detail`. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: detail(tx, campaign_id))


def listed(tx: Transaction, *, state: str, limit: int, after: str = "") -> CampaignList:
    """Campaigns in that state ("" is any), the newest first. Raises: BadPlace."""
    time, campaign_id = _place(after)
    asked: dict[str, Value] = {"before_time": time, "before_id": campaign_id, "up_to": limit + 1}
    rows = tx.all(PAGE_OF_STATE, of_state=state, **asked) if state else tx.all(PAGE, **asked)
    found = [_campaign(row) for row in rows[:limit]]
    goes_on = f"{found[-1].opened_at!r}/{found[-1].campaign_id}" if len(rows) > limit else None
    return CampaignList(campaigns=found, next=goes_on, look=last_look(tx))


def detail(tx: Transaction, campaign_id: str) -> CampaignDetail | None:
    """The campaign of that id with its signals and members, None where there is none."""
    campaign = one_campaign(tx, campaign_id)
    if campaign is None:
        return None
    signals, members = tx.all(SIGNALS, of_id=campaign_id), tx.all(MEMBERS, of_id=campaign_id)
    return CampaignDetail(
        campaign=campaign,
        signals=[CampaignSignal(kind=each[0], value=each[1], accounts=each[2]) for each in signals],
        members=[_member(each) for each in members],
    )


def one_campaign(tx: Transaction, campaign_id: str) -> Campaign | None:
    """The campaign of that id alone, None where there is none."""
    row = tx.one(ONE, of_id=campaign_id)
    return None if row is None else _campaign(row)


def last_look(tx: Transaction) -> CampaignLook | None:
    """The last look for campaigns, None where nobody ever looked."""
    row = tx.one(LOOK)
    if row is None:
        return None
    return CampaignLook(looked_at=row[0], events=row[1], accounts=row[2], seconds=row[3])


def newest_look(tx: Transaction) -> LastLook | None:
    """The last look with how many campaigns go on, None where nobody ever looked."""
    look, row = last_look(tx), tx.one(OPEN)
    if look is None or row is None:
        return None
    return LastLook(look.looked_at, look.events, look.seconds, int(row[0]))


def _place(after: str) -> tuple[float, str]:
    if not after:
        return LAST
    time, _, campaign_id = after.partition("/")
    try:
        return float(time), campaign_id
    except ValueError:
        raise BadPlace(after) from None


def _campaign(row: Row) -> Campaign:
    given = dict(zip((column.name for column in _TOLD), row, strict=True))
    try:
        evidence = _evidence.decode(given.pop("evidence"))
    except msgspec.MsgspecError:
        evidence = NOTHING_READABLE  # another version's
    return Campaign(**given, evidence=evidence)


def _member(row: Row) -> CampaignMember:
    marks = tuple(each for each in row[1].split(",") if each)
    return CampaignMember(user_id=row[0], marks=marks, first_seen=row[2], last_seen=row[3], account_score=row[4])
