"""What the scorer holds of people, for the console: their incidents and campaigns, and who is most at risk."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, text

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.activity.incident_statements import incident_of
from risk_scorer.adapters.tables import campaign_members, campaigns, incident_members, incidents
from risk_scorer.core.console.people import OpenIncident, PartOf
from risk_scorer.core.incidents.incident import Incident

MOST_INCIDENTS: Final = 20
MOST_CAMPAIGNS: Final = 20
MOST_OPEN: Final = 500
"""Open incidents of people that are looked at for a list, those of the highest score."""

_i, _of, _m, _c = incidents.c, incident_members.c, campaign_members.c, campaigns.c
OF_PERSON = Statement(
    select(_i.body)
    .join_from(incident_members, incidents, _i.incident_id == _of.incident_id)
    .where(_of.user_id == bindparam("of_user"))
    .order_by(_i.updated_at.desc(), _i.incident_id)
    .limit(MOST_INCIDENTS)
)
OPEN = Statement(
    select(_i.key, _i.incident_id, _i.score, _i.updated_at)
    .where(text("state <> 'closed'"), _i.key.startswith("user:"))
    .order_by(_i.score.desc(), _i.incident_id)
    .limit(MOST_OPEN)
)
CAMPAIGNS = Statement(
    select(_m.campaign_id, _c.state, _c.score, _m.marks, _m.first_seen, _m.last_seen)
    .join_from(campaign_members, campaigns, _c.campaign_id == _m.campaign_id)
    .where(_m.user_id == bindparam("of_user"))
    .order_by(_m.last_seen.desc(), _m.campaign_id)
    .limit(MOST_CAMPAIGNS)
)


class PersonRows:
    """Reads them, beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_incidents(self) -> list[OpenIncident]:
        """Of people, those of the highest score first. Raises: Refused."""
        rows = await self._database.read_in_thread(lambda tx: tx.all(OPEN))
        return [
            OpenIncident(user_id=row[0].removeprefix("user:"), incident_id=row[1], score=row[2], updated_at=row[3])
            for row in rows
        ]

    async def of_person(self, user_id: str) -> tuple[list[Incident], list[PartOf]]:
        """The incidents that somebody is in, and the campaigns they were ever in, the latest first. Raises: Refused."""

        def job(tx: Transaction) -> tuple[list[Incident], list[PartOf]]:
            parts = [
                PartOf(
                    campaign_id=row[0],
                    state=row[1],
                    score=row[2],
                    marks=tuple(each for each in row[3].split(",") if each),
                    first_seen=row[4],
                    last_seen=row[5],
                )
                for row in tx.all(CAMPAIGNS, of_user=user_id)
            ]
            return [incident_of(row[0]) for row in tx.all(OF_PERSON, of_user=user_id)], parts

        return await self._database.read_in_thread(job)
