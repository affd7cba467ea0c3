"""Two gateways on one database, each on an event loop and connections of its own, and crowds that reach for both."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.app import create_app
from auth_gateway.assembly import assemble
from tests.stories.gateway.story import HOME, Story, running_story

Pair = tuple[Story, Story]


@contextmanager
def running_pair(state: Path, **given: Any) -> Iterator[Pair]:
    """Up until the block ends; both have one vault key, one clock and one scorer."""
    with ExitStack() as stack:
        first = stack.enter_context(running_story(state, **given))
        gateway = assemble(first.gateway.settings, clock=first.clock, hasher=PasswordHasher(memory_kib=64, passes=1))
        app = create_app(first.gateway.settings, gateway=gateway)
        runner = stack.enter_context(asyncio.Runner())
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        stack.callback(lambda: runner.run(lifespan.__aexit__(None, None, None)))
        yield first, Story(gateway, first.scorer, first.clock, runner, app, first.totp_secret)


def all_at_once(pair: Pair, requests: Sequence[dict[str, Any]]) -> list[httpx2.Response]:
    """The answers to these requests in their order, every other one asked at the other gateway, all begun together."""
    start = threading.Barrier(2)

    def run(number: int) -> list[httpx2.Response]:
        story, mine = pair[number], requests[number::2]

        async def all_of_them() -> list[httpx2.Response]:
            transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000), raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
                start.wait(10)
                return await asyncio.gather(*(client.request("POST", **request) for request in mine))

        return story.runner.run(all_of_them())

    with ThreadPoolExecutor(2) as pool:
        even, odd = pool.map(run, (0, 1))
    answers = [*even, *odd]
    answers[0::2], answers[1::2] = even, odd
    return answers
