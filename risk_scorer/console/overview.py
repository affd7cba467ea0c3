"""Joins the overview."""

from risk_scorer.api.console.overview import Overview
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts


def views(parts: Parts) -> tuple[View, ...]:
    """The newest decisions, and their feed."""
    scorer = parts.scorer
    return Overview(
        desk=parts.desk,
        log=scorer.log,
        feed=parts.feed,
        model_version=scorer.model_version,
        public_url=scorer.settings.public_url,
        recent_max=scorer.settings.recent_max,
        has_narrator=scorer.narrator is not None,
    ).views()
