"""`/dashboard/model`: which model decides, every version of it, how each did, and how another one is let decide."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.api.drift_words import told
from risk_scorer.core.console import model_pictures as pictures
from risk_scorer.core.console.addresses import path_part
from risk_scorer.core.console.model_versions import RefusedModel, VersionReport
from risk_scorer.core.model import Model
from risk_scorer.flows.console.models import LEVELS, Models

PATH: Final = "/dashboard/model"
MOST_VERSIONS: Final = 50
_VERSION: Final = re.compile(r"[0-9a-f]{12}")


class ModelViews:
    """Reads alone: the private key that a promotion is signed with is nowhere near a scorer."""

    def __init__(
        self,
        *,
        desk: Desk,
        models: Models,
        model: Callable[[], Model | None],
        refusal: Callable[[], RefusedModel | None],
        registry: str,
        model_dir: str,
    ) -> None:
        self._desk = desk
        self._models = models
        self._model = model
        self._refusal = refusal
        self._registry = registry
        self._model_dir = model_dir

    async def page(self, request: Request) -> Response:
        """The model in use, its drift, its shadow, and every version. Raises: Refused."""
        shelf, problem = await self._models.shelf()
        drift = await self._models.drift()
        return await self._desk.page(
            "console/model.html",
            request,
            model=self._model(),
            refusal=self._refusal(),
            versions=shelf.versions[:MOST_VERSIONS],
            more=max(0, len(shelf.versions) - MOST_VERSIONS),
            previous=shelf.previous,
            problem=problem,
            is_registry=self._models.is_registry,
            registry=self._registry,
            model_dir=self._model_dir,
            drift=None if drift is None else told(drift),
            beside=await self._models.beside(),
            levels=LEVELS,
            command=self._command,
            quote=path_part,
        )

    async def one(self, request: Request) -> Response:
        """The report of one version. Raises: Refused."""
        version = str(request.path_params["version"])
        found = await self._models.report(version if _VERSION.fullmatch(version) else "")
        return await self._desk.page(
            "console/model_version.html",
            request,
            found=found,
            row=found.row,
            card=found.card,
            is_registry=self._models.is_registry,
            command=self._command,
            drawn=drawn(found),
            pictures=pictures,
        )

    def _command(self, *words: str) -> str:
        """What to type on the machine that has the key; a reason is left for whoever types it."""
        return shlex.join(["risk-training", *words, "--registry", self._registry]) + ' --reason "…"'

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            View(name="model", path=PATH, title="Model", endpoint=self.page, in_menu=True),
            View(name="model-version", path=f"{PATH}/{{version}}", title="One version", endpoint=self.one),
        )


def drawn(found: VersionReport) -> dict[str, Any]:
    """The pictures of its evaluation; nothing where none is kept."""
    evaluation = found.evaluation
    if evaluation is None:
        return {}
    return {
        "roc": pictures.roc_lines(evaluation.curves),
        "precision": pictures.precision_lines(evaluation.curves),
        "reliability": pictures.reliability_dots(evaluation.reliability),
    }
