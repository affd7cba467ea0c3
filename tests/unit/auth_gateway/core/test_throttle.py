"""How long to wait after failures."""

import pytest

from auth_gateway.core.throttle import (
    LONGEST_WAIT_SECONDS,
    Failures,
    ThrottleKey,
    counted,
    login_keys,
    network_of,
    refunded,
    remaining,
    wait_seconds,
)

NOW = 1_700_000_000.0


def after(n_failures: int, scope: str = "account") -> float:
    failures = Failures()
    for _ in range(n_failures):
        failures = counted(failures, NOW)
    return wait_seconds(failures, NOW, scope=scope)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("n_failures", "expected"),
    [(0, 0), (1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (8, 8), (14, 512), (15, 900), (16, 900), (10_000, 900)],
)
def test_five_failures_are_free_then_the_wait_doubles(n_failures: int, expected: float) -> None:
    """The sixth try waits one second, the next two, and nobody ever waits more than 15 minutes."""
    assert after(n_failures) == expected


@pytest.mark.parametrize(("n_failures", "expected"), [(49, 0), (50, 1), (51, 2)])
def test_a_network_has_more_room_than_an_account(n_failures: int, expected: float) -> None:
    """Many people share an address."""
    assert after(n_failures, "network") == expected


@pytest.mark.parametrize(("elapsed", "expected"), [(0.0, 4.0), (1.5, 2.5), (4.0, 0.0), (9.0, 0.0), (-5.0, 4.0)])
def test_the_wait_runs_from_the_last_counted_failure(elapsed: float, expected: float) -> None:
    """Refused tries do not prolong it, and a clock that jumps back does not either."""
    assert wait_seconds(Failures(7.0, NOW), NOW + elapsed) == expected


def test_no_lock_is_for_ever() -> None:
    """After the longest wait one try is free, whatever the count."""
    assert wait_seconds(Failures(1e9, NOW), NOW + LONGEST_WAIT_SECONDS) == 0.0


def test_failures_are_forgiven_one_each_half_hour() -> None:
    """The weight goes down by one in 1,800 seconds and never below nothing."""
    assert remaining(Failures(3.0, NOW), NOW + 1800) == 2.0
    assert remaining(Failures(3.0, NOW), NOW + 86_400) == 0.0
    assert remaining(Failures(3.0, NOW), NOW - 86_400) == 3.0


def test_a_visit_that_is_left_open_is_forgiven_sooner() -> None:
    """It costs room for half an hour; nobody has guessed anything."""
    assert remaining(Failures(3.0, NOW), NOW + 6, scope="visit") == 2.0
    assert remaining(Failures(3.0, NOW), NOW + 12, scope="push") == 1.0
    assert counted(Failures(3.0, NOW), NOW + 6, scope="visit").weight == 3.0


def test_a_tireless_guesser_gets_about_a_hundred_tries_a_day() -> None:
    """NIST SP 800-63B allows 100 in a row; trying at once whenever it is allowed stays near that in a whole day."""
    failures, now, tries = Failures(), NOW, 0
    while now < NOW + 86_400:
        failures = counted(failures, now)
        tries += 1
        now += max(wait_seconds(failures, now), 0.001)
    assert tries <= 115


def test_a_refund_takes_one_failure_back() -> None:
    """The owner's own login leaves no trace, not even in the time of the last failure; one too many is harmless."""
    failed = Failures(3.0, NOW)
    after = refunded(counted(failed, NOW + 60), NOW + 60)
    assert (after.weight, after.last_at) == (3.0, NOW)
    assert refunded(Failures(0.0, NOW), NOW + 1).weight == 0.0


@pytest.mark.parametrize("gap_seconds", [0.0, 1.0])
def test_attempts_in_flight_together_are_all_given_back(gap_seconds: float) -> None:
    """Two at once or one soon after the other, refunded in either order: nothing is left."""
    first, second = NOW, NOW + gap_seconds
    both = counted(counted(Failures(), first), second)
    assert refunded(refunded(both, second), first).weight == 0.0
    assert refunded(refunded(both, first), second).weight == pytest.approx(0.0, abs=0.01)


def test_a_login_does_not_start_a_wait_anew() -> None:
    """After a long row of failures the owner logs in twice, one right after the other."""
    failures = Failures(15.0, NOW)
    later = NOW + 1000
    assert wait_seconds(failures, later) == 0.0
    assert wait_seconds(refunded(counted(failures, later), later), later + 1) == 0.0


def test_the_owner_on_a_known_device_is_counted_apart() -> None:
    """A stranger's guesses cannot lock the owner out."""
    stranger = login_keys(username="alice", ip="203.0.113.5", known_device=None)
    owner = login_keys(username="alice", ip="198.51.100.9", known_device="ab12")
    assert not set(stranger) & set(owner)


def test_every_stranger_shares_one_counter_of_the_account() -> None:
    """Another address does not give another five free guesses at the account."""
    one = login_keys(username="alice", ip="203.0.113.5", known_device=None)
    other = login_keys(username="alice", ip="203.0.113.6", known_device=None)
    assert one[0] == other[0]


def test_a_name_that_nobody_has_is_counted_by_network() -> None:
    """Texts that cannot be names fill no table."""
    assert login_keys(username=None, ip="203.0.113.5", known_device=None) == (ThrottleKey("network", "203.0.113.5"),)


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("", ""),
        ("garbage", ""),
    ],
)
def test_a_subscriber_is_one_network(ip: str, expected: str) -> None:
    """Whoever has a /64 has one counter, not 2^64."""
    assert network_of(ip) == expected
