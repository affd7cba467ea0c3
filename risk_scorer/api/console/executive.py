"""`/dashboard/executive`: attacks, prompts, false alarms, remediation and accounts week by week, each with its view."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console import trends as drawn
from risk_scorer.core.console.addresses import address
from risk_scorer.core.console.trends import CHARTS, CHOICES, MOST_WEEKS, trend
from risk_scorer.flows.console.trends import Counted, Trends

PATH: Final = "/dashboard/executive"
NAMED: Final = "/dashboard/views"
USUAL_WEEKS: Final = 12


class ExecutivePage:
    """Weekly trends, for a screen and for paper."""

    def __init__(self, *, desk: Desk, trends: Trends) -> None:
        self._desk = desk
        self._trends = trends

    async def page(self, request: Request) -> Response:
        """The charts of so many weeks. Raises: Refused (422 `invalid_weeks`)."""
        weeks = _weeks(request.query_params.get("weeks") or str(USUAL_WEEKS))
        counted = await self._trends.of(weeks)
        return await self._desk.page(
            "console/executive.html",
            request,
            weeks=weeks,
            choices=CHOICES,
            path=PATH,
            counted=counted,
            charts=[] if counted is None else [(trend(each, counted.rows[each.view], counted.weeks),
                                                address(f"{NAMED}/{each.view}", **counted.queries[each.view]))
                                               for each in CHARTS if each.view in counted.rows],
            problems={} if counted is None else _problems(counted),
            box=(drawn.WIDTH, drawn.HEIGHT, drawn.LEFT, drawn.BOTTOM),
        )  # fmt: skip

    def views(self) -> tuple[View, ...]:
        """Where it is."""
        return (View(name="executive", path=PATH, title="Executive", endpoint=self.page, in_menu=True),)


def _problems(counted: Counted) -> dict[str, tuple[str, str]]:
    """By the title of each figure that is not there: why, and the page of its view."""
    return {
        each.title: (counted.problems[each.view], address(f"{NAMED}/{each.view}", **counted.queries[each.view]))
        for each in CHARTS
        if each.view in counted.problems
    }


def _weeks(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= MOST_WEEKS):
        raise Refused("invalid_weeks", f"weeks is a whole number from 1 to {MOST_WEEKS}.", status=422)
    return int(text)
