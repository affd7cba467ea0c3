"""Scoring what arrives together: everybody gets their own answer, and nobody waits for company."""

import asyncio

import pytest

from risk_scorer.contract.assessment import RiskScore
from risk_scorer.core.observation import Observation
from risk_scorer.flows.together import MOST_TOGETHER, Together
from tests.integration.risk_scorer.observations import observation, scored

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Scoring:
    """Scores with the event id of the person, and remembers how large each batch was."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, observations: list[Observation]) -> list[RiskScore]:
        self.batches.append(len(observations))
        return [scored(event_id=seen.user_id).score for seen in observations]


async def test_those_who_come_together_are_scored_together_and_keep_their_order() -> None:
    """One batch, each caller with the answer to their own login."""
    scoring = Scoring()
    together = Together(scoring)
    users = [f"u{number}" for number in range(10)]
    answers = await asyncio.gather(*(together.score(observation(user_id=user)) for user in users))
    assert [answer.event_id for answer in answers] == users
    assert scoring.batches == [10]


async def test_one_alone_is_scored_at_once() -> None:
    """Without company there is no waiting: the next round of the loop scores."""
    scoring = Scoring()
    together = Together(scoring)
    for user in ("a", "b"):
        async with asyncio.timeout(1):
            assert (await together.score(observation(user_id=user))).event_id == user
    assert scoring.batches == [1, 1]


async def test_a_crowd_is_scored_in_bounded_batches() -> None:
    """More than fit into one batch go into the following rounds, and all are answered."""
    scoring = Scoring()
    together = Together(scoring)
    crowd = [together.score(observation(user_id=f"u{number}")) for number in range(2 * MOST_TOGETHER + 1)]
    answers = await asyncio.gather(*crowd)
    assert [answer.event_id for answer in answers] == [f"u{number}" for number in range(2 * MOST_TOGETHER + 1)]
    assert scoring.batches == [MOST_TOGETHER, MOST_TOGETHER, 1]


async def test_a_failure_reaches_everybody_in_the_batch_and_nobody_after_it() -> None:
    """What cannot be scored is an error for those who asked, and the next batch is a new one."""
    scoring, broken = Scoring(), [True]

    def sometimes(observations: list[Observation]) -> list[RiskScore]:
        if broken.pop():
            raise ZeroDivisionError
        return scoring(observations)

    together = Together(sometimes)
    results = await asyncio.gather(*(together.score(observation()) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [ZeroDivisionError] * 3
    broken.append(False)
    assert (await together.score(observation(user_id="later"))).event_id == "later"


async def test_a_caller_who_leaves_spoils_nothing_for_the_others() -> None:
    """A connection that ends while its login is being scored takes only its own answer with it."""
    together = Together(Scoring())
    leaving = asyncio.create_task(together.score(observation(user_id="leaving")))
    staying = asyncio.create_task(together.score(observation(user_id="staying")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).event_id == "staying"
    assert leaving.cancelled()
