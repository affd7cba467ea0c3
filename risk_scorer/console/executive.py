"""Joins the weekly trends."""

from typing import Final

from risk_scorer.adapters.activity.view_store import ViewStore
from risk_scorer.adapters.activity.views import ALL
from risk_scorer.api.console.executive import ExecutivePage
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.trends import Trends

PATIENCE_SECONDS: Final = 45.0
"""For each view: no page waits for it; the end of the process may, when all that was to be written is."""


def views(parts: Parts) -> tuple[View, ...]:
    """What happened week by week."""
    scorer = parts.scorer
    store = ViewStore(scorer.database, patience_seconds=PATIENCE_SECONDS)
    trends = Trends([each.view for each in ALL.values()], store, clock=scorer.clock)
    return ExecutivePage(desk=parts.desk, trends=trends).views()
