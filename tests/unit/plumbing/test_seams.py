"""Time, chance and credentials behave as those who are given them expect."""

import hashlib
import re
import time
import uuid

import pytest

from plumbing.clock import Clock, FixedClock, SystemClock
from plumbing.credentials import digest, matches, new_credential
from plumbing.randomness import Randomness, SeededRandomness, SystemRandomness
from plumbing.refusals import Refused

SOURCES: list[Randomness] = [SystemRandomness(), SeededRandomness(7)]


def test_the_system_clock_reads_the_machines_time() -> None:
    """Epoch seconds between two readings of our own."""
    clock: Clock = SystemClock()
    before = time.time()
    assert before <= clock.now() <= time.time()
    assert clock.monotonic() <= clock.monotonic()


def test_a_fixed_clock_moves_only_when_told() -> None:
    """Both readings move together."""
    clock = FixedClock(1_000.0)
    assert (clock.now(), clock.monotonic(), clock.now()) == (1_000.0, 0.0, 1_000.0)
    clock.advance(1.5)
    assert (clock.now(), clock.monotonic()) == (1_001.5, 1.5)


@pytest.mark.parametrize("source", SOURCES, ids=["system", "seeded"])
def test_draws_have_the_promised_forms(source: Randomness) -> None:
    """Lengths and alphabets are part of the promise: they end up in columns and URLs."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", source.token())
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", source.token(16))
    assert re.fullmatch(r"evt_[A-Za-z0-9_-]{22}", source.event_id("evt"))
    assert uuid.UUID(source.uuid()).version == 4
    assert len(source.bytes(5)) == 5
    assert all(2.0 <= source.uniform(2.0, 3.0) <= 3.0 for _ in range(100))


@pytest.mark.parametrize("source", SOURCES, ids=["system", "seeded"])
def test_draws_do_not_repeat(source: Randomness) -> None:
    """A thousand ids are a thousand different ids."""
    assert len({source.event_id("e") for _ in range(1_000)} | {source.token() for _ in range(1_000)}) == 2_000


def test_equal_seeds_draw_equally() -> None:
    """What a test saw once it sees again."""
    first, second = SeededRandomness(3), SeededRandomness(3)
    assert [first.token(), first.uuid(), first.bytes(3)] == [second.token(), second.uuid(), second.bytes(3)]


def test_a_credential_is_known_by_its_digest_alone() -> None:
    """The text is handed out once; what is kept cannot be turned back into it."""
    text, kept = new_credential(SeededRandomness(1), "rgs")
    assert re.fullmatch(r"rgs_[A-Za-z0-9_-]{43}", text)
    assert kept == hashlib.sha256(text.encode()).digest() == digest(text)
    assert matches(text, kept)


@pytest.mark.parametrize("other", ["", "rgs_x", "\ud800", "é", "\x00"])
def test_any_other_text_is_merely_unknown(other: str) -> None:
    """A hostile credential is a wrong one, not a crash."""
    _, kept = new_credential(SeededRandomness(1), "rgs")
    assert not matches(other, kept)


def test_a_refusal_reads_well_in_a_log() -> None:
    """Code and text, nothing of the evidence."""
    refused = Refused("busy", "Come back.", status=503, evidence={"x": 1})
    assert str(refused) == "busy: Come back."
    assert (refused.status, refused.retry_after_seconds, dict(refused.headers)) == (503, None, {})
