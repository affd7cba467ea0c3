"""A receiver that refuses our credential is left alone for longer and longer, and the log says what to do about it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from plumbing.randomness import SeededRandomness
from webhooks.delivery import Pace
from webhooks.pace import LONGEST_REFUSAL_PAUSE

pytestmark = pytest.mark.anyio
REMEDY = "give it the scope"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_credential_holds_up_every_message(stage: Any, status: int) -> None:
    """Messages that come new meanwhile are no new attempts; one line says what to do, none tells of each message."""
    pace = replace(stage.QUICK, first_retry=30.0, longest_retry=60.0)
    with capture_logs() as lines:
        async with stage.receiving(stage.answering(status)) as receiver:
            known = replace(stage.endpoint("scorer", receiver.url, concurrency=1), remedy=REMEDY)
            async with stage.delivering(known, pace=pace) as worker:
                for number in range(5):
                    await stage.add(f"msg_{number}", "scorer")
                    worker.wake()
                    await asyncio.sleep(0.1)
    assert len(receiver.heard) == 1
    assert stage.depth() == 5
    said = [line for line in lines if line["log_level"] in {"warning", "error"}]
    assert [(line["event"], line["problem"], line["remedy"]) for line in said] == [
        ("credential_refused", f"status_{status}", REMEDY)
    ]


async def test_the_pauses_grow_and_the_line_is_not_repeated(stage: Any) -> None:
    """Three refusals, each after a longer wait, are one line a minute; all arrives once the credential is mended."""
    statuses = iter([403, 403, 403])

    async def mended(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %d Said\r\ncontent-length: 0\r\n\r\n" % next(statuses, 200))

    with capture_logs() as lines:
        async with stage.receiving(mended) as receiver:
            await stage.add("msg_1", "scorer")
            known = replace(stage.endpoint("scorer", receiver.url), remedy=REMEDY)
            async with stage.delivering(known):
                await stage.until(lambda: stage.depth() == 0)
    at = [heard.at for heard in receiver.heard]
    assert len(at) == 4
    assert [later - sooner >= least for sooner, later, least in zip(at, at[1:], (0.05, 0.1, 0.2), strict=False)] == [
        True
    ] * 3
    assert [line["event"] for line in lines if line["event"] == "credential_refused"] == ["credential_refused"]


async def test_a_receiver_without_a_credential_is_tried_with_the_next_message(stage: Any) -> None:
    """A webhook that answers 403 to one message may take another."""

    async def picky(heard: Any, writer: asyncio.StreamWriter) -> None:
        status = 403 if b"bad" in heard.body else 200
        writer.write(b"HTTP/1.1 %d Said\r\ncontent-length: 0\r\n\r\n" % status)

    async with stage.receiving(picky) as receiver, stage.delivering(stage.endpoint("siem", receiver.url)) as worker:
        await stage.add("msg_1", "siem", body=b"bad")
        worker.wake()
        await stage.until(lambda: len(receiver.heard) == 1)
        await stage.add("msg_2", "siem")
        worker.wake()
        await stage.until(lambda: stage.fate("msg_2").delivered_at is not None)


def test_no_pause_is_longer_than_five_minutes() -> None:
    """Whoever mends the credential is not kept waiting for an hour; messages themselves may wait for one."""
    pace = Pace()
    assert [pace.pause(refusals) for refusals in (1, 2, 3, 7, 8, 1000)] == [5.0, 10.0, 20.0, LONGEST_REFUSAL_PAUSE] + [
        LONGEST_REFUSAL_PAUSE
    ] * 2
    assert max(pace.backoff(1000, SeededRandomness(seed)) for seed in range(50)) > LONGEST_REFUSAL_PAUSE
