"""Joins the pages of the named views."""

from risk_scorer.adapters.activity.views import ALL
from risk_scorer.api.console.named_views import NamedViews
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts


def views(parts: Parts) -> tuple[View, ...]:
    """What each is asked with, what it answers, and its text for the database in use."""
    dialect = "postgresql" if parts.scorer.settings.is_shared else "sqlite"
    return NamedViews(desk=parts.desk, named=parts.abuse, sql=lambda name: ALL[name].readable_sql(dialect)).views()
