"""Receivers that were not listed at the start get what waits for them, and only for as long as something does."""

import asyncio
import json
from typing import Any

import pytest

from webhooks.delivery import Endpoint, Pace
from webhooks.targets import TargetRefused

pytestmark = pytest.mark.anyio

PREFIX = "to "


def _unsigned(_message_id: str, _timestamp: int, _body: bytes) -> dict[str, str]:
    return {}


def found(name: str, **more: Any) -> Endpoint | None:
    """Whatever begins with the prefix is an address."""
    if not name.startswith(PREFIX):
        return None
    return Endpoint(name=name, url=name.removeprefix(PREFIX), signer=_unsigned, allow_private=True, **more)


async def test_a_receiver_is_found_by_its_name_when_something_waits_for_it(stage: Any) -> None:
    """Nobody listed it, and with a poll of an hour it has its message within two seconds."""
    async with (
        stage.receiving(stage.answering(200)) as receiver,
        stage.delivering(find=found, pace=Pace(poll=3_600.0)) as worker,
    ):
        await asyncio.sleep(0.05)
        await stage.add("msg_1", PREFIX + receiver.url, body=b"a=1")
        await stage.until(lambda: stage.fate("msg_1").delivered_at is not None, seconds=2.0)
        assert worker.disabled == frozenset()
    assert [heard.body for heard in receiver.heard] == [b"a=1"]


async def test_a_lane_that_has_nothing_left_ends_and_comes_again(stage: Any) -> None:
    """Two messages with a rest between them: both arrive, and in the rest nothing runs."""
    async with stage.receiving(stage.answering(200)) as receiver, stage.delivering(find=found) as worker:
        for number in (1, 2):
            await stage.add(f"msg_{number}", PREFIX + receiver.url)
            worker.wake()
            await stage.until(lambda: len(receiver.heard) == number)  # noqa: B023
            await stage.until(lambda: not worker._roster._lanes)


async def test_a_body_is_made_anew_for_each_attempt(stage: Any) -> None:
    """The stored bytes are what it is made of; the receiver is told its content type."""
    made: list[bytes] = []

    def compose(stored: bytes) -> bytes:
        made.append(stored)
        return b"token=%d" % len(made)

    async def reply(heard: Any, writer: asyncio.StreamWriter) -> None:
        await stage.answering(200 if heard.body == b"token=3" else 503)(heard, writer)

    def find(name: str) -> Endpoint | None:
        return found(name, compose=compose, content_type="application/x-www-form-urlencoded")

    async with stage.receiving(reply) as receiver, stage.delivering(find=find):
        await stage.add("msg_1", PREFIX + receiver.url, body=b"{}")
        await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
    assert [heard.body for heard in receiver.heard] == [b"token=1", b"token=2", b"token=3"]
    assert made == [b"{}"] * 3
    assert {heard.headers["content-type"] for heard in receiver.heard} == {"application/x-www-form-urlencoded"}


async def test_what_goes_where_we_do_not_send_is_given_up(stage: Any) -> None:
    """An address inside is never connected to; its messages are dead and say why, others go on."""

    def find(name: str) -> Endpoint | None:
        if "inside" in name:
            raise TargetRefused("inside")
        return found(name)

    async with stage.receiving(stage.answering(200)) as receiver, stage.delivering(find=find):
        await stage.add("msg_1", "to inside")
        await stage.add("msg_2", PREFIX + receiver.url)
        await stage.until(lambda: stage.depth() == 0)
    assert (stage.fate("msg_1").last_error, stage.fate("msg_1").delivered_at) == ("target_inside", None)
    assert stage.fate("msg_2").delivered_at is not None


async def test_a_receiver_that_is_gone_is_left_alone(stage: Any) -> None:
    """After 410 nothing more is sent until the next start."""
    async with stage.receiving(stage.answering(410)) as receiver, stage.delivering(find=found) as worker:
        await stage.add("msg_1", PREFIX + receiver.url)
        await stage.until(lambda: worker.disabled == {PREFIX + receiver.url})
        await stage.add("msg_2", PREFIX + receiver.url)
        worker.wake()
        await asyncio.sleep(0.2)
    assert len(receiver.heard) == 1


async def test_names_of_another_kind_are_left_to_wait(stage: Any) -> None:
    """A webhook that is configured no more keeps its messages for the day it is configured again."""
    async with stage.delivering(find=found) as worker:
        await stage.add("msg_1", "siem")
        worker.wake()
        await asyncio.sleep(0.1)
    assert (stage.fate("msg_1").dead_at, stage.fate("msg_1").attempts) == (None, 0)


