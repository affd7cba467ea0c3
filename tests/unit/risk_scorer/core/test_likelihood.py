"""Somebody else or this person: nats for each level, with back-off."""

import math

import numpy as np
import pytest

from risk_scorer.core.encoders import kinds
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.likelihood import MIMICRY, PARENT, Likelihood, familiar, own_share, terms, world_share
from risk_scorer.core.observation import Observation
from risk_scorer.core.signals import LEVELS, gather, table
from tests.unit.risk_scorer.core.small import HOME, STRANGE, encoders, known, likelihood, seen


def nats(observation: Observation, history: UserHistory | None, numbers: Likelihood | None = None) -> dict[str, float]:
    counts = encoders()
    rows = table([gather(counts, observation, history)])
    found = terms(rows, numbers or likelihood(), total=float(counts.total), kinds=kinds(counts))[0]
    return dict(zip(LEVELS, found.tolist(), strict=True))


WITHOUT_RARITY = likelihood(scale=np.zeros(len(LEVELS)))


def test_a_person_without_history_gets_no_likelihood_at_all() -> None:
    """Nothing is known, so nothing speaks for or against: every term is 0, however strange the login."""
    assert nats(STRANGE, None, WITHOUT_RARITY) == dict.fromkeys(LEVELS, pytest.approx(0.0, abs=1e-12))


def test_rarity_speaks_even_to_a_person_without_history() -> None:
    """A network operator that nobody uses raises evidence for a new account; a common one lowers it."""
    assert nats(STRANGE, None)["asn"] > 3.0
    assert nats(HOME, None)["asn"] < 0.0


def test_the_owner_is_excused_and_a_stranger_accused() -> None:
    """The same levels have opposite signs for a usual login and for one where everything is new."""
    own, strange = nats(HOME, known()), nats(STRANGE, known())
    assert all(own[level] <= 1e-12 for level in LEVELS)
    assert strange["country"] == pytest.approx(math.log(0.5 + 0.5 * 21.0))
    assert sum(strange.values()) > 10.0 > 0.0 > sum(own.values())


def test_the_longer_a_history_the_more_a_new_value_says() -> None:
    """A first new device in a hundred logins is stranger than in two."""
    assert 0.0 < nats(STRANGE, known(2))["device"] < nats(STRANGE, known(100))["device"]


@pytest.mark.parametrize("level", [level for level in LEVELS if PARENT[level]])
def test_what_follows_from_a_new_parent_is_not_counted_again(level: str) -> None:
    """A new country brings a new network: only the country is evidence."""
    assert nats(STRANGE, known(), WITHOUT_RARITY)[level] == pytest.approx(0.0, abs=1e-12)


def test_a_new_network_in_the_usual_country_is_evidence_of_its_own() -> None:
    """The back-off stops at the first level that is known."""
    found = nats(seen(asn_key="64501", prefix="192.0.2.0/24", ip="192.0.2.1"), known())
    assert found["country"] < 0.0 < found["asn"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_familiar_value_excuses_no_more_than_an_imitator_could_earn(level: str) -> None:
    """Whoever copies the victim's browser gets at most log of the share of attackers who do."""
    assert nats(HOME, known(500))[level] >= math.log(MIMICRY[level])


def test_one_novelty_alone_is_bounded() -> None:
    """No term exceeds `most`."""
    loyal = likelihood(strength=np.full(len(LEVELS), 1e-9))
    assert max(nats(STRANGE, known(), loyal).values()) == 6.0


def test_a_person_who_often_changes_surprises_less() -> None:
    """With a discount, ten devices in ten logins make the eleventh ordinary."""
    discounted = likelihood(discount=np.full(len(LEVELS), 0.8))
    wanderer = known(1)
    for number in range(9):
        wanderer = learn(wanderer, seen(device_id=f"dev-{number + 10}"), "success")
    assert nats(STRANGE, wanderer, discounted)["device"] < 1.0 < nats(STRANGE, known(10), discounted)["device"]


def test_what_is_rare_among_all_may_be_usual_for_one() -> None:
    """A person's own rare network does not speak against them."""
    own = known(1)
    for _ in range(20):
        own = learn(own, seen(asn_key="64502"), "success")
    assert nats(seen(asn_key="64502"), own)["asn"] <= 0.0 < nats(seen(asn_key="64502"), None)["asn"]


def test_a_level_that_the_log_lacks_is_silent() -> None:
    """Unused levels are exactly 0."""
    unused = likelihood(used=np.zeros(len(LEVELS)))
    assert set(nats(STRANGE, known(), unused).values()) == {0.0}


def test_own_shares_add_up_to_one() -> None:
    """Over all values a person could bring, back-off gives a probability."""
    world = np.array([0.5, 0.3, 0.15, 0.05])
    counts = np.array([6.0, 3.0, 0.0, 0.0])
    assert own_share(counts, 9.0, 2.0, world, 0.7, 0.4).sum() == pytest.approx(1.0)


def test_a_share_of_the_world_is_never_above_one() -> None:
    """An operator counted in more logins than its country still has at most all of them."""
    assert world_share(10.0, 2.0, 3.0) == 1.0
    assert 0.0 < world_share(0.0, 1000.0, 3.0) < 0.001


def test_only_a_new_value_could_have_been_familiar() -> None:
    """What it would have been worth to be known: nothing for known values and for people without history."""
    rows = table(
        [gather(encoders(), each, past) for each, past in ((STRANGE, known()), (HOME, known()), (STRANGE, None))]
    )
    found = familiar(rows, likelihood())
    assert found[0].tolist() == pytest.approx([math.log(MIMICRY[level]) for level in LEVELS])
    assert not found[1:].any()
