"""Joins the overview."""

from risk_scorer.adapters.console.figure_rows import FigureRows
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.api.console.figures import FigureViews
from risk_scorer.api.console.newest import Newest
from risk_scorer.api.console.overview import Overview
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.console.running import RunningScorer
from risk_scorer.flows.console.figures import FigureDesk
from risk_scorer.flows.console.sign_ins import SignIns


def views(parts: Parts) -> tuple[View, ...]:
    """The figures, the newest decisions, and their feed."""
    scorer, running = parts.scorer, RunningScorer(parts)
    figures = FigureViews(
        desk=parts.desk,
        figures=FigureDesk(FigureRows(scorer.database), running, clock=scorer.clock),
        models=running.models,
        cities=running.cities,
    )
    parts.early.append(figures.read_early)
    sign_ins = SignIns(SignInRows(scorer.database), clock=scorer.clock)
    newest = Newest(desk=parts.desk, sign_ins=sign_ins, log=scorer.log, feed=parts.feed)
    overview = Overview(
        desk=parts.desk,
        figures=figures,
        newest=newest,
        model_version=scorer.model_version,
        public_url=scorer.settings.public_url,
        has_narrator=scorer.narrator is not None,
    )
    return (*overview.views(), *newest.views(), *figures.views())
