"""How many codes may be looked at, as arithmetic."""

import pytest

from auth_gateway.core.guessing import DAY_SECONDS, MOST_LOOKS, at_once, latest_forgiven, seconds_each

NOW = 1_700_000_000.0


def taken_at(most: int, times: list[float]) -> list[float]:
    """Which of these looks are taken, by the rule that the database keeps."""
    forgiven_at, taken = 0.0, []
    for now in times:
        if forgiven_at <= latest_forgiven(most, now):
            forgiven_at = max(forgiven_at, now) + seconds_each(most)
            taken.append(now)
    return taken


def test_an_account_has_fifty_looks_a_day() -> None:
    """All kinds together, and the typed ones alone: nobody guesses signatures."""
    assert sum(MOST_LOOKS.values()) == 50
    assert set(MOST_LOOKS) == {"totp", "email_code", "recovery_code"}


@pytest.mark.parametrize("most", [10, 30])
@pytest.mark.parametrize("pause", [0.0, 1.0, 61.0, 900.0, 3600.0])
def test_no_day_has_more_than_the_allowance(most: int, pause: float) -> None:
    """Whoever guesses as fast as he may for four days finds no 24 hours with more, wherever they begin."""
    step = pause or 1.0
    times = [NOW] * 40 + [NOW + step * turn for turn in range(int(4 * DAY_SECONDS / step))]
    taken = taken_at(most, times)
    first = 0
    for last, now in enumerate(taken):
        while taken[first] <= now - DAY_SECONDS:
            first += 1
        assert last - first + 1 <= most
    assert len(taken) >= 2 * most


@pytest.mark.parametrize(("most", "together"), [(10, 5), (30, 15)])
def test_half_of_it_may_come_together(most: int, together: int) -> None:
    """And then one more each time a part of the day has passed, at both sides of that moment."""
    assert at_once(most) == together
    assert len(taken_at(most, [NOW] * 40)) == together
    just = NOW + seconds_each(most)
    assert len(taken_at(most, [NOW] * 40 + [just - 0.5])) == together
    assert len(taken_at(most, [NOW] * 40 + [just + 0.5] * 2)) == together + 1


def test_mistakes_that_are_hours_apart_lock_nobody_out() -> None:
    """One an hour for a month, and each was looked at: the allowance is an hourly one for slow hands."""
    hourly = [NOW + 3600 * 2 * turn for turn in range(24 * 15)]
    assert taken_at(30, hourly) == hourly
