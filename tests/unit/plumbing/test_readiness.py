"""Parts are asked side by side, each within its own time."""

import asyncio
import time

import pytest

from plumbing.readiness import CRASHED, HANGS, Parts, is_ready

pytestmark = pytest.mark.anyio


async def well() -> None:
    """Nothing is wrong."""


async def test_a_part_that_hangs_is_named_and_keeps_nobody_waiting() -> None:
    """Three that hang cost one deadline; the others are told as they are."""
    parts = Parts()
    parts.add("database", well)
    for name in ("redis", "kafka", "scorer"):
        parts.add(name, asyncio.Event().wait, is_needed=False, deadline_seconds=0.05)  # type: ignore[arg-type]
    began = time.perf_counter()
    found = await parts.look()
    assert time.perf_counter() - began < 1.0
    assert [(part.name, part.reason) for part in found] == [
        ("database", None), ("redis", HANGS), ("kafka", HANGS), ("scorer", HANGS),
    ]  # fmt: skip
    assert is_ready(found)


async def test_a_part_that_hangs_is_not_asked_again_meanwhile() -> None:
    """However many ask, one question is under way; once it is answered, the next is put."""
    asked, free = 0, asyncio.Event()

    async def slow() -> None:
        nonlocal asked
        asked += 1
        await free.wait()

    parts = Parts()
    parts.add("database", slow, deadline_seconds=0.02)
    for _ in range(3):
        assert [part.reason for part in await parts.look()] == [HANGS]
    assert asked == 1
    free.set()
    assert [part.reason for part in await parts.look()] == [None]
    assert asked == 2


async def test_a_part_that_fails_makes_us_unready_only_where_it_is_needed() -> None:
    """Its code is told; a probe that crashes is a part that is not well."""

    async def crash() -> None:
        raise RuntimeError("secret of the inside")

    async def away() -> str:
        return "storage_unavailable"

    parts = Parts()
    parts.add("storage", away)
    parts.add("extra", crash, is_needed=False)
    found = await parts.look()
    assert [part.reason for part in found] == ["storage_unavailable", CRASHED]
    assert not is_ready(found)
    assert is_ready(found[1:])
