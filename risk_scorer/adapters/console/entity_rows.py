"""What stands beside the sign-ins of an address, an ASN, a device, a fingerprint or a country: how many there were in
each hour, and the campaigns and incidents that it, or who came with it, is in. Each within bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
from sqlalchemy import Float, bindparam, cast, func, select

from plumbing.database import Database, Transaction
from plumbing.expressions import texts_of, whole_part
from plumbing.statements import Statement
from risk_scorer.adapters.activity.incident_statements import incident_of
from risk_scorer.adapters.tables import (
    campaign_members,
    campaign_signals,
    campaigns,
    incident_members,
    incidents,
    sign_ins,
)
from risk_scorer.core.console.campaign import ListedCampaign
from risk_scorer.core.console.entity_summary import HOUR
from risk_scorer.core.incidents.incident import Incident

MOST_COUNTED: Final = 20_000
"""Sign-ins of one value that are counted, the newest: they lie beside each other in the index."""
NEWEST_CAMPAIGNS: Final = 1_000
"""Campaigns that are looked through for one that shares a value: a step in the index for each."""
MOST_TOLD: Final = 20

_row = sign_ins.c
_c, _s, _m = campaigns.c, campaign_signals.c, campaign_members.c
_LISTED = (_c.campaign_id, _c.state, _c.score, _c.members, _c.first_seen, _c.last_seen, _c.opened_at)
_newest = select(*_LISTED).order_by(_c.opened_at.desc(), _c.campaign_id.desc()).limit(NEWEST_CAMPAIGNS).subquery()
SHARING = Statement(
    select(_newest)
    .join(
        campaign_signals,
        (_s.campaign_id == _newest.c.campaign_id) & (_s.kind == bindparam("kind")) & (_s.value == bindparam("value")),
    )
    .order_by(_newest.c.opened_at.desc(), _newest.c.campaign_id.desc())
    .limit(MOST_TOLD)
)
OF_PEOPLE = Statement(
    select(*_LISTED)
    .where(
        _c.campaign_id.in_(select(_m.campaign_id).where(_m.user_id.in_(texts_of(bindparam("people")).order_by(None))))
    )
    .order_by(_c.opened_at.desc(), _c.campaign_id.desc())
    .limit(MOST_TOLD)
)
_i, _im = incidents.c, incident_members.c
INCIDENTS = Statement(
    select(_i.body)
    .where(
        _i.incident_id.in_(select(_im.incident_id).where(_im.user_id.in_(texts_of(bindparam("people")).order_by(None))))
    )
    .order_by(_i.updated_at.desc())
    .limit(MOST_TOLD)
)


class EntityRows:
    """Reads them, beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hours(self, column: str, value: str | int, *, now: float, seconds: float) -> tuple[dict[int, int], bool]:
        """How many sign-ins there were how many whole hours ago, and whether those are all. Raises: Refused."""
        statement = hours_statement(column)
        rows = await self._database.read_in_thread(
            lambda tx: tx.all(statement, value=value, now=now, since=now - seconds)
        )
        found = {int(row[0]): int(row[1]) for row in rows}
        return found, sum(found.values()) < MOST_COUNTED

    async def beside(
        self, signals: Sequence[tuple[str, str]], people: Sequence[str]
    ) -> tuple[list[ListedCampaign], list[ListedCampaign], list[Incident]]:
        """Campaigns that share one of the signals, those that the people are in, and the people's incidents.

        Raises: Refused.
        """
        named = msgspec.json.encode(list(people)).decode()

        def job(tx: Transaction) -> tuple[list[ListedCampaign], list[ListedCampaign], list[Incident]]:
            sharing = {
                row[0]: ListedCampaign(*row)
                for kind, value in signals
                for row in tx.all(SHARING, kind=kind, value=value)
            }
            of_people = tx.all(OF_PEOPLE, people=named) if people else []
            told = tx.all(INCIDENTS, people=named) if people else []
            others = [ListedCampaign(*row) for row in of_people if row[0] not in sharing]
            return list(sharing.values()), others, [incident_of(row[0]) for row in told]

        return await self._database.read_in_thread(job)


@lru_cache(maxsize=8)
def hours_statement(column: str) -> Statement:
    """Rows along the index of that column alone, by whole hours before `now`."""
    walked = (
        select(_row.ts)
        .where(sign_ins.c[column] == bindparam("value"), _row.ts >= bindparam("since"), _row.ts <= bindparam("now"))
        .order_by(_row.ts.desc())
        .limit(MOST_COUNTED)
        .subquery()
    )
    hour = whole_part(cast((bindparam("now") - walked.c.ts) / HOUR, Float))
    return Statement(select(hour.label("hour"), func.count()).group_by("hour"))
