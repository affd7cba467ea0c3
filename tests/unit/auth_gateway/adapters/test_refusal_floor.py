"""When a refusal leaves."""

import asyncio

import pytest

from auth_gateway.adapters import refusal_floor
from auth_gateway.adapters.password_schemes import Scheme
from auth_gateway.adapters.refusal_floor import MARGIN_RATIO, MARGIN_SECONDS, RefusalFloor
from plumbing.clock import FixedClock

QUICK = Scheme("$argon2id$v=19$m=19456,t=2,p=1$")
SLOW = Scheme("$2b$12$")
SECONDS = {QUICK: 0.02, SLOW: 0.2}


def floor_over(clock: FixedClock, *schemes: Scheme) -> RefusalFloor:
    floor = RefusalFloor(clock, SECONDS.__getitem__)
    floor.cover(schemes)
    return floor


def test_the_floor_lies_above_the_slowest_scheme() -> None:
    """The quicker schemes do not matter."""
    floor = floor_over(FixedClock(0), QUICK, SLOW)
    assert floor.seconds == pytest.approx(MARGIN_SECONDS + MARGIN_RATIO * 0.2)
    assert floor.slowest == SLOW


def test_a_scheme_is_measured_once() -> None:
    """Looking again for new schemes costs nothing when there are none."""
    measured: list[Scheme] = []
    floor = RefusalFloor(FixedClock(0), lambda scheme: measured.append(scheme) or 0.1)
    floor.cover([QUICK, SLOW])
    floor.cover([SLOW, QUICK, QUICK])
    assert measured == [QUICK, SLOW]


def test_the_greatest_cost_of_a_kind_covers_the_others() -> None:
    """Hashes with a count of their own each do not delay the start by one measurement each."""
    measured: list[str] = []
    floor = RefusalFloor(FixedClock(0), lambda scheme: measured.append(scheme.name) or 0.1)
    floor.cover([Scheme(f"$pbkdf2-sha256${rounds}$") for rounds in range(1000, 3000)])
    floor.cover([Scheme("$2a$10$"), Scheme("$2b$12$"), Scheme("$2y$12$"), Scheme("$pbkdf2-sha256$3000$")])
    assert measured == ["pbkdf2-sha256$2999", "pbkdf2-sha256$3000", "2b$12"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("$2b$12$", "$2a$11$", True),
        ("$2b$11$", "$2a$12$", False),
        ("$pbkdf2$10$", "$pbkdf2-sha256$9$", False),
        ("$scrypt$ln=14,r=8,p=2$", "$scrypt$ln=14,r=8,p=1$", True),
        ("$scrypt$ln=14,r=8,p=2$", "$scrypt$ln=15,r=8,p=1$", False),
        ("$argon2id$v=19$m=64,t=2,p=1$", "$argon2id$v=19$m=64,t=1,p=1$", True),
        ("$argon2id$v=19$m=64,t=2,p=4$", "$argon2id$v=19$m=64,t=1,p=1$", False),
        ("$argon2id$v=19$m=64,t=2,p=1$", "$argon2i$v=19$m=64,t=1,p=1$", False),
        ("$argon2id$v=19$m=64,t=2,p=1$", "$argon2id$v=19$m=65,t=1,p=1$", False),
    ],
)
def test_one_scheme_covers_another_only_when_it_is_surely_as_slow(one: str, other: str, expected: bool) -> None:
    """More lanes make argon2 quicker; kinds are not compared."""
    assert Scheme(one).covers(Scheme(other)) is expected


@pytest.mark.parametrize(
    ("elapsed_floors", "leaves_at_floors"), [(0.0, 1), (0.4, 1), (0.999, 1), (1.001, 2), (1.5, 2), (2.2, 3)]
)
def test_a_refusal_leaves_at_the_next_multiple(
    elapsed_floors: float, leaves_at_floors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late refusal is rounded up, so what it was late for does not show."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(refusal_floor.asyncio, "sleep", sleep)
    clock = FixedClock(0)
    floor = floor_over(clock, SLOW)
    started_at = clock.monotonic()
    clock.advance(elapsed_floors * floor.seconds)
    asyncio.run(floor.hold(started_at))
    assert clock.monotonic() + slept[0] == pytest.approx(leaves_at_floors * floor.seconds)
