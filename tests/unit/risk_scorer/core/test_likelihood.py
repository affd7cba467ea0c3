"""Somebody else or this person: nats for each level by itself, and what rarity adds."""

import math

import numpy as np
import pytest

from risk_scorer.core.encoders import kinds
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.likelihood import RARE_SHARE, Likelihood, own_share, rarity, ratios
from risk_scorer.core.observation import Observation
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import LEVELS, gather, table
from tests.unit.risk_scorer.core.small import HOME, STRANGE, encoders, known, likelihood, seen


def nats(observation: Observation, history: UserHistory | None, numbers: Likelihood | None = None) -> dict[str, float]:
    counts = encoders()
    rows = table([gather(counts, observation, history)])
    found = ratios(rows, shares(rows, float(counts.total), kinds(counts)), numbers or likelihood())[0]
    return dict(zip(LEVELS, found.tolist(), strict=True))


def rare(observation: Observation, history: UserHistory | None, numbers: Likelihood | None = None) -> dict[str, float]:
    rows = table([gather(encoders(), observation, history)])
    return dict(zip(LEVELS, rarity(rows, numbers or likelihood())[0].tolist(), strict=True))


@pytest.mark.parametrize("observation", [HOME, STRANGE])
def test_a_person_without_history_gets_no_likelihood_at_all(observation: Observation) -> None:
    """Nothing is known, so nothing speaks for or against: every ratio is 0, however strange the login."""
    assert set(nats(observation, None).values()) == {0.0}


def test_the_owner_is_excused_and_a_stranger_accused() -> None:
    """Usual values are likelier for the person than for all, values they never had are likelier for all."""
    assert all(value <= 1e-12 for value in nats(HOME, known()).values())
    assert all(value > 0.0 for value in nats(STRANGE, known()).values())


def test_a_ratio_is_the_share_among_all_over_the_share_for_the_person() -> None:
    """With one login of back-off, a device never had in twenty logins is 21 times likelier among everyone."""
    assert nats(STRANGE, known(20))["device"] == pytest.approx(math.log(21.0))
    everyone = 20.5 / 1001.5  # of a thousand logins with two devices: half a login more for each, and for unseen ones
    assert nats(HOME, known(20))["device"] == pytest.approx(math.log(everyone * 21.0 / (20.0 + everyone)))


def test_the_longer_a_history_the_more_a_new_value_says() -> None:
    """A first new device in a hundred logins is stranger than in two."""
    assert 0.0 < nats(STRANGE, known(2))["device"] < nats(STRANGE, known(100))["device"]


def test_levels_do_not_lean_on_each_other() -> None:
    """A new device changes the ratio of the device alone."""
    usual, other = nats(HOME, known()), nats(seen(device_id="dev-2"), known())
    assert {level for level in LEVELS if usual[level] != other[level]} == {"device"}


def test_a_person_who_often_changes_surprises_less() -> None:
    """With a discount, ten devices in ten logins make the eleventh ordinary."""
    discounted = likelihood(discount=np.full(len(LEVELS), 0.8))
    wanderer = known(1)
    for number in range(9):
        wanderer = learn(wanderer, seen(device_id=f"dev-{number + 10}"), "success")
    assert nats(STRANGE, wanderer, discounted)["device"] < 1.0 < nats(STRANGE, known(10), discounted)["device"]


def test_more_back_off_says_less() -> None:
    """At a level where people are not loyal, a new value is nearly as likely for the person as for all."""
    fickle = likelihood(strength=np.full(len(LEVELS), 1000.0))
    assert 0.0 < nats(STRANGE, known(), fickle)["device"] < 0.1 < nats(STRANGE, known())["device"]


def test_a_level_that_the_log_lacks_is_silent() -> None:
    """An unused level is exactly 0, in ratio and rarity, and no other is."""
    unused = likelihood(used=np.where(np.array(LEVELS) == "asn", 0.0, 1.0))
    found = nats(STRANGE, known(), unused)
    assert {level for level in LEVELS if found[level] == 0.0} == {"asn"}
    assert rare(STRANGE, known())["asn"] > 0.0
    assert set(rare(STRANGE, known(), unused).values()) == {0.0}


def test_rarity_speaks_even_of_a_person_without_history() -> None:
    """A network operator that nobody uses counts against a new account; a common one says nothing, never less."""
    unseen = math.log(1.0 - RARE_SHARE + RARE_SHARE * 250.0)
    assert rare(STRANGE, None) == {level: pytest.approx(unseen) if level == "asn" else 0.0 for level in LEVELS}
    assert set(rare(HOME, None).values()) == {0.0}


def test_the_rarer_a_value_the_more_rarity_adds() -> None:
    """Seen once it counts by `scale`, seen often it does not count."""
    once = rare(seen(asn_key="64502"), None)["asn"]
    assert once == pytest.approx(math.log(1.0 - RARE_SHARE + RARE_SHARE * 300.0))
    assert rare(seen(asn_key="64501"), None)["asn"] == 0.0


def test_what_is_rare_among_all_may_be_usual_for_one() -> None:
    """A person's own rare network does not speak against them from the second time on."""
    own = learn(known(20), seen(asn_key="64502"), "success")
    assert rare(seen(asn_key="64502"), known(20))["asn"] > 3.0
    assert rare(seen(asn_key="64502"), own)["asn"] == 0.0


def test_one_rarity_is_bounded() -> None:
    """It adds at most `most`."""
    assert rare(STRANGE, None, likelihood(most=2.0))["asn"] == 2.0


def test_own_shares_add_up_to_one() -> None:
    """Over all values a person could bring, back-off gives a probability."""
    world = np.array([0.5, 0.3, 0.15, 0.05])
    counts = np.array([6.0, 3.0, 0.0, 0.0])
    assert own_share(counts, 9.0, 2.0, world, 0.7, 0.4).sum() == pytest.approx(1.0)


def test_one_row_has_the_bits_that_it_has_in_a_batch() -> None:
    """Neighbours do not matter."""
    counts = encoders()
    rows = table([gather(counts, each, past) for each in (HOME, STRANGE) for past in (None, known(1), known(20))])
    shared, numbers = shares(rows, float(counts.total), kinds(counts)), likelihood()
    for row in range(len(rows)):
        one = slice(row, row + 1)
        assert (ratios(rows[one], shared[one], numbers)[0] == ratios(rows, shared, numbers)[row]).all()
        assert (rarity(rows[one], numbers)[0] == rarity(rows, numbers)[row]).all()
