"""What a log lacks is said with its reason; what it has is measured."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.features import FEATURES
from risk_scorer.core.likelihood import own_share
from risk_scorer.core.rules import RULES
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import LEVELS, PLACE
from tests.unit.training.logs import LOOKUPS, START, log, without
from training.measure import (
    DISCOUNTS,
    HOUR_STRENGTHS,
    STRENGTHS,
    columns_of,
    declared,
    hours,
    likelihood,
    match_rates,
    unknown_km,
)
from training.sweep import Sweep, sweep

TABLE = log(2000)


@cache
def the_sweep() -> Sweep:
    """The log as it is swept."""
    return sweep(TABLE, LOOKUPS)


def test_a_full_log_declares_every_feature() -> None:
    """Nothing is absent, in the scorer's order."""
    assert declared(columns_of(TABLE, address_problem=None, without=frozenset())).features == FEATURES


@pytest.mark.parametrize(
    ("column", "features"),
    [
        ("device_id", {"device_rarity", "device_novelty"}),
        ("ja4", {"ja4_rarity", "ja4_novelty", "ja4_valid", "ja4_contradicts_browser"}),
        ("ja4h", {"ja4h_rarity"}),
    ],
)
def test_a_missing_column_takes_its_features_with_it(column: str, features: set[str]) -> None:
    """And levels and rules that need it, each with the reason."""
    found = declared(columns_of(without(TABLE, column), address_problem=None, without=frozenset()))
    assert set(FEATURES) - set(found.features) == features
    assert all(found.absent[name] == "the log has no such column" for name in (column, *features))


def test_without_addresses_there_is_no_distance_and_no_looked_up_column() -> None:
    """What would have been looked up is absent unless the log itself has it."""
    bare = replace(without(TABLE, "country"), present=TABLE.present - {"country", "asn", "ip_rep"})
    found = declared(columns_of(bare, address_problem="made up", without=frozenset()))
    lacking = {
        "geo_distance", "place_distance", "speed", "ip_rep", "asn_rarity", "asn_novelty", "country_rarity",
        "country_novelty",
    }  # fmt: skip
    assert set(FEATURES) - set(found.features) == lacking
    assert found.absent["rule:tor_exit"] == found.absent["geo_distance"] == "made up"


@pytest.mark.parametrize(("days", "missing"), [(0.9, {"hour", "day_of_week"}), (6.0, {"day_of_week"}), (8.0, set())])
def test_a_short_log_has_no_hours_or_weekdays(days: float, missing: set[str]) -> None:
    """What is constant because the log is short is not learned from."""
    span = TABLE.timestamp[-1] - TABLE.timestamp[0]
    short = replace(
        TABLE, timestamp=TABLE.timestamp[0] + (TABLE.timestamp - TABLE.timestamp[0]) * days * 86_400.0 / span
    )
    found = declared(columns_of(short, address_problem=None, without=frozenset()))
    assert set(FEATURES) - set(found.features) == missing


def test_a_column_can_be_left_out_on_request() -> None:
    """With that as the reason."""
    found = declared(columns_of(TABLE, address_problem=None, without=frozenset({"success"})))
    assert set(FEATURES) - set(found.features) == {"success", "recent_failures", "network_people_failing"}
    assert found.absent["success"] == "left out on request"


def test_back_off_is_weaker_where_people_are_loyal() -> None:
    """Devices of this log hardly change, addresses a little more; a level that people never change backs off least."""
    found = likelihood(the_sweep().fitting, the_sweep().encoders, {}, most=6.0)
    numbers = dict(zip(LEVELS, zip(found.strength, found.discount, strict=True), strict=True))
    assert numbers["device"][0] < 1.0
    assert ((found.strength > 0) & (found.discount >= 0) & (found.discount < 1)).all()
    assert found.used.all()


