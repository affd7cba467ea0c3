"""How likely a value is among everyone: a probability that is never 0, and backs off step by step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk_scorer.core.encoders import COUNTED, SMOOTHING, kinds
from risk_scorer.core.shares import WIDER, shares
from risk_scorer.core.signals import COLUMNS, PLACE, gather, table
from tests.unit.risk_scorer.core.small import HOME, STRANGE, encoders, seen


def share(counts: dict[str, float], total: float, values: dict[str, float]) -> dict[str, float]:
    """The shares of one login whose attributes are counted so often, among so many values of each."""
    row = np.zeros((1, len(COLUMNS)))
    for name, count in counts.items():
        row[0, PLACE[f"count_{name}"]] = count
    found = shares(row, total, np.array([values.get(name, 0.0) for name in COUNTED]))[0]
    return dict(zip(COUNTED, found.tolist(), strict=True))


def test_shares_of_values_with_nothing_wider_add_up_to_one() -> None:
    """Three known countries and one for all that were never seen."""
    found = [share({"country": count}, 90.0, {"country": 3.0})["country"] for count in (60.0, 29.0, 1.0, 0.0)]
    assert sum(found) == pytest.approx(1.0, abs=1e-12)
    assert found == sorted(found, reverse=True)


def test_shares_add_up_to_one_through_every_step_of_the_way_out() -> None:
    """One known country and the unknown one, of three operators each; each operator with two networks."""
    values = {"country": 1.0, "asn": 5.0, "prefix": 11.0}
    asn, prefix = [], []
    for country, operators in ((80.0, (50.0, 30.0, 0.0)), (0.0, (0.0, 0.0, 0.0))):
        for operator in operators:
            for network in (operator / 2.0, operator / 2.0):
                found = share({"country": country, "asn": operator, "prefix": network}, 80.0, values)
                prefix.append(found["prefix"])
            asn.append(found["asn"])
    assert sum(asn) == pytest.approx(1.0, abs=1e-12)
    assert sum(prefix) == pytest.approx(1.0, abs=1e-12)


def test_a_share_is_the_smoothed_frequency() -> None:
    """(c + b q) / (total + b), written out for a country and an operator in it."""
    found = share({"country": 40.0, "asn": 10.0}, 100.0, {"country": 4.0, "asn": 19.0})
    country = (40.0 + SMOOTHING) / (100.0 + SMOOTHING * 5.0)
    assert found["country"] == pytest.approx(country)
    spare = SMOOTHING * 20.0
    assert found["asn"] == pytest.approx((10.0 + spare * country * 5.0 / 20.0) / (100.0 + spare))


def test_no_value_gets_more_than_all_that_is_spare() -> None:
    """Where operators are fewer than countries, the one of a common country has no share of more than one."""
    found = share({"country": 90.0}, 100.0, {"country": 9.0})
    assert found["asn"] == pytest.approx(SMOOTHING / (100.0 + SMOOTHING))


@pytest.mark.parametrize(("level", "wider"), list(WIDER.items()))
def test_an_unseen_value_is_likelier_where_what_it_belongs_to_is_common(level: str, wider: str) -> None:
    """An unseen network of a common operator is likelier than one of an operator that nobody uses."""
    values = dict.fromkeys(COUNTED, 30.0)
    common, unknown = share({wider: 50.0}, 100.0, values), share({}, 100.0, values)
    assert common[level] > unknown[level]


@pytest.mark.parametrize(
    "way", [("country", "asn", "prefix", "ip"), ("device_type", "os", "browser", "browser_version", "ua")]
)
def test_the_way_out_goes_step_by_step(way: tuple[str, ...]) -> None:
    """A common value lifts all that are narrower and none that are wider or of another kind."""
    values = dict.fromkeys(COUNTED, 30.0)
    nothing = share({}, 100.0, values)
    for place, name in enumerate(way):
        lifted = share({name: 50.0}, 100.0, values)
        assert {each for each in COUNTED if lifted[each] != nothing[each]} == set(way[place:])


def test_everything_of_our_attributes_is_on_one_way_or_stands_alone() -> None:
    """Devices, fingerprints and people back off to the world at once."""
    assert set(COUNTED) - set(WIDER) == {"user", "country", "device_type", "device", "ja4", "ja4h", "ja4s"}


@settings(deadline=None)
@given(
    counts=st.dictionaries(st.sampled_from(COUNTED), st.integers(0, 10**7)),
    values=st.dictionaries(st.sampled_from(COUNTED), st.integers(0, 10**6)),
    total=st.integers(0, 10**7),
)
def test_a_share_is_more_than_none_and_at_most_all(
    counts: dict[str, float], values: dict[str, float], total: float
) -> None:
    """Even where nothing was counted, and where an operator is counted more often than its country."""
    found = share(counts, float(total), values)
    assert all(0.0 < each <= 1.0 for each in found.values())


def test_one_row_has_the_bits_that_it_has_in_a_batch() -> None:
    """Neighbours do not matter."""
    counts = encoders()
    rows = table([gather(counts, each, None) for each in (HOME, STRANGE, seen(asn_key="64502"), HOME)])
    together = shares(rows, 1000.0, kinds(counts))
    for row in range(len(rows)):
        assert (shares(rows[row : row + 1], 1000.0, kinds(counts))[0] == together[row]).all()
