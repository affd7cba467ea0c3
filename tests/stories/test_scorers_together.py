"""Two scorers on one PostgreSQL database: whichever is asked, and on whichever way, the answer is the same."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from plumbing.clock import FixedClock
from tests.integration.risk_scorer.observations import observation
from tests.integration.risk_scorer.published import LOUD
from tests.integration.risk_scorer.service import EVENT, Running, running
from tests.integration.risk_scorer.test_stream_records import Taker

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0


@pytest.fixture
def anyio_backend() -> str:
    """The event loop under a test marked `anyio`."""
    return "asyncio"


@pytest.fixture
async def pair(tmp_path: Path, postgresql_url: str) -> AsyncIterator[tuple[Running, Running]]:
    """Two scorers with places of their own, one database, and one credential."""
    async with AsyncExitStack() as stack:
        found: list[Running] = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            credential = found[0].credential if found else None
            one = running(
                tmp_path / name, clock=FixedClock(NOW), credential=credential, risk_scorer_database=postgresql_url
            )
            found.append(await stack.enter_async_context(one))
        yield found[0], found[1]


def said(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200
    found = answer.json()
    return found if isinstance(found, list) else [found]


async def ended(scorer: Running, event_id: str, outcome: str, **event: Any) -> int:
    body = {"event_id": event_id, "outcome": outcome, "ts": NOW - 60.0, "event": {**EVENT, **event}}
    answer = await scorer.client.post("/outcomes", json=body)
    assert answer.status_code == 200
    learned: int = answer.json()["learned"]
    return learned


async def heard(pair: tuple[Running, Running]) -> None:
    """What each has learned is known to the other, as it is within a second."""
    for each in pair:
        await each.scorer.profiles.hear_others()


async def test_both_answer_every_event_to_the_same_bit(pair: tuple[Running, Running]) -> None:
    """One at a time, in bulk and from the stream, at either: after each learned what the other one did not."""
    here, there = pair
    for number in range(12):
        assert await ended(pair[number % 2], f"good-{number}", "success") == 1
        await ended(pair[number // 2 % 2], f"bad-{number}", "failure", user_id=f"u{number}", ip="203.0.113.7")
        assert await ended(pair[(number + 1) % 2], f"good-{number}", "success") == 0
    await heard(pair)
    asked = [
        {**EVENT, "event_id": "usual", "timestamp": NOW},
        {**EVENT, **LOUD, "event_id": "loud", "timestamp": NOW},
        {**EVENT, "event_id": "tried", "ip": "203.0.113.7", "timestamp": NOW},
        {**EVENT, "event_id": "stranger", "user_id": "nobody", "timestamp": NOW},
    ]
    bulks = [said(await each.client.post("/bulk_score", json=asked)) for each in pair]
    assert bulks[0] == bulks[1]
    assert bulks[0][0]["explain"]["known_logins"] == 12
    singles = [[said(await each.client.post("/score", json=event))[0] for event in asked] for each in pair]
    assert singles[0] == singles[1] == bulks[0]
    streamed = await Taker(there.scorer).take(*({**each, "event_id": f"s-{each['event_id']}"} for each in asked))
    results = [each.value or b"" for each in streamed]
    assert len(results) == len(asked)
    for result, single in zip(results, singles[0], strict=True):
        score = httpx2.Response(200, content=result).json()["score"]
        assert {**score, "event_id": single["event_id"]} == single
    assert here.credential == there.credential


async def test_what_is_tried_at_one_is_known_at_the_other_once(pair: tuple[Running, Running]) -> None:
    """Failures from one address count at both, each once, whoever was told of them and however often."""
    here, there = pair
    for number in range(5):
        await ended(here, f"bad-{number}", "failure", user_id=f"u{number}", ip="203.0.113.7")
        await ended(there, f"bad-{number}", "failure", user_id=f"u{number}", ip="203.0.113.7")
    await heard(pair)
    await heard(pair)
    tried = observation(ip="203.0.113.7", timestamp=NOW - 60.0)
    [[mine], [theirs]] = [each.scorer.surroundings.around([tried]) for each in pair]
    assert (mine.network_failures, mine.network_people) == (5.0, 5.0)
    assert mine == theirs


async def test_a_verdict_given_to_one_holds_at_the_other(pair: tuple[Running, Running]) -> None:
    """What was the owner's no longer is, in the very next score of either."""
    here, there = pair
    assert await ended(here, "bad", "success", device_id="thiefs") == 1
    verdict = {"event_id": "bad", "verdict": "confirmed_compromised", "by": "soc"}
    assert (await there.client.post("/feedback", json=verdict)).status_code == 200
    [found] = here.scorer.profiles.get_many(["alice"])
    assert found is not None
    assert (found.logins, "thiefs" in found.device) == (0, False)
