"""Joins the switches of a session."""

from risk_scorer.api.console.session import SessionForms
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts


def views(parts: Parts) -> tuple[View, ...]:
    """Veil and theme."""
    operators = parts.scorer.operators
    return SessionForms(desk=parts.desk, consoles=operators, cookie_scope=parts.cookie_scope).views()
