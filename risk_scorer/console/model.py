"""Joins the page of the model."""

from risk_scorer.adapters.console.model_book import FolderBook, RegistryBook
from risk_scorer.adapters.registry_places import place_at
from risk_scorer.api.console.model import ModelViews
from risk_scorer.api.console.views import View
from risk_scorer.api.drift import DriftRoutes
from risk_scorer.console.parts import Parts
from risk_scorer.core.console.model_versions import RefusedModel
from risk_scorer.drifting import drift_rows
from risk_scorer.flows.console.models import ModelBook, Models


def views(parts: Parts) -> tuple[View, ...]:
    """Which model decides, and the others."""
    scorer, settings = parts.scorer, parts.scorer.settings
    drift = DriftRoutes(access=parts.access, latest=drift_rows(scorer).latest, model_version=scorer.model_version)
    book: ModelBook = FolderBook(settings.model_dir, scorer.models.current)
    if settings.model_registry:
        book = RegistryBook(place_at(settings.model_registry), settings.public_key_sources)
    models = Models(
        book,
        shadow=lambda: scorer.shadowing.state(scorer.model_version()),
        kept=scorer.shadowing.log,
        drift=drift.found,
        clock=scorer.clock,
    )

    def refusal() -> RefusedModel | None:
        found = scorer.models.refusal
        return None if found is None else RefusedModel(code=found.code, version=found.version, detail=found.detail)

    return ModelViews(
        desk=parts.desk,
        models=models,
        model=scorer.models.current,
        refusal=refusal,
        registry=settings.model_registry,
        model_dir=str(settings.model_dir),
    ).views()
