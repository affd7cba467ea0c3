"""What is in the outbox reaches its receiver, once at least, however the receiver behaves."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from plumbing.randomness import SeededRandomness
from plumbing.refusals import Refused
from webhooks.delivery import Pace
from webhooks.signing import secret_text
from webhooks.transport import retry_after_seconds

pytestmark = pytest.mark.anyio


async def test_a_message_arrives_as_it_was_stored_and_signed(stage: Any) -> None:
    """The exact bytes, taken by the official library, one request, then marked delivered."""
    body = b'{"type":"login.denied",  "data":{"city":"Z\xc3\xbcrich"}}'
    async with stage.receiving(stage.answering(204)) as receiver:
        await stage.add("msg_1", "siem", body=body)
        async with stage.delivering(stage.endpoint("siem", receiver.url)):
            await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
    (heard,) = receiver.heard
    assert heard.line == "POST /hook?from=us HTTP/1.1"
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert heard.body == body
    assert Webhook(secret_text(stage.KEY)).verify(heard.body, heard.headers)["type"] == "login.denied"
    assert (stage.fate("msg_1").last_status, stage.fate("msg_1").attempts, stage.depth()) == (204, 1, 0)


async def test_waking_makes_delivery_immediate(stage: Any) -> None:
    """With a poll of an hour, a message is there within a moment of its commit."""
    pace = Pace(poll=3_600.0)
    async with (
        stage.receiving(stage.answering(200)) as receiver,
        stage.delivering(stage.endpoint("siem", receiver.url), pace=pace) as worker,
    ):
        await asyncio.sleep(0.05)
        await stage.add("msg_1", "siem")
        worker.wake()
        await stage.until(lambda: len(receiver.heard) == 1, seconds=1.0)


async def test_a_message_of_another_process_is_found_without_waking(stage: Any) -> None:
    """A command line that adds a message cannot wake the worker of the service."""
    async with (
        stage.receiving(stage.answering(200)) as receiver,
        stage.delivering(stage.endpoint("siem", receiver.url)),
    ):
        await asyncio.sleep(0.05)
        await stage.add("msg_1", "siem")
        await stage.until(lambda: len(receiver.heard) == 1)


async def test_a_failing_receiver_gets_the_same_message_until_it_takes_it(stage: Any) -> None:
    """Same id, same bytes, fresh signature; each attempt is counted and the last problem kept."""

    async def reply(heard: Any, writer: asyncio.StreamWriter) -> None:
        await stage.answering(200 if len(receiver.heard) > 3 else 500)(heard, writer)

    async with stage.receiving(reply) as receiver:
        await stage.add("msg_1", "siem", body=b'{"a":1}')
        async with stage.delivering(stage.endpoint("siem", receiver.url)):
            await stage.until(lambda: stage.fate("msg_1").last_error == "status_500")
            await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
    assert receiver.ids == ["msg_1"] * 4
    assert {heard.body for heard in receiver.heard} == {b'{"a":1}'}
    assert (stage.fate("msg_1").attempts, stage.fate("msg_1").last_error) == (4, None)


async def test_what_waited_for_an_outage_goes_out_when_it_ends(stage: Any) -> None:
    """Nobody listens, then somebody does: all messages arrive, without sitting out the long waits."""
    async with stage.receiving(stage.answering(200)) as gone:
        port = gone.port
    for i in range(20):
        await stage.add(f"msg_{i}", "siem")
    pace = Pace(first_retry=20.0, deadline=0.5, lease=1.0, poll=0.2)  # some wait for 20 s, the first for about one
    async with stage.delivering(stage.endpoint("siem", f"http://127.0.0.1:{port}/"), pace=pace):
        await stage.until(lambda: all(stage.fate(f"msg_{i}").last_error == "connect_failed" for i in range(20)))
        async with stage.receiving(stage.answering(200), port=port) as back:
            await stage.until(lambda: stage.depth() == 0, seconds=10.0)
    assert sorted(set(back.ids)) == sorted(f"msg_{i}" for i in range(20))


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_receiver_that_asks_for_time_gets_it(stage: Any, form: str) -> None:
    """429 with Retry-After holds back everything for that receiver, even when woken."""

    async def reply(heard: Any, writer: asyncio.StreamWriter) -> None:
        date = format_datetime(datetime.fromtimestamp(datetime.now(UTC).timestamp() + 2, UTC), usegmt=True)
        asked = "1" if form == "seconds" else date
        later = len(receiver.heard) > 1
        await (stage.answering(200) if later else stage.answering(429, f"retry-after: {asked}"))(heard, writer)

    async with stage.receiving(reply) as receiver:
        await stage.add("msg_1", "siem")
        async with stage.delivering(stage.endpoint("siem", receiver.url), pace=Pace(first_retry=0.01)) as worker:
            await stage.until(lambda: stage.fate("msg_1").last_error == "status_429")
            await stage.add("msg_2", "siem")
            worker.wake()
            await stage.until(lambda: stage.depth() == 0)
    assert receiver.heard[1].at - receiver.heard[0].at >= 0.9


async def test_a_receiver_that_is_gone_gets_nothing_more(stage: Any) -> None:
    """410 ends its message and its lane; what else waits for it waits for an operator."""
    async with stage.receiving(stage.answering(410)) as receiver:
        await stage.add("msg_1", "siem")
        async with stage.delivering(stage.endpoint("siem", receiver.url)) as worker:
            await stage.until(lambda: stage.fate("msg_1").dead_at is not None)
            await stage.add("msg_2", "siem")
            worker.wake()
            await asyncio.sleep(0.3)
            assert worker.disabled == {"siem"}
    assert receiver.ids == ["msg_1"]
    assert (stage.fate("msg_1").last_error, stage.fate("msg_2").attempts, stage.depth()) == ("status_410", 0, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused(stage: Any, status: int) -> None:
    """The signed body goes to nobody that was not configured."""
    async with stage.receiving(stage.answering(200)) as elsewhere:
        reply = stage.answering(status, f"location: http://127.0.0.1:{elsewhere.port}/")
        async with stage.receiving(reply) as receiver:
            await stage.add("msg_1", "siem")
            async with stage.delivering(stage.endpoint("siem", receiver.url)):
                await stage.until(lambda: stage.fate("msg_1").last_error == "redirect_refused")
    assert elsewhere.connections == 0


async def test_a_message_too_old_is_given_up(stage: Any) -> None:
    """After five days (here: a second) it is dead, with the last problem; a younger one is tried again."""
    pace = Pace(first_retry=0.01, longest_retry=0.1, give_up_after=1.0, poll=0.2)
    async with stage.receiving(stage.answering(503)) as receiver:
        await stage.add("msg_1", "siem")
        async with stage.delivering(stage.endpoint("siem", receiver.url), pace=pace):
            await stage.until(lambda: stage.fate("msg_1").dead_at is not None)
            assert stage.fate("msg_1").attempts > 3
            assert stage.fate("msg_1").last_error == "status_503"
            tries = len(receiver.heard)
            await asyncio.sleep(0.3)
    assert len(receiver.heard) == tries


async def test_an_answer_in_full_counts_though_its_body_never_ends(stage: Any) -> None:
    """The status is the receiver's word: an endless body after 200 is cut off, and not sent again."""

    async def endless(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()

    async with stage.receiving(endless) as receiver:
        await stage.add("msg_1", "siem")
        async with stage.delivering(stage.endpoint("siem", receiver.url), pace=Pace(deadline=14.0)):
            await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)  # long before the deadline
            await asyncio.sleep(0.3)
    assert receiver.ids == ["msg_1"]


