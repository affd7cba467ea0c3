"""`/dashboard/figures`: what the overview says in numbers; alone, so that a page that stays open can look again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.moments import span_words
from risk_scorer.core.console.world import CELL, NORTH, SOUTH, ground, standing
from risk_scorer.flows.console.figures import RATE_BOX, FigureDesk

SIGN_INS: Final = "/dashboard/sign-ins"
WEEKS: Final = "/dashboard/executive"


class FigureViews:
    """The figures, for the overview and by themselves."""

    def __init__(
        self,
        *,
        desk: Desk,
        figures: FigureDesk,
        models: Callable[[], dict[str, Any]],
        cities: Callable[[], Iterable[tuple[float, float]]],
    ) -> None:
        self._desk = desk
        self._figures = figures
        self._models = models
        self._ground = cache(lambda: ground(cities()))

    async def values(self, *, with_ground: bool = True) -> dict[str, Any]:
        """What the template of figures takes. Raises: Refused."""
        found = await self._figures.figures()
        # Sorting out some hundred thousand places takes 0.2 s, once.
        drawn = await asyncio.to_thread(self._ground) if with_ground else ""
        return {
            "figures": found,
            "are_old": self._figures.is_old(found),
            "models": self._models(),
            "ground": drawn,
            "map_box": (NORTH, SOUTH - NORTH, CELL),
            "rate_box": RATE_BOX,
            "span_words": span_words,
            "standing": standing,
            "link": address,
            "path_part": path_part,
            "sign_ins": SIGN_INS,
            "weeks": WEEKS,
        }

    async def read_early(self) -> None:
        """Have everything that the first page of a process would else wait for. Raises: Refused."""
        await self.values()

    async def page(self, request: Request) -> Response:
        """The figures alone. Raises: Refused."""
        is_fragment = request.query_params.get("fragment") == "1"
        values = await self.values(with_ground=not is_fragment)
        return await self._desk.page("console/figures_page.html", request, **values)

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (View(name="figures", path="/dashboard/figures", title="Figures", endpoint=self.page),)
