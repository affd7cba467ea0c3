"""A gateway whose durations are real while its time of day stands still, and the medians of what it is asked."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.app import create_app
from auth_gateway.assembly import assemble
from auth_gateway.core.imported import Record
from auth_gateway.settings import Settings
from plumbing.clock import FixedClock
from tests.stories.gateway.story import NOW, Story, StubScorer

Try = Callable[[int], Any]


class HeldClock(FixedClock):
    """No wait of the throttle ever ends, and every duration is what it is."""

    def monotonic(self) -> float:
        return time.monotonic()


@contextmanager
def timed_story(state: Path, people: list[Record], hasher: PasswordHasher, **given: Any) -> Iterator[Story]:
    """A gateway with these people, that has measured their hash schemes."""
    scorer, clock = StubScorer(), HeldClock(NOW)
    settings = Settings(
        auth_gateway_state=state,
        risk_api_url=scorer.url,
        scorer_deadline_ms=5000,
        risk_api_credential="rgs_test",
        **given,
    )
    gateway = assemble(settings, clock=clock, hasher=hasher)
    assert gateway.imports(people).taken == len(people)
    app = create_app(settings, gateway=gateway)
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        try:
            yield Story(gateway, scorer, clock, runner, app)
        finally:
            runner.run(lifespan.__aexit__(None, None, None))
            scorer.close()


def medians(tries: Mapping[str, Try], count: int, *, start: int = 0) -> dict[str, float]:
    """Median seconds of each kind of try; the kinds take turns in a shuffled order, so that a busy moment hits all."""
    shuffled = random.Random(7)
    seconds: dict[str, list[float]] = {name: [] for name in tries}
    for number in range(start, start + count):
        for name in shuffled.sample(list(tries), len(tries)):
            began = time.perf_counter()
            tries[name](number)
            seconds[name].append(time.perf_counter() - began)
    return {name: median(found) for name, found in seconds.items()}
