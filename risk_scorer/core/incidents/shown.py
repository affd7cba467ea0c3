"""Incidents as others see them: a page of them, and one with its people."""

from typing import Final

from msgspec import Struct

from risk_scorer.contract.assessment import RiskLevel
from risk_scorer.core.incidents.incident import Incident

MOST_COUNTED: Final = 10_000
"""Of each state: more than that it is so many nobody asks, and every page of the console counts those that are open."""


class Listed(Struct, frozen=True, kw_only=True):
    """A page of incidents, the last changed first; `next` goes on, as `before`."""

    incidents: list[Incident]
    next: str | None


class ShownIncident(Struct, frozen=True, kw_only=True):
    """One incident with the people whom it is about, the first thousand."""

    incident: Incident
    level: RiskLevel
    recommended_response: str
    members: list[str]
