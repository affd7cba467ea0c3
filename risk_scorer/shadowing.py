"""Joins the parts of a shadow: which model, what scores, where it is kept. No rule lives here."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from plumbing.database import Database
from risk_scorer.adapters.model_store import ModelSource
from risk_scorer.adapters.published_folder import PublishedFolder
from risk_scorer.adapters.registry_places import place_at
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.adapters.seen_pointers import SeenPointers
from risk_scorer.adapters.shadow_log import ShadowLog
from risk_scorer.adapters.shadow_model import NoSource, ShadowModel
from risk_scorer.contract.shadow import ShadowState
from risk_scorer.core.registry import SHADOW
from risk_scorer.flows.shadow import Shadow
from risk_scorer.metrics import ScorerMetrics
from risk_scorer.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Shadowing:
    """The parts of a shadow; they are there and idle where no model shadows."""

    model: ShadowModel
    log: ShadowLog
    shadow: Shadow

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What every process that scores does for ever."""
        return [self.model.watch(), self.shadow.run()]

    @property
    def version(self) -> str | None:
        """The version that shadows now."""
        model = self.shadow.model()
        return None if model is None else model.version

    @property
    def problem(self) -> str | None:
        """Why the model that should shadow does not; None when it does, or none should."""
        return self.model.problem or self.shadow.problem

    @property
    def dropped(self) -> int:
        """Logins that found no place in the queue or on the disk."""
        return self.shadow.counts["dropped"] + self.log.dropped

    def state(self, active: str | None) -> ShadowState:
        """How the shadow stands beside that version."""
        counts = self.shadow.counts
        return ShadowState(
            active=active,
            shadow=self.version,
            problem=self.problem,
            waiting=self.shadow.waiting,
            scored=counts["scored"],
            dropped=self.dropped,
            failed=counts["failed"],
        )


def shadowing_of(settings: Settings, database: Database, metrics: ScorerMetrics) -> Shadowing:
    """The parts, as the settings say. Raises: BadPlace."""
    model = ShadowModel(_source(settings), report_only=settings.report_only_rules)
    log = ShadowLog(database)
    return Shadowing(model=model, log=log, shadow=Shadow(models=model, log=log, told=metrics.shadowed))


def _source(settings: Settings) -> ModelSource:
    keys = settings.public_key_sources
    if settings.model_shadow_dir is not None:
        return PublishedFolder(settings.model_shadow_dir, keys)
    if not settings.model_registry:
        return NoSource()
    return RegistrySource(
        place_at(settings.model_registry),
        keys,
        address=settings.model_registry,
        seen=SeenPointers(settings.risk_scorer_state / "seen-pointers.json"),
        pointer=SHADOW,
    )
