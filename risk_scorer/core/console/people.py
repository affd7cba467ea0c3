"""People by what speaks against them, each part by itself: sessions, incidents, sign-ins, and how unusual they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, structs

from risk_scorer.contract.assessment import RiskLevel, risk_level
from risk_scorer.contract.campaigns import RankedAccount
from risk_scorer.core.console.session_lines import SessionLine
from risk_scorer.core.console.sign_in import SignIn

UNUSUAL_COUNTS: Final = 0.5
"""Unusual is not guilty: by itself it takes nobody above half."""
SAFE: Final = frozenset({"confirmed_safe", "dismissed"})


class OpenIncident(Struct, frozen=True, kw_only=True):
    """An incident of a person that is not closed."""

    user_id: str
    incident_id: str
    score: float
    updated_at: float


class PartOf(Struct, frozen=True, kw_only=True):
    """A campaign that somebody is or was in, and what speaks against them there."""

    campaign_id: str
    state: str
    score: float
    marks: tuple[str, ...]
    first_seen: float
    last_seen: float


class PersonLine(Struct, frozen=True, kw_only=True):
    """A person: the highest of each kind and where it stands; 0 and "" where there is nothing."""

    user_id: str
    session: float = 0.0
    session_id: str = ""
    incident: float = 0.0
    incident_id: str = ""
    sign_in: float = 0.0
    event_id: str = ""
    unusual: float = 0.0
    latest_at: float = 0.0

    @property
    def risk(self) -> float:
        """By which people are put in order."""
        return max(self.session, self.incident, self.sign_in, UNUSUAL_COUNTS * self.unusual)

    @property
    def level(self) -> RiskLevel:
        return risk_level(self.risk)


def riskiest(
    sessions: Iterable[SessionLine],
    incidents: Iterable[OpenIncident],
    sign_ins: Iterable[SignIn],
    unusual: Iterable[RankedAccount],
) -> list[PersonLine]:
    """The people of all of these, the riskiest first; without ended sessions and sign-ins that were found harmless."""
    found: dict[str, PersonLine] = {}

    def take(user_id: str, at: float, **seen: object) -> None:
        line = found.get(user_id) or PersonLine(user_id=user_id)
        found[user_id] = structs.replace(line, latest_at=max(line.latest_at, at), **seen)

    for session in sessions:
        if session.ended_at is None and session.score > _of(found, session.user_id).session:
            take(session.user_id, session.updated_at, session=session.score, session_id=session.session_id)
    for incident in incidents:
        if incident.score > _of(found, incident.user_id).incident:
            take(incident.user_id, incident.updated_at, incident=incident.score, incident_id=incident.incident_id)
    for row in sign_ins:
        if row.verdict not in SAFE and row.score > _of(found, row.user_id).sign_in:
            take(row.user_id, row.ts, sign_in=row.score, event_id=row.event_id)
    for account in unusual:
        take(account.user_id, account.updated_at, unusual=account.score)
    return sorted(found.values(), key=lambda line: (-line.risk, line.user_id))


def _of(found: dict[str, PersonLine], user_id: str) -> PersonLine:
    return found.get(user_id) or PersonLine(user_id=user_id)
