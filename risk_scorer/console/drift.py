"""Joins the page about drift."""

from risk_scorer.api.console.drift import DriftPage
from risk_scorer.api.console.views import View
from risk_scorer.api.drift import DriftRoutes
from risk_scorer.console.parts import Parts
from risk_scorer.drifting import drift_rows


def views(parts: Parts) -> tuple[View, ...]:
    """Does the model still fit?"""
    scorer = parts.scorer
    latest = drift_rows(scorer).latest
    routes = DriftRoutes(access=parts.access, latest=latest, model_version=scorer.model_version)
    return DriftPage(desk=parts.desk, drift=routes, model_version=scorer.model_version).views()
