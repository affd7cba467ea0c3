"""A receiver that takes lists gets what waits in one request; one bad message holds up nobody but itself."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


def as_list(bodies: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


async def test_what_waits_together_travels_together(stage: Any) -> None:
    """Five messages, one request with all of them, all marked delivered."""
    async with stage.receiving(stage.answering(200)) as receiver:
        for number in range(5):
            await stage.add(f"msg_{number}", "list", body=b'{"n":%d}' % number)
        merging = replace(stage.endpoint("list", receiver.url), merge=as_list)
        async with stage.delivering(merging):
            await stage.until(lambda: stage.depth() == 0)
    (heard,) = receiver.heard
    assert sorted(each["n"] for each in json.loads(heard.body)) == [0, 1, 2, 3, 4]


async def test_a_refused_list_is_taken_apart(stage: Any) -> None:
    """The receiver refuses any list with the bad one in it: the others arrive, the bad one waits for its retry."""

    async def picky(heard: Any, writer: asyncio.StreamWriter) -> None:
        status = 422 if b"bad" in heard.body else 200
        writer.write(b"HTTP/1.1 %d Said\r\ncontent-length: 0\r\n\r\n" % status)

    async with stage.receiving(picky) as receiver:
        for name in ("good_1", "bad", "good_2"):
            await stage.add(name, "list", body=json.dumps(name).encode())
        merging = replace(stage.endpoint("list", receiver.url), merge=as_list)
        async with stage.delivering(merging):
            await stage.until(lambda: stage.depth() == 1)
    assert [stage.fate(name).delivered_at is not None for name in ("good_1", "bad", "good_2")] == [True, False, True]
    assert stage.fate("bad").last_status == 422


async def test_a_receiver_that_is_down_gets_the_list_again(stage: Any) -> None:
    """A failure that is not about the content is everybody's: all wait, and all arrive once it is over."""
    statuses = iter([503])

    async def recovering(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %d Said\r\ncontent-length: 0\r\n\r\n" % next(statuses, 200))

    async with stage.receiving(recovering) as receiver:
        for number in range(3):
            await stage.add(f"msg_{number}", "list", body=b"%d" % number)
        merging = replace(stage.endpoint("list", receiver.url), merge=as_list)
        async with stage.delivering(merging):
            await stage.until(lambda: stage.depth() == 0)
    assert json.loads(receiver.heard[0].body) == [0, 1, 2]
    arrived = [n for heard in receiver.heard[1:] for n in json.loads(heard.body)]
    assert sorted(arrived) == [0, 1, 2]
