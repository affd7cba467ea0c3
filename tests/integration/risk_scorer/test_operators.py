"""Operators: a link opens one session, a session ends."""

import asyncio
from pathlib import Path

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from risk_scorer.adapters.operators import Operators

pytestmark = pytest.mark.anyio


@pytest.fixture
def operators(database: Database, clock: FixedClock, randomness: SeededRandomness) -> Operators:
    return Operators(database, clock=clock, randomness=randomness)


def stored_bytes(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in place.glob("scorer.db*"))


async def test_a_link_opens_one_session(operators: Operators) -> None:
    """The second use of a link gets nothing."""
    link = operators.new_link_token()
    session = await operators.sign_in(link)
    assert operators.is_signed_in(session)
    assert await operators.sign_in(link) is None


async def test_of_many_who_race_for_a_link_one_gets_in(operators: Operators) -> None:
    """Single use holds under concurrency, not only in sequence."""
    link = operators.new_link_token()
    sessions = await asyncio.gather(*(operators.sign_in(link) for _ in range(20)))
    assert sum(session is not None for session in sessions) == 1


@pytest.mark.parametrize(("age", "opens"), [(599.9, True), (600.0, False)])
async def test_a_link_lives_ten_minutes(operators: Operators, clock: FixedClock, age: float, opens: bool) -> None:
    """Both sides of the boundary."""
    link = operators.new_link_token()
    clock.advance(age)
    assert (await operators.sign_in(link) is not None) is opens


@pytest.mark.parametrize(("age", "lives"), [(8 * 3600 - 1, True), (8 * 3600, False)])
async def test_a_session_lives_eight_hours(operators: Operators, clock: FixedClock, age: float, lives: bool) -> None:
    """Both sides of the boundary."""
    session = await operators.sign_in(operators.new_link_token())
    clock.advance(age)
    assert operators.is_signed_in(session) is lives


async def test_signing_out_ends_the_session_on_our_side(operators: Operators) -> None:
    """A kept cookie is worth nothing afterwards; another operator's session goes on."""
    mine = await operators.sign_in(operators.new_link_token())
    theirs = await operators.sign_in(operators.new_link_token())
    assert mine is not None
    await operators.sign_out(mine)
    assert not operators.is_signed_in(mine)
    assert operators.is_signed_in(theirs)


@pytest.mark.parametrize("token", [None, "", "x", "\x00", "\ud800", "A" * 10_000])
async def test_a_made_up_token_is_nobody(operators: Operators, token: str | None) -> None:
    """Neither as a link nor as a session."""
    assert not operators.is_signed_in(token)
    assert await operators.sign_in(token or "") is None


async def test_tokens_are_stored_as_digests(operators: Operators, database: Database, tmp_path: Path) -> None:
    """A copied database opens no dashboard."""
    link = operators.new_link_token()
    session = await operators.sign_in(link)
    assert session is not None
    database.close()
    stored = stored_bytes(tmp_path)
    assert link.encode() not in stored
    assert session.encode() not in stored
