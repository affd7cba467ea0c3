"""Joins the overview."""

from risk_scorer.adapters.console.figure_rows import FigureRows
from risk_scorer.api.console.figures import FigureViews
from risk_scorer.api.console.overview import Overview
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.console.running import RunningScorer
from risk_scorer.flows.console.figures import FigureDesk


def views(parts: Parts) -> tuple[View, ...]:
    """The figures, the newest decisions, and their feed."""
    scorer, running = parts.scorer, RunningScorer(parts)
    figures = FigureViews(
        desk=parts.desk,
        figures=FigureDesk(FigureRows(scorer.database), running, clock=scorer.clock),
        models=running.models,
        cities=running.cities,
    )
    overview = Overview(
        desk=parts.desk,
        figures=figures,
        log=scorer.log,
        feed=parts.feed,
        model_version=scorer.model_version,
        public_url=scorer.settings.public_url,
        recent_max=scorer.settings.recent_max,
        has_narrator=scorer.narrator is not None,
    )
    return (*overview.views(), *figures.views())
