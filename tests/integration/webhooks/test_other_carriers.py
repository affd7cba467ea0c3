"""A lane serves whatever carries: a receiver that is no HTTP address is claimed for, tried again and given up alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from webhooks.delivery import Pace
from webhooks.transport import Attempt

pytestmark = pytest.mark.anyio


@dataclass
class Pigeons:
    """A receiver by pigeon: says of each message what its script says next, and the last word from then on."""

    says: list[Attempt]
    name: str = "pigeons"
    concurrency: int = 1
    merge: None = None
    linger_seconds: float = 0.0
    carried: list[tuple[str, bytes]] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)

    @asynccontextmanager
    async def opened(self, *, clock: Any, resolver: Any, deadline_seconds: float) -> AsyncIterator["Pigeons"]:
        self.deadlines.append(deadline_seconds)
        yield self

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        self.carried.append((message_id, body))
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


async def test_a_carrier_of_another_kind_gets_the_stored_bytes(stage: Any) -> None:
    """Once, under the message's id."""
    pigeons = Pigeons([Attempt(status=250)])
    async with stage.delivering(pigeons):
        await stage.add("msg_1", "pigeons", body=b"\x00sealed")
        await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
    assert pigeons.carried == [("msg_1", b"\x00sealed")]


async def test_what_failed_is_tried_again_and_what_is_final_is_not(stage: Any) -> None:
    """A message that nobody will ever take is dead at once and says why; the row stays."""
    pigeons = Pigeons([Attempt(problem="hawk"), Attempt(status=250)])
    async with stage.delivering(pigeons):
        await stage.add("msg_1", "pigeons")
        await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
        pigeons.says = [Attempt(status=550, problem="no_such_roof", is_final=True)]
        await stage.add("msg_2", "pigeons")
        await stage.until(lambda: stage.fate("msg_2").dead_at is not None)
        await asyncio.sleep(0.2)
    assert [name for name, _ in pigeons.carried] == ["msg_1", "msg_1", "msg_2"]
    assert stage.fate("msg_2").last_error == "no_such_roof"


async def test_a_receiver_may_have_a_pace_of_its_own(stage: Any) -> None:
    """Its deadline is that of its pace, and not the worker's."""
    pigeons = Pigeons([Attempt(status=250)])
    async with stage.delivering(pigeons, paces={"pigeons": Pace(deadline=30.0, lease=45.0)}):
        await asyncio.sleep(0.05)
    assert pigeons.deadlines == [30.0]
