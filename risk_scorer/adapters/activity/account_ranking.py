"""How unusual accounts are, as consoles ask for it: the ranking of the last look, and one account of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam, select

from plumbing.database import Database
from plumbing.statements import Row, Statement, Transaction
from risk_scorer.adapters.activity.campaign_reading import last_look
from risk_scorer.adapters.tables import account_scores, campaign_members, campaigns
from risk_scorer.contract.campaigns import AccountRanking, AccountScored, Measure, Membership, RankedAccount

MOST_CAMPAIGNS: Final = 50
TEXTS: Final[Mapping[str, str]] = {
    "events": "does more than others",
    "failed_share": "fails more often",
    "detected_share": "was scored as risky more often",
    "prefixes": "comes from more networks",
    "devices": "uses more devices",
    "fingerprints": "shows more TLS fingerprints",
    "user_agents": "shows more browsers",
    "regularity": "acts more evenly",
    "sharing": "shares more rare things with others at the same times",
    "history": "was acted against before, or comes with what was found to be an attacker's",
}

_s = account_scores.c
_RANKED = select(_s.user_id, _s.score, _s.z_score, _s.isolation, _s.furthest, _s.updated_at)
TOP = Statement(_RANKED.order_by(_s.score.desc(), _s.user_id).limit(bindparam("up_to")))
ONE = Statement(_RANKED.where(_s.user_id == bindparam("of_user")))
_m, _c = campaign_members.c, campaigns.c
MEMBERSHIPS = Statement(
    select(_m.campaign_id, _c.state, _m.marks)
    .join_from(campaign_members, campaigns, _c.campaign_id == _m.campaign_id)
    .where(_m.user_id == bindparam("of_user"))
    .order_by(_c.opened_at.desc(), _m.campaign_id)
    .limit(MOST_CAMPAIGNS)
)


class AccountRankingReader:
    """The table as the service asks it, on a thread that reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ranking(self, *, limit: int) -> AccountRanking:
        """The most unusual. Raises: Refused."""

        def job(tx: Transaction) -> AccountRanking:
            return AccountRanking(accounts=[_ranked(row) for row in tx.all(TOP, up_to=limit)], look=last_look(tx))

        return await self._database.read_in_thread(job)

    async def account(self, user_id: str) -> AccountScored | None:
        """That account, None where it is not among the most unusual. Raises: Refused."""

        def job(tx: Transaction) -> AccountScored | None:
            row = tx.one(ONE, of_user=user_id)
            if row is None:
                return None
            found = tx.all(MEMBERSHIPS, of_user=user_id)
            campaigns = [Membership(campaign_id=each[0], state=each[1], marks=_names(each[2])) for each in found]
            return AccountScored(account=_ranked(row), campaigns=campaigns)

        return await self._database.read_in_thread(job)


def _ranked(row: Row) -> RankedAccount:
    return RankedAccount(
        user_id=row[0],
        score=row[1],
        z_score=row[2],
        isolation=row[3],
        furthest=tuple(Measure(name=name, text=TEXTS.get(name, name)) for name in _names(row[4])),
        updated_at=row[5],
    )


def _names(joined: str) -> tuple[str, ...]:
    return tuple(each for each in joined.split(",") if each)