async def test_a_look_steps_from_endpoint_to_endpoint(stage: Any) -> None:
    """However much waits, the search is a few steps on the index, and each endpoint is named once."""
    for number in range(30):
        await stage.add(f"msg_{number}", f"to {number % 3}", body=json.dumps(number).encode())
    assert stage.database.read(stage.outbox.waiting) == ["to 0", "to 1", "to 2"]
    sql = stage.outbox._waiting.compiled().sql
    with stage.database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    steps = [str(row[3]) for row in plan if "outbox" in str(row[3])]
    assert steps
    assert all("outbox_waiting" in step for step in steps)


class Book:
    """Keeps down who gets nothing more, and finds none of them until it is told otherwise."""

    def __init__(self) -> None:
        self.retired: dict[str, str] = {}

    async def retire(self, name: str, reason: str) -> bool:
        self.retired[name] = reason
        return True

    def find(self, name: str) -> Endpoint | None:
        return None if name in self.retired else found(name)


async def test_a_receiver_that_is_gone_is_taken_down_and_may_come_back(stage: Any) -> None:
    """After 410 its messages wait, and are sent when somebody enables it, without a new start."""
    status = 410
    book = Book()

    async def reply(heard: Any, writer: asyncio.StreamWriter) -> None:
        await stage.answering(status)(heard, writer)

    async with stage.receiving(reply) as receiver, stage.delivering(find=book.find, retire=book.retire) as worker:
        name = PREFIX + receiver.url
        await stage.add("msg_1", name)
        await stage.until(lambda: book.retired == {name: "gone"})
        await stage.add("msg_2", name)
        worker.wake()
        await asyncio.sleep(0.2)
        assert (len(receiver.heard), worker.disabled) == (1, frozenset())
        status = 200
        del book.retired[name]
        worker.wake()
        await stage.until(lambda: stage.fate("msg_2").delivered_at is not None)
    assert stage.fate("msg_1").last_error == "status_410"


async def test_a_receiver_that_takes_nothing_for_too_long_is_given_up(stage: Any) -> None:
    """When one message was tried for as long as any is, and nothing else was taken; what is younger waits."""
    pace = Pace(first_retry=0.01, longest_retry=0.05, give_up_after=0.5, poll=0.2)
    book = Book()
    async with stage.receiving(stage.answering(503)) as receiver:
        name = PREFIX + receiver.url
        async with stage.delivering(find=book.find, retire=book.retire, pace=pace):
            await stage.add("msg_1", name)
            await stage.until(lambda: book.retired == {name: "given_up"})
    assert stage.fate("msg_1").dead_at is not None


async def test_one_message_that_nobody_wants_does_not_give_up_its_receiver(stage: Any) -> None:
    """The others are taken."""
    pace = Pace(first_retry=0.01, longest_retry=0.05, give_up_after=0.5, poll=0.2)
    book = Book()

    async def reply(heard: Any, writer: asyncio.StreamWriter) -> None:
        await stage.answering(503 if heard.body == b"bad" else 200)(heard, writer)

    async with stage.receiving(reply) as receiver:
        name = PREFIX + receiver.url
        async with stage.delivering(find=book.find, retire=book.retire, pace=pace) as worker:
            await stage.add("msg_bad", name, body=b"bad")
            number = 0
            while stage.fate("msg_bad").dead_at is None:
                number += 1
                await stage.add(f"msg_{number}", name)
                worker.wake()
                await asyncio.sleep(0.01)
            await stage.until(lambda: stage.depth() == 0)
            await asyncio.sleep(0.3)
    assert book.retired == {}


async def test_an_old_message_gets_its_attempts_all_the_same(stage: Any) -> None:
    """One that waited for days because its receiver was disabled is not dead at the first failure."""
    pace = Pace(first_retry=0.01, longest_retry=0.05, least_attempts=4)
    async with stage.receiving(stage.answering(503)) as receiver, stage.delivering(find=found, pace=pace):
        await stage.add("msg_1", PREFIX + receiver.url, at=1.0)
        await stage.until(lambda: stage.fate("msg_1").dead_at is not None)
    assert stage.fate("msg_1").attempts == 4


async def test_a_receiver_that_is_disabled_elsewhere_gets_nothing_more(stage: Any) -> None:
    """Though its lane is open and busy; what is left waits."""
    book = Book()
    async with stage.receiving(stage.answering(200)) as receiver:
        name = PREFIX + receiver.url
        async with stage.delivering(find=book.find, retire=book.retire) as worker:
            number = 0
            while number < 400 and name not in book.retired:
                number += 1
                await stage.add(f"msg_{number}", name)
                if number == 50:
                    book.retired[name] = "by hand"
                worker.wake()
            await stage.until(lambda: not worker._roster._lanes)
            heard = len(receiver.heard)
            await stage.add("msg_late", name)
            worker.wake()
            await asyncio.sleep(0.2)
    assert len(receiver.heard) == heard
    assert stage.fate("msg_late").attempts == 0
