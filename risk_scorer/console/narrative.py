"""Joins the page of one login in a language model's words."""

from risk_scorer.api.console.narrative import NarrativePage
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts


def views(parts: Parts) -> tuple[View, ...]:
    """One login explained."""
    return NarrativePage(desk=parts.desk, narrate=parts.narrate).views()
