"""Looking for models: one look at a time, and one that hangs holds up nobody."""

import asyncio
import threading

import pytest

from risk_scorer.adapters.lookout import Lookout

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Place:
    """Where models come from: it answers once it shall."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.looks: list[str] = []

    def look(self) -> None:
        self.looks.append(threading.current_thread().name)
        self.answers.wait(10)


def ended() -> None:
    """Nobody looks any more: what breaks in a thread is told to whoever listens at that moment."""
    for thread in threading.enumerate():
        if thread.name == "models":
            thread.join(10)


async def test_a_look_that_hangs_is_the_only_one_and_is_told() -> None:
    """Whoever waits for it goes on after its patience; when it ends, looking goes on."""
    place, late = Place(), list[float]()
    lookout = Lookout("models", late=late.append)
    await lookout.send(place.look, patience_seconds=0.01)
    looking = asyncio.create_task(lookout.again_and_again(place.look, every_seconds=0.001, patience_seconds=0.01))
    turns = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, turns.set)
    await turns.wait()
    assert (place.looks, late, looking.done()) == (["models"], [0.01], False)
    place.answers.set()
    async with asyncio.timeout(10):
        while len(place.looks) < 3:  # noqa: ASYNC110 - a thread counts
            await asyncio.sleep(0.001)
    looking.cancel()
    ended()
    assert late == [0.01]


async def test_a_look_that_is_over_in_time_was_waited_for() -> None:
    """What it found is there when the waiting ends, and nothing is told."""
    place, late = Place(), list[float]()
    place.answers.set()
    await Lookout("models", late=late.append).send(place.look)
    assert (place.looks, late) == (["models"], [])


async def test_a_look_that_breaks_ends_no_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one comes all the same."""
    broken: list[object] = []
    monkeypatch.setattr(threading, "excepthook", broken.append)
    looks: list[int] = []

    def breaks() -> None:
        looks.append(1)
        raise ValueError("a bug")

    looking = asyncio.create_task(Lookout("models").again_and_again(breaks, every_seconds=0.001))
    async with asyncio.timeout(10):
        while len(looks) < 2:  # noqa: ASYNC110 - a thread counts
            await asyncio.sleep(0.001)
    looking.cancel()
    ended()
    assert broken
