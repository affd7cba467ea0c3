"""Hours of the day: the person's own on their own clocks, and what an unusual one is worth."""

import math

import numpy as np
import pytest

from risk_scorer.core.habits import hour_terms
from risk_scorer.core.history import ENOUGH_HOURS, UserHistory, learn
from risk_scorer.core.observation import Observation
from risk_scorer.core.signals import PLACE, gather, table
from tests.unit.risk_scorer.core.small import NOON, encoders, seen

DAY, HOUR = 86_400.0, 3600.0
EVEN = np.full(24, 1 / 24)


def tokyo(ts: float) -> Observation:
    return seen(ts=ts, zone="Asia/Tokyo", utc_offset_s=32_400)


def daily(observation: Observation, days: int, past: UserHistory | None = None) -> UserHistory:
    for day in range(days):
        ts = observation.ts + day * DAY
        past = learn(past, seen(ts=ts, zone=observation.zone, utc_offset_s=observation.utc_offset_s), "success")
    assert past is not None
    return past


def column(name: str, now: Observation, past: UserHistory | None) -> float:
    return float(table([gather(encoders(), now, past)])[0, PLACE[name]])


def term(now: Observation, past: UserHistory | None, profile: np.ndarray = EVEN, strength: float = 1.0) -> float:
    return float(hour_terms(table([gather(encoders(), now, past)]), profile, strength)[0])


def test_a_usual_hour_speaks_for_the_person_within_bounds() -> None:
    """Half a nat at most: an attacker can wait for it."""
    assert term(seen(ts=NOON + 30 * DAY), daily(seen(), 30)) == -0.5


def test_an_hour_at_which_the_person_never_comes_speaks_against_them_within_bounds() -> None:
    """Two nats at most: people do work late."""
    night = seen(ts=NOON + 30 * DAY + 13 * HOUR)
    assert term(night, daily(seen(), 3)) == pytest.approx(math.log(1 / 24 / (1 / 24 / 4)))
    assert term(night, daily(seen(), 30)) == 2.0


def test_a_neighbouring_hour_is_half_as_usual() -> None:
    """Eleven and one o'clock are near noon, across midnight as well."""
    past = daily(seen(ts=NOON + 12 * HOUR), 8)
    for shift, near in ((0.0, 4.0), (-HOUR, 2.0), (HOUR, 2.0), (2 * HOUR, 0.0)):
        assert column("hour_near", seen(ts=NOON + 12 * HOUR + shift), past) == near


def test_nobody_has_no_hours() -> None:
    """Without a login nothing is said, and after one little."""
    assert term(seen(), None) == 0.0
    assert abs(term(seen(ts=NOON + 13 * HOUR), daily(seen(), 1), strength=10.0)) < 0.1


def test_an_hour_at_which_nobody_ever_came_is_finite() -> None:
    """A log of office hours gives some hours no share at all."""
    office = np.where(np.arange(24) == 12, 1.0, 0.0)
    found = term(seen(ts=NOON + 13 * HOUR), daily(seen(), 30), office)
    assert math.isfinite(found)
    assert term(seen(ts=NOON + 13 * HOUR), daily(seen(), 30), office, strength=0.0) == 2.0


def test_hours_are_told_by_the_clocks_at_home() -> None:
    """Noon UTC is nine in the evening in Tokyo."""
    past = daily(tokyo(NOON), 5)
    assert (past.home, past.hours[21], column("hour_local", tokyo(NOON), past)) == ("Asia/Tokyo", 5, 21)


def test_abroad_the_clocks_at_home_count() -> None:
    """A person from Tokyo in Berlin logs in at an hour of Tokyo's."""
    past = daily(tokyo(NOON), 5)
    abroad = seen(ts=NOON, zone="Europe/Berlin", utc_offset_s=7200)
    assert column("hour_local", abroad, past) == 21
    assert learn(past, abroad, "success").hours[21] == 6


def test_a_move_turns_the_hours_to_the_new_clocks() -> None:
    """From the moment that more logins are from there; hours kept since before zones were known as well."""
    past = daily(seen(ts=NOON, zone="Europe/Berlin", utc_offset_s=7200), 6, daily(tokyo(NOON), 5))
    assert (past.home, past.home_offset_s, past.hours[14]) == ("Europe/Berlin", 7200, 11)
    first = learn(daily(seen(), 3), tokyo(NOON), "success")
    assert (first.home, first.hours[21]) == ("Asia/Tokyo", 4)


def test_daylight_saving_moves_nothing() -> None:
    """Eight in the morning is eight in the morning all year."""
    summer = daily(seen(ts=NOON, zone="Europe/Berlin", utc_offset_s=7200), 5)
    winter = seen(ts=NOON + 100 * DAY + HOUR, zone="Europe/Berlin", utc_offset_s=3600)
    assert column("hour_local", winter, summer) == 14
    assert learn(summer, winter, "success").hours[14] == 6


def test_zones_between_the_hours_turn_back_and_forth() -> None:
    """Five and a half hours there and back leave every hour where it was."""
    kolkata = seen(ts=NOON, zone="Asia/Kolkata", utc_offset_s=19_800)
    past = daily(seen(), 3)
    there = learn(past, kolkata, "success")
    assert sum(there.hours) == 4
    back = daily(seen(ts=NOON, zone="Europe/London", utc_offset_s=0), 2, there)
    assert back.home == "Europe/London"
    assert back.hours[12] + back.hours[11] == 6


def test_a_network_that_is_anybodys_moves_nobody() -> None:
    """A Tor exit's zone is not learned."""
    listed = seen(zone="Europe/Moscow", utc_offset_s=10_800, ip_rep=90.0)
    assert learn(None, listed, "success").home == ""


def test_old_habits_give_way() -> None:
    """Hours are halved when they are many, and none that was known becomes unknown."""
    past = daily(seen(ts=NOON + HOUR), 1, daily(seen(), ENOUGH_HOURS - 1))
    assert sum(past.hours) == ENOUGH_HOURS
    past = daily(seen(), 1, past)
    assert (past.hours[12], past.hours[13]) == (ENOUGH_HOURS // 2, 1)


def test_gaps_are_told_by_their_usual_length() -> None:
    """Someone who comes daily and was away for a month."""
    past = daily(seen(), 10)
    now = seen(ts=NOON + 9 * DAY + 30 * DAY)
    assert column("gap", now, past) == 30 * DAY
    assert column("gap_usual", now, past) == pytest.approx(DAY)
    assert math.isnan(column("gap", now, None))
    assert math.isnan(column("gap_usual", now, daily(seen(), 1)))
    assert column("gap", seen(ts=NOON - DAY), past) == 0.0


def test_a_late_report_teaches_no_gap() -> None:
    """It lies between logins that are already counted."""
    past = daily(seen(), 3)
    assert learn(past, seen(ts=NOON + HOUR), "success").gaps == past.gaps == 2


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    """Bulk and single agree to the bit."""
    rows = [gather(encoders(), seen(ts=NOON + hour * HOUR), daily(seen(), 4)) for hour in range(24)]
    alone = [float(hour_terms(table([row]), EVEN, 2.0)[0]) for row in rows]
    assert hour_terms(table(rows), EVEN, 2.0).tolist() == alone
