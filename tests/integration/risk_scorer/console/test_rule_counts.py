"""What rules did, asked of the gateway beside the pages."""

import asyncio
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from risk_scorer.core.console.policy import Answers, Counts, Span
from risk_scorer.flows.console.rule_counts import CountedRules

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0
SPAN = Span(since=NOW, is_whole=True, decisions=Answers(allow=1), rules=[], gone=[], built_in=[])
COUNTS = Counts(day=SPAN, week=SPAN)


class Gateway:
    """Counts when it may, or refuses."""

    def __init__(self) -> None:
        self.may, self.asked, self.is_away = asyncio.Event(), 0, False

    async def ask(self, *_: Any, **__: Any) -> Counts:
        self.asked += 1
        await self.may.wait()
        if self.is_away:
            raise Refused("gateway_unavailable", "", status=503)
        return COUNTS


async def test_a_page_does_not_wait_until_all_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has nothing at first, then the last counts with their age; who looks meanwhile does not count again."""
    monkeypatch.setattr("risk_scorer.flows.console.rule_counts.WAIT_SECONDS", 0.01)
    gateway, clock = Gateway(), FixedClock(NOW)
    rules = CountedRules(gateway, clock=clock)  # type: ignore[arg-type]
    assert await asyncio.gather(rules.of_late(), rules.of_late()) == [None, None]
    assert gateway.asked == 1
    gateway.may.set()
    monkeypatch.setattr("risk_scorer.flows.console.rule_counts.WAIT_SECONDS", 20.0)
    first = await rules.of_late()
    assert first is not None
    assert (first.counts, first.at) == (COUNTS, NOW)
    gateway.may.clear()
    clock.advance(60.0)
    monkeypatch.setattr("risk_scorer.flows.console.rule_counts.WAIT_SECONDS", 0.01)
    assert await rules.of_late() is first
    gateway.may.set()


async def test_what_the_gateway_refuses_is_said() -> None:
    """As of everything else that it is asked."""
    gateway = Gateway()
    gateway.is_away = True
    gateway.may.set()
    with pytest.raises(Refused):
        await CountedRules(gateway, clock=FixedClock(NOW)).of_late()  # type: ignore[arg-type]
