"""Joins the parts that keep and tell incidents. No rule lives here."""

from risk_scorer.adapters.activity.incident_rows import IncidentRows
from risk_scorer.assembly import ANNOUNCEMENTS, Scorer
from risk_scorer.flows.incidents import Telling


def incident_rows(scorer: Scorer) -> IncidentRows:
    """Where this scorer keeps incidents."""
    return IncidentRows(
        scorer.database,
        clock=scorer.clock,
        randomness=scorer.randomness,
        announce_to=None if scorer.settings.announce_url is None else ANNOUNCEMENTS,
        wake_delivery=scorer.delivery.wake,
    )


def telling(scorer: Scorer) -> Telling:
    """What tells of them, at the pace of the settings."""
    settings = scorer.settings
    return Telling(
        incident_rows(scorer),
        clock=scorer.clock,
        per_minute=settings.incident_announcements_per_minute,
        tenant=settings.mfa_tenant,
    )