async def test_the_worker_outlives_a_database_that_fails(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads and writes fail for a while, with any error; afterwards everything is delivered."""
    failing = {"on": True}
    genuine_write, genuine_read = stage.database.write, stage.database.read_in_thread

    async def write(job: Any) -> Any:
        if failing["on"]:
            raise Refused("storage_unavailable", "x", status=503)
        return await genuine_write(job)

    async def read(job: Any) -> Any:
        if failing["on"]:
            raise sqlite3.OperationalError("disk I/O error")
        return await genuine_read(job)

    await stage.add("msg_1", "siem")
    monkeypatch.setattr(stage.database, "write", write)
    monkeypatch.setattr(stage.database, "read_in_thread", read)
    monkeypatch.setattr("webhooks.lane.STORAGE_RETRY_SECONDS", 0.05)
    async with (
        stage.receiving(stage.answering(200)) as receiver,
        stage.delivering(stage.endpoint("siem", receiver.url)),
    ):
        await asyncio.sleep(0.3)
        assert receiver.heard == []
        failing["on"] = False
        await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)


async def test_a_mark_that_is_lost_means_the_message_is_sent_again(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delivered but not marked: once the lease is over the receiver gets the same id and bytes again."""
    genuine = stage.outbox.delivered
    lost: list[str] = []

    def delivered(tx: Any, messages: Any, **values: Any) -> None:
        if not lost:
            lost.append(messages[0].message_id)
            raise RuntimeError("lost")
        genuine(tx, messages, **values)

    monkeypatch.setattr(stage.outbox, "delivered", delivered)
    async with stage.receiving(stage.answering(200)) as receiver:
        await stage.add("msg_1", "siem")
        async with stage.delivering(stage.endpoint("siem", receiver.url)):
            await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
    first, second = receiver.heard
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert second.at - first.at >= 0.5


async def test_two_workers_do_not_send_the_same_message(stage: Any) -> None:
    """A claim is for one of them; together they send each message once."""
    async with stage.receiving(stage.answering(200)) as receiver:
        for i in range(100):
            await stage.add(f"msg_{i}", "siem")
        receiving = stage.endpoint("siem", receiver.url)
        async with stage.delivering(receiving), stage.delivering(receiving):
            await stage.until(lambda: stage.depth() == 0)
    assert sorted(receiver.ids) == sorted(f"msg_{i}" for i in range(100))


async def test_no_more_at_once_than_the_receiver_should_bear(stage: Any) -> None:
    """With a concurrency of three, three connections carry all, and no more are claimed than are being sent."""
    release = asyncio.Event()

    async def reply(heard: Any, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await stage.answering(200)(heard, writer)

    async with stage.receiving(reply) as receiver:
        for i in range(60):
            await stage.add(f"msg_{i}", "siem")
        async with stage.delivering(stage.endpoint("siem", receiver.url, concurrency=3), pace=Pace()):
            await stage.until(lambda: len(receiver.heard) == 3)
            await asyncio.sleep(0.1)
            assert sum(stage.fate(f"msg_{i}").attempts for i in range(60)) == 3
            release.set()
            await stage.until(lambda: stage.depth() == 0)
    assert len(receiver.heard) == 60
    assert receiver.connections <= 3


async def test_what_was_delivered_long_ago_is_forgotten(stage: Any) -> None:
    """The outbox stays small; what waits and what died stays in it."""
    await stage.add("msg_old", "siem", at=1_000.0)
    await stage.add("msg_dead", "siem", at=1_000.0)
    await stage.add("msg_waiting", "nobody", at=1_000.0)

    def settle(tx: Any) -> None:
        taken = stage.outbox.claim(tx, endpoint="siem", now=2_000.0, limit=2, lease_seconds=1.0)
        old, dead = sorted(taken, key=lambda message: message.message_id, reverse=True)
        stage.outbox.delivered(tx, [old], now=2_000.0, status=200)
        stage.outbox.dead(tx, dead, now=2_000.0, status=None, error="x")

    await stage.database.write(settle)
    async with stage.delivering():
        await stage.until(lambda: len(stage.database.read(lambda tx: stage.outbox.recent(tx, 9))) == 2)
    assert {stage.fate(name).message_id for name in ("msg_dead", "msg_waiting")} == {"msg_dead", "msg_waiting"}


async def test_a_signer_that_crashes_is_a_failed_attempt(stage: Any) -> None:
    """A bug in one endpoint's signer delays its own messages only."""

    def crash(_message_id: str, _timestamp: int, _body: bytes) -> dict[str, str]:
        raise LookupError("no key")

    async with stage.receiving(stage.answering(200)) as receiver:
        await stage.add("msg_1", "bad")
        await stage.add("msg_2", "good")
        bad = replace(stage.endpoint("bad", receiver.url), signer=crash)
        async with stage.delivering(bad, stage.endpoint("good", receiver.url)):
            await stage.until(lambda: stage.fate("msg_2").delivered_at is not None)
            await stage.until(lambda: stage.fate("msg_1").last_error == "LookupError")


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ("3", 3.0),
        ("61", 60.0),
        ("999999999999999", 60.0),
        ("Thu, 01 Jan 1970 00:17:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("-1", 0.0),
        ("²", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
async def test_retry_after_is_read_in_both_forms(asked: str | None, waited: float) -> None:
    """Seconds or a date, capped, and never negative; nonsense is no request."""
    assert retry_after_seconds(asked, now=1_000.0, cap_seconds=60.0) == waited


async def test_backoff_grows_to_its_cap_with_full_jitter() -> None:
    """Anything between nothing and 5, 10, 20 … seconds, an hour at most, however many attempts there were."""
    randomness = SeededRandomness(1)
    for attempts, ceiling in ((1, 5.0), (2, 10.0), (3, 20.0), (10, 2_560.0), (11, 3_600.0), (5_000, 3_600.0)):
        draws = [Pace().backoff(attempts, randomness) for _ in range(400)]
        assert 0.0 <= min(draws) < ceiling * 0.05
        assert ceiling * 0.95 < max(draws) <= ceiling


async def test_a_lease_shorter_than_an_attempt_is_refused() -> None:
    """Another worker would send what is just being sent."""
    with pytest.raises(ValueError, match="lease"):
        Pace(deadline=10.0, lease=10.0)
