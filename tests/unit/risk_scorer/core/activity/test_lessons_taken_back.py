"""What a session taught before it turned out to be suspicious is undone, and nothing else is."""

from typing import ClassVar

from risk_scorer.core.activity.lessons_taken_back import KEPT_SECONDS, NAME, Before, keep_before, take_back
from risk_scorer.core.activity.memory import Memory, Part, packed, unpacked


class Learned(Part):
    most_bytes: ClassVar[int] = 10
    count: int = 0


PARTS = {"a": Learned, "b": Learned}


def test_baselines_are_again_what_they_were_when_the_session_began() -> None:
    """One that was changed, one that was begun since, and one that is none of these parts."""
    person: Memory = {"a": Learned(1), "other": Learned(1)}
    session: Memory = {}
    keep_before(session, person, PARTS, 0.0)
    person["a"].count, person["b"], person["other"].count = 9, Learned(9), 9
    take_back(session, person, PARTS)
    assert person == {"a": Learned(1), "other": Learned(9)}


def test_it_is_taken_back_once() -> None:
    """What is learned afterwards, of a pardoned session or of others meanwhile, is not lost by the next finding."""
    person: Memory = {"a": Learned(1)}
    session: Memory = {}
    keep_before(session, person, PARTS, 0.0)
    take_back(session, person, PARTS)
    person["a"].count = 5
    take_back(session, person, PARTS)
    assert person["a"].count == 5


def test_what_a_calm_session_taught_for_hours_stays() -> None:
    """After `KEPT_SECONDS` of calm what is known is what it is taken back to."""
    person: Memory = {"a": Learned(1)}
    session: Memory = {}
    keep_before(session, person, PARTS, 0.0)
    person["a"].count = 2
    keep_before(session, person, PARTS, KEPT_SECONDS)
    keep_before(session, person, PARTS, KEPT_SECONDS + 1.0)
    person["a"].count = 3
    take_back(session, person, PARTS)
    assert person["a"].count == 2


def test_a_session_that_began_suspicious_has_nothing_to_take_back() -> None:
    """Its first event was not learned; the person is left alone."""
    person: Memory = {"a": Learned(1)}
    take_back({}, person, PARTS)
    assert person["a"].count == 1


def test_it_survives_being_stored() -> None:
    """A scorer that restarts in the midst of a session takes back the same."""
    person: Memory = {"a": Learned(1)}
    session: Memory = {}
    keep_before(session, person, PARTS, 0.0)
    person["a"].count = 9
    take_back(unpacked(packed(session), {NAME: Before}), person, PARTS)
    assert person["a"].count == 1