def test_back_off_is_the_likeliest_on_its_grid() -> None:
    """Somebody who has one address in nine logins of ten: no other strength or discount explains the tenth better."""
    found = likelihood(the_sweep().fitting, the_sweep().encoders, {}, most=6.0)
    for level in ("ip", "device", "browser"):
        place = LEVELS.index(level)
        best = explained(level, found.strength[place], found.discount[place])
        others = [explained(level, strength, discount) for strength in STRENGTHS for discount in DISCOUNTS]
        assert best == pytest.approx(max(others), abs=1e-6)
        assert best > min(others) + 100.0


def explained(level: str, strength: float, discount: float) -> float:
    """The log of how likely people's own next values at this level were, over all fitted logins with a history."""
    total = 0.0
    for block in the_sweep().fitting:
        rows = block.signals[block.succeeded & (block.signals[:, PLACE["logins"]] > 0)]
        seen, logins, spread = (rows[:, PLACE[name]] for name in (f"seen_{level}", "logins", f"spread_{level}"))
        world = shares(rows, block.scales.total, block.scales.kinds)[:, COUNTED.index(level)]
        total += float(np.log(own_share(seen, logins, spread, world, strength, discount)).sum())
    return total


def test_hours_are_everyones_own_and_add_up() -> None:
    """A share for each hour, none of them 0; people of this log come at any hour, so a person backs off far."""
    found = hours(the_sweep().fitting, {})
    assert found.profile.shape == (24,)
    assert found.profile.sum() == pytest.approx(1.0)
    local = np.concatenate([block.signals[block.succeeded][:, PLACE["hour_local"]] for block in the_sweep().fitting])
    counted = np.bincount(local.astype(int), minlength=24)
    assert found.profile == pytest.approx((counted + 1.0) / (counted + 1.0).sum())
    assert (found.strength, found.weight) == (HOUR_STRENGTHS[-1], 1.0)


def test_people_with_hours_of_their_own_back_off_less() -> None:
    """Each of forty people at one hour of the day only: what they did speaks for what they do."""
    own_hour = np.array([int(user[1:]) % 24 for user in TABLE.user_id])
    day = np.sort(np.random.default_rng(3).integers(0, 60, len(TABLE)))
    when = START + day * 86_400.0 + own_hour * 3600.0 + 1800.0
    order = np.argsort(when, kind="stable")
    columns = {name: getattr(TABLE, name)[order] for name in TABLE.__dataclass_fields__
               if isinstance(getattr(TABLE, name), np.ndarray)}  # fmt: skip
    regular = sweep(replace(TABLE, **{**columns, "timestamp": when[order]}), LOOKUPS)
    assert hours(regular.fitting, {}).strength < 10.0 < hours(the_sweep().fitting, {}).strength


@pytest.mark.parametrize("why", [{"hour": "the log is shorter than a day"}, {}])
def test_where_hours_cannot_be_told_they_count_nothing(why: dict[str, str]) -> None:
    """A log of less than a day, and one in which nobody has come before."""
    blocks = (
        the_sweep().fitting if why else [replace(block, signals=0.0 * block.signals) for block in the_sweep().fitting]
    )
    assert hours(blocks, why).weight == 0.0


def test_levels_without_a_column_are_not_used() -> None:
    """And only those."""
    found = likelihood(the_sweep().fitting, the_sweep().encoders, {"level:device": "no"}, most=6.0)
    assert found.used.tolist() == [0.0 if level == "device" else 1.0 for level in LEVELS]


def test_an_unknown_distance_is_taken_as_far_as_few_logins_are() -> None:
    """The 95 % quantile of the known ones: neither near nor impossible."""
    assert 100.0 < unknown_km(the_sweep().fitting) < 12_000.0
    assert unknown_km([]) == 0.0


def test_match_rates_count_legitimate_logins_and_say_what_cannot_be_told() -> None:
    """A share for each rule, None where the log lacks its column."""
    rates = match_rates(the_sweep().fitting, {"rule:tor_exit": "no"})
    assert set(rates) == set(RULES)
    assert rates["tor_exit"] is None
    assert rates["bad_reputation"] == pytest.approx(0.03, abs=0.02)
    assert rates["unparseable_fingerprint"] == 1.0
    assert np.isfinite([rate for rate in rates.values() if rate is not None]).all()
