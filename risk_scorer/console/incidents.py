"""Joins the queue of incidents."""

from risk_scorer.api.console.incidents import IncidentViews
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.flows.incidents import Incidents
from risk_scorer.incident_desk import incident_rows


def views(parts: Parts) -> tuple[View, ...]:
    """What a security team works on."""
    return IncidentViews(desk=parts.desk, incidents=Incidents(incident_rows(parts.scorer))).views()
