"""A process that reads the stream and answers no HTTP: several of them share one state. No rule lives here."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import structlog

from plumbing.side_door import CannotListen
from plumbing.stop_signals import STOP_SIGNALS
from risk_scorer.acting import acting_of
from risk_scorer.adapters.storage import keep_house_here
from risk_scorer.assembly import CannotStart, Scorer
from risk_scorer.drifting import keep_the_rest
from risk_scorer.flows.assess import CHUNK
from risk_scorer.streaming import Streaming, assess_of, learn_of, opened_stream
from risk_scorer.upkeep import company, prepare, upkeep
from risk_scorer.watching import Watching

HOUSE_SECONDS: Final = 5.0
"""How soon another process takes over the upkeep when the one that did it has died."""
TOLD_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


def consumer_of(scorer: Scorer) -> Streaming:
    """The stream of that scorer. Raises: CannotStart."""
    streaming = opened_stream(scorer, assess_of(scorer), learn_of(scorer), acting_of(scorer), together=CHUNK)
    if streaming is None:
        raise CannotStart("KAFKA_BROKER is not set, so there is nothing to consume")
    return streaming


def run(scorer: Scorer, tell_ready: Callable[[str], None]) -> None:
    """Consume until told to stop. Raises: CannotStart, Refused."""
    streaming = consumer_of(scorer)
    try:
        watching = Watching(scorer, streaming.acting, stream=streaming.health)
    except CannotListen as error:
        raise CannotStart(str(error)) from error

    async def work() -> None:
        stop = asyncio.Event()
        for number in STOP_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(signal.Signals(number), stop.set)
        looks = asyncio.create_task(watching.run())
        async with watching.told():
            await consume(scorer, streaming, stop, tell_ready=tell_ready)
        looks.cancel()

    asyncio.run(work())


async def consume(
    scorer: Scorer, streaming: Streaming, stop: asyncio.Event, *, tell_ready: Callable[[str], None]
) -> None:
    """Read, score and keep until `stop` is set; then finish what is in hand and close the scorer."""
    try:
        await prepare(scorer)
        tasks = [asyncio.create_task(each) for each in _beside(scorer, streaming)]
        streaming.kafka.start(asyncio.get_running_loop())
        tell_ready(f"consuming {scorer.settings.kafka_topic_in} from {scorer.settings.kafka_broker}")
        await stop.wait()
        await asyncio.to_thread(streaming.kafka.stop)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await streaming.acting.keep_the_rest()
        await keep_the_rest(scorer)
    finally:
        await asyncio.to_thread(scorer.close)


def _beside(scorer: Scorer, streaming: Streaming) -> list[Coroutine[Any, Any, None]]:
    return [
        scorer.models.watch(),
        *scorer.shadowing.work(),
        *streaming.acting.work(),
        *company(scorer),
        _keep_house_once(scorer),
        _tell(streaming),
    ]


async def _keep_house_once(scorer: Scorer) -> None:
    """The upkeep, in one process of those on the state: the others stand by. On a server they take turns in it."""
    if not scorer.settings.is_shared:
        while not keep_house_here(scorer.settings.risk_scorer_state):  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(HOUSE_SECONDS)
    await asyncio.gather(*upkeep(scorer))


async def _tell(streaming: Streaming) -> None:
    """Without HTTP the log is where the lag is told."""
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(TOLD_SECONDS)
            found = streaming.health()
            log.info("stream", **{name: getattr(found, name) for name in found.__struct_fields__})
