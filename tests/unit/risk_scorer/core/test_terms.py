"""Evidence stands in one order, what would be usual beside it, and a pardon leaves no more than what is usual."""

from typing import Any

import numpy as np
import pytest

from risk_scorer.core.pairs import PARTS, PAUSE
from risk_scorer.core.rules import RULES
from risk_scorer.core.signals import COLUMNS, LEVELS, PLACE
from risk_scorer.core.terms import HOUR, TERM, TERMS, UNUSUAL, Found, together

USUAL = -0.1 * np.arange(1.0, len(PARTS) + 1.0)
OPERATOR, ADDRESS = {"country", "asn"}, {"prefix", "ip"}
CLIENT = {"device_type", "os", "browser", "browser_version", "device", "ja4", "ja4h", "ja4s"}


def found(**changes: Any) -> Found:
    """One login against which everything speaks, each term by another amount."""
    fields: dict[str, Any] = {
        "surprise": np.array([0.5]),
        "parts": 1.0 + 0.01 * np.arange(len(PARTS))[None],
        "rarity": 2.0 + 0.1 * np.arange(len(LEVELS))[None],
        "hour": np.array([0.7]),
        "rules": 10.0 + np.arange(float(len(RULES)))[None],
    }
    return Found(**{**fields, **changes})


def terms(
    what: Found, *, logins: float = 20.0, network: float = 0.0, client: float = 0.0
) -> tuple[dict[str, float], dict[str, float]]:
    signals = np.zeros((1, len(COLUMNS)))
    signals[0, [PLACE["logins"], PLACE["pardoned_network"], PLACE["pardoned_client"]]] = logins, network, client
    evidence, familiar = together(signals, what, USUAL)
    return tuple(dict(zip(TERMS, each[0].tolist(), strict=True)) for each in (evidence, familiar))  # type: ignore[return-value]


def test_the_order_is_forest_levels_pause_hour_rules() -> None:
    """Every array of evidence and points has it, and every term has one place."""
    assert (UNUSUAL, *LEVELS, PAUSE, HOUR, *RULES) == TERMS
    assert [TERM[name] for name in TERMS] == list(range(len(TERMS)))


def test_each_number_stands_at_its_term() -> None:
    """A level is what its part says and what its rarity adds; the pause has no rarity."""
    evidence, _ = terms(found())
    expected = {UNUSUAL: 0.5, PAUSE: 1.0 + 0.01 * len(LEVELS), HOUR: 0.7}
    expected |= {level: 3.0 + 0.11 * place for place, level in enumerate(LEVELS)}
    expected |= {rule: 10.0 + place for place, rule in enumerate(RULES)}
    assert evidence == pytest.approx(expected)


def test_what_is_usual_of_a_known_person_is_what_ordinary_logins_say() -> None:
    """Each part's own usual; no rule and no surprise is usual."""
    _, familiar = terms(found())
    usual = dict(zip(PARTS, USUAL.tolist(), strict=True))
    assert familiar == {**dict.fromkeys(TERMS, 0.0), **usual}


@pytest.mark.parametrize(("hour", "usual"), [(0.7, 0.0), (0.0, 0.0), (-0.4, -0.4)])
def test_an_hour_is_compared_with_none_unless_it_excuses(hour: float, usual: float) -> None:
    """A usual hour adds no points to itself."""
    evidence, familiar = terms(found(hour=np.array([hour])))
    assert (evidence[HOUR], familiar[HOUR]) == (hour, usual)


def test_nothing_is_usual_of_somebody_unknown_but_what_they_lack() -> None:
    """All that habits would have said for them is missing at the pause, at no level."""
    _, familiar = terms(found(), logins=0.0)
    assert familiar == {**dict.fromkeys(TERMS, 0.0), PAUSE: pytest.approx(USUAL.sum())}


@pytest.mark.parametrize(
    ("pardons", "silenced"),
    [
        ({}, set()),
        ({"network": 0.5}, OPERATOR),
        ({"network": 1.0}, OPERATOR | ADDRESS),
        ({"client": 1.0}, CLIENT),
        ({"network": 0.5, "client": 1.0}, OPERATOR | CLIENT),
        ({"network": 1.0, "client": 1.0}, OPERATOR | ADDRESS | CLIENT | {UNUSUAL, HOUR}),
    ],
)
def test_a_pardon_silences_what_it_is_of_and_nothing_else(pardons: dict[str, float], silenced: set[str]) -> None:
    """A pardoned operator is not a pardoned address; only both, address and client, excuse a rare combination."""
    before, usual = terms(found())
    evidence, familiar = terms(found(), **pardons)
    assert familiar == usual
    assert evidence == {name: usual[name] if name in silenced else before[name] for name in TERMS}


def test_a_pardon_takes_nothing_from_what_already_excuses() -> None:
    """What is less than usual evidence stays so."""
    excused = found(surprise=np.array([-0.2]), parts=np.full((1, len(PARTS)), -9.0), hour=np.array([-0.3]),
                    rarity=np.zeros((1, len(LEVELS))))  # fmt: skip
    assert terms(excused, network=1.0, client=1.0) == terms(excused)


@pytest.mark.parametrize("pardons", [{"network": 1.0}, {"client": 1.0}])
def test_a_pardon_of_somebody_unknown_leaves_nothing_against_them(pardons: dict[str, float]) -> None:
    """Without history nothing excuses either: the pardoned terms are 0."""
    evidence, _ = terms(found(), logins=0.0, **pardons)
    silenced = OPERATOR | ADDRESS if "network" in pardons else CLIENT
    assert {evidence[name] for name in silenced} == {0.0}
    assert all(evidence[name] > 0.0 for name in TERMS if name not in silenced)


def test_each_login_has_its_own_pardon() -> None:
    """Three logins at once are the three of them alone."""
    signals = np.zeros((3, len(COLUMNS)))
    signals[:, PLACE["logins"]] = 20.0, 0.0, 5.0
    signals[1, PLACE["pardoned_network"]] = signals[2, PLACE["pardoned_client"]] = 1.0
    three = {name: np.repeat(getattr(found(), name), 3, axis=0) for name in Found.__slots__}
    evidence, familiar = together(signals, Found(**three), USUAL)
    alone = [terms(found()), terms(found(), logins=0.0, network=1.0), terms(found(), logins=5.0, client=1.0)]
    assert evidence.tolist() == [list(each.values()) for each, _ in alone]
    assert familiar.tolist() == [list(each.values()) for _, each in alone]
