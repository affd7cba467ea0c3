"""The live feed: bounded viewers, bounded queues, nothing lost by coming again, and an end that is told."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest

from plumbing.refusals import Refused
from risk_scorer.api.live import ENDED, RECONNECT, LiveFeed
from risk_scorer.core.console.sign_in import SignIn, sign_in_of
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.console.veil import Veil
from risk_scorer.flows.console.live import MOST_NEW, LiveSignIns, News
from tests.integration.risk_scorer.observations import scored

pytestmark = pytest.mark.anyio
ALL, OPEN, VEILED = SignInFilter(), Veil(is_on=False), Veil(is_on=True)
Stream = AsyncGenerator[bytes, None]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Rows:
    """The table, in memory."""

    def __init__(self, *rows: SignIn) -> None:
        self.rows = [*rows]

    async def last(self) -> int:
        return self.rows[-1].seq if self.rows else 0

    async def above(self, seq: int, most: int) -> list[SignIn]:
        return [row for row in reversed(self.rows) if row.seq > seq][:most]


def row(seq: int, **fields: Any) -> SignIn:
    made = scored(fields.pop("score", 10.0), f"e{seq}", **fields)
    return msgspec.structs.replace(sign_in_of(made.event, made.score), seq=seq)


def news(*rows: SignIn, said: tuple[tuple[SignIn, SignIn], ...] = ()) -> News:
    return News([*rows], [*said], max((each.seq for each in rows), default=0), True)


@pytest.fixture
async def rows() -> Rows:
    return Rows()


async def begun(feed: LiveFeed, wanted: SignInFilter = ALL, veil: Veil = OPEN, **more: Any) -> Stream:
    """A stream whose viewer has its seat."""
    stream = feed.stream(lambda: True, veil, wanted, **more)
    assert await anext(stream) == RECONNECT
    return stream


def told(message: bytes) -> dict[str, Any]:
    [data] = [line for line in message.split(b"\n") if line.startswith(b"data: ")]
    found: dict[str, Any] = json.loads(data.removeprefix(b"data: "))
    return found


def users(message: bytes, kind: str = "new") -> list[str]:
    return [cells["user"] for cells in told(message)[kind]]


async def test_a_viewer_gets_what_comes_after_it_came(rows: Rows) -> None:
    """In their order, in one message a look, which has the number of the last."""
    feed = LiveFeed(rows)
    stream = await begun(feed)
    feed.publish(news(row(1, user_id="ann"), row(2, user_id="ben")))
    message = await anext(stream)
    assert message.startswith(b"id: 2\nevent: rows\n")
    assert users(message) == ["ann", "ben"]
    await stream.aclose()
    assert feed.viewers == 0
    feed.close()


async def test_each_viewer_gets_what_it_asks_for_as_it_may_see_it(rows: Rows) -> None:
    """By its filter, and with addresses as its own session shows them."""
    feed = LiveFeed(rows)
    streams = [await begun(feed, SignInFilter(level="high")), await begun(feed, ALL, VEILED)]
    feed.publish(news(row(1), row(2, score=95.0, user_id="eve")))
    high, veiled = [await anext(stream) for stream in streams]
    assert users(high) == ["eve"]
    assert users(veiled) == ["alice", "eve"]
    assert b"198.51.100.9" in high
    assert b"198.51.100.9" not in veiled
    feed.close()


async def test_what_is_said_of_a_row_later_comes_too(rows: Rows) -> None:
    """To whoever has the row as a change, and as a new row to whoever asked for just that."""
    feed = LiveFeed(rows)
    streams = [await begun(feed), await begun(feed, SignInFilter(decision="deny"))]
    before = row(1)
    after = msgspec.structs.replace(before, decision="deny", rule="high")
    feed.publish(news(before))
    feed.publish(news(said=((before, after),)))
    everybody, denied = [await anext(stream) for stream in streams]
    assert b'"changed":[{' in everybody
    assert (users(denied), told(denied)["changed"]) == (["alice"], [])
    feed.close()


async def test_who_comes_again_gets_what_was_missed() -> None:
    """From the last number on; more than a look takes is said to be cut."""
    feed = LiveFeed(Rows(*(row(number, user_id=f"u{number}") for number in range(1, 5))))
    stream = await begun(feed, after=2)
    assert users(await anext(stream)) == ["u3", "u4"]
    feed.close()
    crowd = LiveFeed(Rows(*(row(number) for number in range(1, MOST_NEW + 10))))
    message = told(await anext(await begun(crowd, after=1)))
    assert (len(message["new"]), message["skipped"]) == (MOST_NEW, True)
    assert message["new"][-1]["path"] == f"e{MOST_NEW + 9}"
    crowd.close()


async def test_a_look_finds_new_rows_and_new_words_once() -> None:
    """Each new row and each change of one that was there, whoever wrote it; numbers that are given again are no end."""
    table, found = Rows(row(1)), list[News]()
    live = LiveSignIns(table, publish=found.append, is_watched=lambda: False)
    await live.begin()
    await live.look()
    table.rows = [msgspec.structs.replace(row(1), outcome="success"), row(2)]
    first, second = await live.look(), await live.look()
    assert [each.seq for each in first.new] == [2]
    assert [now.outcome for _, now in first.said] == ["success"]
    assert (second.new, second.said) == ([], [])
    table.rows = [row(1)]
    await live.look()
    table.rows = [row(1), row(2, user_id="zoe")]
    assert [each.user_id for each in (await live.look()).new] == ["zoe"]


async def test_line_breaks_in_data_cannot_forge_an_event(rows: Rows) -> None:
    """What a stranger typed stays inside its data line."""
    feed = LiveFeed(rows)
    stream = await begun(feed)
    feed.publish(news(row(1, user_id="x\n\nevent: ended\ndata: {}\r\n\r\n")))
    message = await anext(stream)
    assert message.count(b"\n") == 4
    assert b"\r" not in message
    feed.close()


async def test_silence_is_filled_with_heartbeats() -> None:
    """Proxies close connections that say nothing; a browser that comes again says up to where nothing was for it."""
    feed = LiveFeed(Rows(row(7)), heartbeat_seconds=0.01)
    stream = await begun(feed, SignInFilter(level="high"))
    assert await anext(stream) == b": still here\nid: 7\n\n"
    feed.close()


async def test_a_viewer_that_falls_behind_is_dropped(rows: Rows) -> None:
    """Its queue is bounded, and the others go on."""
    feed = LiveFeed(rows, queue_length=3)
    slow, quick = await begun(feed), await begun(feed)
    for number in range(5):
        feed.publish(news(row(number + 1)))
        await anext(quick)
    assert feed.viewers == 1
    assert [message async for message in slow] == []
    feed.close()


async def test_the_house_has_a_last_seat(rows: Rows) -> None:
    """One viewer too many is refused with a time to come back; a freed seat is given again."""
    feed = LiveFeed(rows, max_viewers=1)
    stream = await begun(feed)
    with pytest.raises(Refused) as caught:
        feed.stream(lambda: True, OPEN, ALL)
    assert (caught.value.status, caught.value.code) == (503, "too_many_viewers")
    assert caught.value.retry_after_seconds
    await stream.aclose()
    feed.stream(lambda: True, OPEN, ALL)


async def test_an_answer_that_never_begins_takes_no_seat(rows: Rows) -> None:
    """A browser that left before the first byte leaves nothing behind, and two who raced for a seat share no seat."""
    feed = LiveFeed(rows, max_viewers=1)
    abandoned, first, second = (feed.stream(lambda: True, OPEN, ALL) for _ in range(3))
    await abandoned.aclose()
    assert await anext(first) == RECONNECT
    assert [message async for message in second] == []
    await first.aclose()
    assert feed.viewers == 0


async def test_a_signed_out_operator_is_told_and_sees_no_more(rows: Rows) -> None:
    """The session is asked before anything is sent."""
    feed, sessions = LiveFeed(rows), {"alive": True}
    stream = feed.stream(lambda: sessions["alive"], OPEN, ALL)
    await anext(stream)
    sessions["alive"] = False
    feed.publish(news(row(1, user_id="secret")))
    assert [message async for message in stream] == [ENDED]
    assert feed.viewers == 0
    feed.close()


async def test_stopping_ends_every_feed_and_opens_no_new_one(rows: Rows) -> None:
    """A service that stops does not wait for its viewers."""
    feed = LiveFeed(rows, heartbeat_seconds=60)
    stream = await begun(feed)
    waiting = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0)
    feed.close()
    async with asyncio.timeout(1):
        assert await waiting in (None, b"")
    with pytest.raises(Refused):
        feed.stream(lambda: True, OPEN, ALL)
