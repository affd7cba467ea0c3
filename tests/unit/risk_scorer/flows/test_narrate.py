"""How narratives are kept."""

import pytest

from risk_scorer.contract.narrative import Narrative, NarrativeFacts, NarrativeProblem
from risk_scorer.flows.narrate import MOST_KEPT, Narrate
from risk_scorer.flows.ports import ScoredEvent
from tests.integration.risk_scorer.observations import scored

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Counting:
    """A narrator that says how often it was asked, and events that are what they are."""

    def __init__(self) -> None:
        self.asked = 0

    async def narrative(self, facts: NarrativeFacts) -> Narrative | NarrativeProblem:
        self.asked += 1
        return Narrative(
            signals=str(self.asked), why_unusual="w", attack_likelihood="unknown", recommended_response="r"
        )

    async def find(self, event_id: str) -> ScoredEvent | None:
        return scored(event_id=event_id)


async def test_the_newest_five_hundred_are_kept() -> None:
    """One more pushes out the one that was told or told again longest ago, and no other."""
    model = Counting()
    narrate = Narrate(narrator=model, events=model, deadline_seconds=1.0)
    for number in range(MOST_KEPT):
        await narrate.tell(scored(event_id=f"evt-{number}"))
    await narrate.tell(scored(event_id="evt-0"))
    assert model.asked == MOST_KEPT
    await narrate.tell(scored(event_id="evt-new"))
    await narrate.tell(scored(event_id="evt-0"))
    assert model.asked == MOST_KEPT + 1
    await narrate.tell(scored(event_id="evt-1"))
    assert model.asked == MOST_KEPT + 2
