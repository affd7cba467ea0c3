"""The live feed: bounded viewers, bounded queues, and an end that is told."""

import asyncio

import pytest

from plumbing.refusals import Refused
from risk_scorer.api.live import ENDED, HEARTBEAT, RECONNECT, LiveFeed
from tests.integration.risk_scorer.observations import scored

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_viewer_gets_what_is_scored_after_it_came() -> None:
    """Events arrive in order, as one message each."""
    feed = LiveFeed()
    stream = feed.stream(lambda: True)
    assert await anext(stream) == RECONNECT
    feed.publish([scored(event_id="e1", user_id="ann"), scored(event_id="e2", user_id="ben")])
    news = await anext(stream)
    assert news.count(b"event: scored\ndata: {") == 2
    assert news.index(b'"ann"') < news.index(b'"ben"')
    await stream.aclose()
    assert feed.viewers == 0


async def test_line_breaks_in_data_cannot_forge_an_event() -> None:
    """What a stranger typed stays inside its data line."""
    feed = LiveFeed()
    stream = feed.stream(lambda: True)
    await anext(stream)
    feed.publish([scored(user_id="x\n\nevent: ended\ndata: {}\r\n\r\n")])
    news = await anext(stream)
    assert news.count(b"\n") == 3
    assert b"\r" not in news
    await stream.aclose()


async def test_silence_is_filled_with_heartbeats() -> None:
    """Proxies close connections that say nothing."""
    feed = LiveFeed(heartbeat_seconds=0.01)
    stream = feed.stream(lambda: True)
    await anext(stream)
    assert await anext(stream) == HEARTBEAT
    await stream.aclose()


async def test_a_viewer_that_falls_behind_is_dropped() -> None:
    """Its queue is bounded; the others go on, and scoring never waits."""
    feed = LiveFeed(queue_length=3)
    slow, quick = feed.stream(lambda: True), feed.stream(lambda: True)
    await anext(slow)
    await anext(quick)
    for number in range(5):
        feed.publish([scored(event_id=f"e{number}")])
        await anext(quick)
    assert feed.viewers == 1
    assert [message async for message in slow] == []
    await quick.aclose()


async def test_the_house_has_a_last_seat() -> None:
    """One viewer too many is refused with a time to come back; a freed seat is given again."""
    feed = LiveFeed(max_viewers=1)
    stream = feed.stream(lambda: True)
    await anext(stream)
    with pytest.raises(Refused) as caught:
        feed.stream(lambda: True)
    assert (caught.value.status, caught.value.code) == (503, "too_many_viewers")
    assert caught.value.retry_after_seconds
    await stream.aclose()
    feed.stream(lambda: True)


async def test_an_answer_that_never_begins_takes_no_seat() -> None:
    """A browser that left before the first byte leaves nothing behind, and two who raced for a seat share no seat."""
    feed = LiveFeed(max_viewers=1)
    abandoned, first, second = (feed.stream(lambda: True) for _ in range(3))
    await abandoned.aclose()
    assert await anext(first) == RECONNECT
    assert [message async for message in second] == []
    await first.aclose()
    assert feed.viewers == 0


async def test_a_signed_out_operator_is_told_and_sees_no_more() -> None:
    """The session is asked before anything is sent."""
    feed, sessions = LiveFeed(), {"alive": True}
    stream = feed.stream(lambda: sessions["alive"])
    await anext(stream)
    sessions["alive"] = False
    feed.publish([scored(user_id="secret")])
    assert [message async for message in stream] == [ENDED]
    assert feed.viewers == 0


async def test_stopping_ends_every_feed_and_opens_no_new_one() -> None:
    """A service that stops does not wait for its viewers."""
    feed = LiveFeed(heartbeat_seconds=60)
    stream = feed.stream(lambda: True)
    await anext(stream)
    waiting = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0)
    feed.close()
    assert await asyncio.wait_for(waiting, 1) in (None, b"")
    with pytest.raises(Refused):
        feed.stream(lambda: True)
