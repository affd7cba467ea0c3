"""What a log lacks is said with its reason; what it has is measured."""

from dataclasses import replace

import numpy as np
import pytest

from risk_scorer.core.features import FEATURES
from risk_scorer.core.rules import RULES
from risk_scorer.core.signals import LEVELS
from tests.unit.training.logs import LOOKUPS, log, without
from training.measure import columns_of, declared, likelihood, match_rates, unknown_km
from training.sweep import sweep

TABLE = log(2000)
SWEPT = sweep(TABLE, LOOKUPS)


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
    lacking = {"geo_distance", "ip_rep", "asn_rarity", "asn_novelty", "country_rarity", "country_novelty"}
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
    assert "success" not in found.features
    assert found.absent["success"] == "left out on request"


def test_back_off_is_weaker_where_people_are_loyal() -> None:
    """Devices of this log hardly change, addresses a little more; a level that people never change backs off least."""
    found = likelihood(SWEPT.fitting, SWEPT.encoders, {}, most=6.0)
    numbers = dict(zip(LEVELS, zip(found.strength, found.discount, strict=True), strict=True))
    assert numbers["device"][0] < 1.0
    assert ((found.strength > 0) & (found.discount >= 0) & (found.discount < 1)).all()
    assert found.used.all()


def test_levels_without_a_column_are_not_used() -> None:
    """And only those."""
    found = likelihood(SWEPT.fitting, SWEPT.encoders, {"level:device": "no"}, most=6.0)
    assert found.used.tolist() == [0.0 if level == "device" else 1.0 for level in LEVELS]


def test_an_unknown_distance_is_taken_as_far_as_few_logins_are() -> None:
    """The 95 % quantile of the known ones: neither near nor impossible."""
    assert 100.0 < unknown_km(SWEPT.fitting) < 12_000.0
    assert unknown_km([]) == 0.0


def test_match_rates_count_legitimate_logins_and_say_what_cannot_be_told() -> None:
    """A share for each rule, None where the log lacks its column."""
    rates = match_rates(SWEPT.fitting, {"rule:tor_exit": "no"})
    assert set(rates) == set(RULES)
    assert rates["tor_exit"] is None
    assert rates["bad_reputation"] == pytest.approx(0.03, abs=0.02)
    assert rates["unparseable_fingerprint"] == 1.0
    assert np.isfinite([rate for rate in rates.values() if rate is not None]).all()
