"""How long a page waits for the overview's figures: a process's first ones, and new ones once they are seconds old.

Places come without the address tables, which are a look-up in memory for each of two hundred.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from benchmarks.console_times import BESIDE, Took, took
from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.figure_rows import FigureRows
from risk_scorer.core.console.attention import State
from risk_scorer.core.facts import IpFacts
from risk_scorer.flows.console.figures import KEPT_SECONDS, FigureDesk

SPANS: Final = {"": 0.0, ", over eight times as many": 7 * 86_400.0}
"""How much earlier the day begins, in seconds: a longer span stands for a busier day."""
BREATH_SECONDS: Final = 0.01


class Quiet:
    """A process of which there is nothing to say."""

    def budget(self) -> float:
        return 0.02

    def timed(self) -> dict[float, float]:
        return {}

    def networks(self, addresses: Sequence[str]) -> list[IpFacts]:
        return [IpFacts() for _ in addresses]

    async def state(self) -> State:
        return State(
            now=0.0, has_model=True, late_seconds=0.0, waiting=None, campaigns=0, is_gateway_away=False,
            prompts="unknown", drifted=0, deliveries_fail=False, tables_age_days=1.0, tables_most_days=180.0,
        )  # fmt: skip


async def figure_times(database: Database, *, now: float, times: int) -> dict[str, list[Took]]:
    """Of each time. A process reads its first ones before anybody asks."""
    found = dict[str, list[Took]]()
    for words, back in SPANS.items():
        first, again = (
            f"{BESIDE}overview's figures, a process's first{words}",
            f"overview's figures, seconds old{words}",
        )
        found[first], found[again] = [], []
        for _ in range(times):
            clock = FixedClock(now - back)
            desk = FigureDesk(FigureRows(database), Quiet(), clock=clock)
            found[first].append(await took(desk.figures))
            clock.advance(KEPT_SECONDS)
            found[again].append(await took(desk.figures))
            # In life seconds pass before anybody asks again; there is nothing here that would tell.
            while (await desk.figures()).at < clock.now():  # noqa: ASYNC110
                await asyncio.sleep(BREATH_SECONDS)
    return found
