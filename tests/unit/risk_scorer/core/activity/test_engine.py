"""Findings become evidence, evidence a score, and nothing suspicious teaches."""

from itertools import pairwise
from typing import ClassVar

import pytest

from risk_scorer.contract.activity import STEP_UP_FROM, recommended
from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.detectors.hours import MOST_NATS as HOURS_MOST
from risk_scorer.core.activity.engine import BASELINE, Engine
from risk_scorer.core.activity.evidence import FAMILY_NATS, HALF_LIFE_SECONDS, pardon
from risk_scorer.core.activity.finding import MOST_NATS, UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, part_in
from risk_scorer.core.activity.scale import SHIPPED
from risk_scorer.core.activity.seen import Seen
from tests.unit.risk_scorer.core.activity.work import House, done


class Tally(Part):
    most_bytes: ClassVar[int] = 10
    looked: int = 0
    learned: int = 0


class Says(Detector):
    """Finds as many nats as the event has bytes in; `learn` and `note` count."""

    warm_up = ""

    def __init__(self, name: str = "says", family: str = "words") -> None:
        self.name, self.family = name, family
        self.texts = {name: f"{name} says so."}
        self.parts = {"person": Tally, "session": Tally}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        if seen.method == "HEAD":
            return UNKNOWN
        nats = float(seen.bytes_in) if seen.service in ("shop", self.name) else 0.0
        return Finding(self.name, nats, str(seen.bytes_in), "0") if nats else None

    def learn(self, seen: Seen, around: Around) -> None:
        part_in(around.person, self.name, Tally).learned += 1

    def note(self, seen: Seen, around: Around) -> None:
        part_in(around.session, self.name, Tally).looked += 1


def test_nothing_found_is_a_quiet_score() -> None:
    """Without evidence the score is the scale's beginning, and one signal says so."""
    house = House([Says()])
    judged = house.sees([done(0.0)])
    assert judged.total_score == SHIPPED.score[0]
    assert [(signal.code, signal.points) for signal in house.engine.signals(judged)] == [(BASELINE, 2.0)]


def test_more_evidence_is_never_a_lower_score() -> None:
    """Over the whole range and beyond it, the score rises with the nats and stays below 100."""
    scores = [SHIPPED.at(step / 10) for step in range(500)]
    assert all(low < high for low, high in pairwise(scores))
    assert scores[-1] < 100.0


@pytest.mark.parametrize("found", [(1,), (3, 2), (6, 6), (1, 2, 3, 4)])
def test_the_points_of_all_signals_add_up_to_the_score(found: tuple[int, ...]) -> None:
    """To the hundredth, however many speak."""
    detectors = [Says(f"d{place}", f"f{place}") for place in range(len(found))]
    house = House(detectors)
    for place, nats in enumerate(found):
        judged = house.sees([done(0.0, bytes_in=nats, service=f"d{place}")])
    signals = house.engine.signals(judged)
    assert round(sum(signal.points for signal in signals), 2) == judged.total_score
    assert len(signals) == len(found) + 1
    assert all(signal.points > 0 and signal.text for signal in signals)


def test_the_strongest_of_one_detector_counts_and_fades() -> None:
    """The same thing found again adds nothing; half an hour later it counts half."""
    house = House([Says()])
    once = house.sees([done(0.0, bytes_in=4)])
    again = house.sees([done(0.0, bytes_in=4), done(0.0, bytes_in=2)])
    assert once.nats == again.nats == 4.0
    assert house.sees([done(HALF_LIFE_SECONDS)]).nats == pytest.approx(2.0)


def test_a_detector_and_a_family_have_bounds() -> None:
    """One detector never says more than `MOST_NATS`, its family never more than `FAMILY_NATS`; families add up."""
    assert House([Says()]).sees([done(0.0, bytes_in=50)]).nats == MOST_NATS
    assert House([Says("a"), Says("b")]).sees([done(0.0, bytes_in=50)]).nats == FAMILY_NATS
    assert House([Says("a", "x"), Says("b", "y")]).sees([done(0.0, bytes_in=50)]).nats == 2 * MOST_NATS


def test_what_is_unknown_is_told_and_counts_nothing() -> None:
    """Neither safe nor an alarm."""
    judged = House([Says("a"), Says("b")]).sees([done(0.0, method="HEAD")])
    assert judged.unknown == ("a", "b")
    assert judged.total_score == SHIPPED.score[0]


def test_no_event_of_a_suspicious_session_teaches() -> None:
    """From the finding on that makes it medium, until that has faded; what is noted is noted always."""
    house = House([Says("a", "x"), Says("b", "y")])
    own = house.people["ada"]
    house.sees([done(-9.0, session="before"), done(0.0)])
    assert own["a"].learned == 2
    house.sees([done(1.0, bytes_in=2)])  # two findings of two nats are suspicious together
    assert own["a"].learned == 1  # and what the session has taught before is taken back
    house.sees([done(2.0), done(3.0)])
    assert own["a"].learned == 1
    house.sees([done(3.0 + HALF_LIFE_SECONDS)])
    assert own["a"].learned == 2
    assert house.sessions["s"]["a"].looked == 5


def test_a_strong_finding_teaches_nothing_though_the_session_be_calm() -> None:
    """Three nats are below every mark, and the event that they were found in is still not learned."""
    house = House([Says()])
    judged = house.sees([done(0.0, bytes_in=3)])
    assert judged.total_score < 60.0
    assert not judged.has_taught
    assert house.sees([done(0.0, session="other")]).has_taught


def test_a_factor_pardons_what_was_found_and_nothing_stronger() -> None:
    """The same again is not held against the person, and teaches; more counts by what it exceeds."""
    house = House([Says()])
    assert house.sees([done(0.0, bytes_in=5)]).total_score > 60.0
    pardon(house.sessions["s"])
    again = house.sees([done(1.0, bytes_in=5)])
    assert again.nats == 0.0
    assert again.has_taught
    assert house.sees([done(2.0, bytes_in=6)]).nats == pytest.approx(1.0, abs=0.01)


def test_how_a_session_stands_later_changes_nothing() -> None:
    """Asking is not an event."""
    house = House([Says()])
    house.sees([done(0.0, bytes_in=4)])
    assert house.engine.standing(house.sessions["s"], HALF_LIFE_SECONDS).nats == pytest.approx(2.0)
    assert house.engine.standing(house.sessions["s"], 0.0).nats == 4.0
    assert house.engine.standing({}, 0.0).total_score == SHIPPED.score[0]


def test_every_detector_can_move_the_decision_and_all_together_reach_the_last_mark() -> None:
    """One at its strongest reaches the step-up, but for the hour, which alone asks nobody; all of them a freeze."""
    alone = {each.name: MOST_NATS if each.name != "hours" else HOURS_MOST for each in ALL}
    reach = {name: recommended(SHIPPED.at(nats)) for name, nats in alone.items()}
    assert [name for name, action in reach.items() if action == "allow"] == ["hours"]
    assert SHIPPED.at(HOURS_MOST + 1.0) > STEP_UP_FROM
    families = {each.family for each in ALL}
    assert recommended(SHIPPED.at(MOST_NATS * len(families))) == "freeze"


def test_two_detectors_of_one_name_are_refused() -> None:
    """They would write into each other's memory."""
    with pytest.raises(ValueError, match="share a memory"):
        Engine([Says(), Says()])
