"""People of whom little is known, or who were long away, are neither waved through nor shut out.

That the reasons add up to the score is checked with every answer.
"""

import pytest

from tests.stories.sample_people import (
    ABROAD,
    CURL,
    DAY,
    FIREFOX,
    LISTED,
    LOG_ENDS,
    MEDIUM_FROM,
    TOR_EXIT,
    Context,
    SampleScorer,
    codes,
    said_of,
)

DONORS = ["u214", "u209", "u52", "u241", "u77", "u346"]
"""People of six countries whose common networks and browsers somebody new may share."""
ABSENT = ["alice", "u133", "u205", "u278", "u313", "u65"]
ALL_CLEAR_BELOW = 30.0
"""What the usual login of a known person scores is far below it; half-way between owner and stranger is above it."""


def somebody_new(scorer: SampleScorer, donor: str, network: Context | None = None, *, user: str = "") -> Context:
    """A person who was never seen, with an own device, on the donor's network or another, with the donor's browser."""
    like = scorer.people.usual(donor) if network is None else scorer.people.elsewhere(donor, network)
    return {**like, "user_id": user or f"new-{donor}", "device_id": "device-of-somebody-new"}


@pytest.mark.parametrize("donor", DONORS)
def test_somebody_unknown_at_a_common_place_is_neither_all_clear_nor_an_alarm(
    sample_scorer: SampleScorer, donor: str
) -> None:
    """Half-way: below the mark for a second factor, above what is all-clear, and above the same login of somebody
    known; the missing history is what is told first."""
    unknown = sample_scorer.score(somebody_new(sample_scorer, donor))
    known = sample_scorer.score(sample_scorer.people.usual(donor))
    assert known["risk_score"] < ALL_CLEAR_BELOW < unknown["risk_score"] < MEDIUM_FROM
    assert codes(unknown)[0] == "no_history"
    assert "no_history" not in codes(known)


@pytest.mark.parametrize("donor", DONORS)
@pytest.mark.parametrize(("network", "cause"), [(TOR_EXIT, "tor_exit"), (LISTED, "listed_network")])
def test_somebody_unknown_from_a_bad_network_is_asked(
    sample_scorer: SampleScorer, donor: str, network: Context, cause: str
) -> None:
    """What is bad in itself needs no history to speak."""
    unknown = sample_scorer.score(somebody_new(sample_scorer, donor, network))
    assert unknown["risk_score"] >= MEDIUM_FROM
    assert {cause, "no_history"} <= set(codes(unknown))


def test_the_first_logins_are_the_beginning_of_a_history(sample_scorer: SampleScorer) -> None:
    """After one login and after two the person at home is better known each time, a stranger abroad or from Tor is
    asked, and nothing says any more that nobody is known."""
    home = somebody_new(sample_scorer, "u214", user="newcomer")
    attackers = [{**somebody_new(sample_scorer, "u214", where, user="newcomer"), **FIREFOX} for where in PLACES]
    before = sample_scorer.points(home)
    for logins in (1, 2):
        sample_scorer.end(home, at=LOG_ENDS + logins * DAY)
        now = LOG_ENDS + (logins + 1) * DAY
        at_home = sample_scorer.score(home, at=now)
        assert at_home["risk_score"] < before < MEDIUM_FROM
        assert at_home["explain"]["known_logins"] == logins
        assert "no_history" not in codes(at_home)
        for attacker in attackers:
            found = sample_scorer.score(attacker, at=now)
            assert found["risk_score"] >= MEDIUM_FROM
            assert "no_history" not in codes(found)
        before = at_home["risk_score"]


PLACES = (ABROAD, TOR_EXIT, LISTED)


@pytest.mark.parametrize("user", ABSENT)
def test_after_a_long_absence_a_new_device_says_less(sample_scorer: SampleScorer, user: str) -> None:
    """People come back with new devices: after 300 days it adds less than after one day, both in points and beyond
    what the person's own device would have scored that day, and that one still lets them in."""
    home = sample_scorer.people.usual(user)
    new_device = {**home, "device_id": "new-phone"}
    sample_scorer.end(home)
    soon, late = (sample_scorer.score(new_device, at=LOG_ENDS + days * DAY) for days in (1, 300))
    own_soon, own_late = (sample_scorer.points(home, at=LOG_ENDS + days * DAY) for days in (1, 300))
    assert 0.0 < said_of(late, "new_device") < said_of(soon, "new_device")
    assert late["risk_score"] - own_late < soon["risk_score"] - own_soon
    assert own_soon <= own_late < MEDIUM_FROM
    assert late["explain"]["days_since_last"] == pytest.approx(300.0)


@pytest.mark.parametrize("user", ABSENT)
@pytest.mark.parametrize("client", [{"device_id": "new-phone"}, FIREFOX, CURL], ids=["device", "browser", "program"])
def test_an_absence_excuses_no_stranger(sample_scorer: SampleScorer, user: str, client: Context) -> None:
    """A new device in a new country is asked after a day and after 300 days."""
    abroad = sample_scorer.people.elsewhere(user, ABROAD, **client)
    sample_scorer.end(sample_scorer.people.usual(user))
    for days in (1, 300):
        found = sample_scorer.score(abroad, at=LOG_ENDS + days * DAY)
        assert found["risk_score"] >= MEDIUM_FROM
        assert "new_country" in codes(found)
