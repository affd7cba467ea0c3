"""What an incident is made of, however often something is seen."""

import msgspec
import pytest

from risk_scorer.core.incidents.incident import (
    MOST_EVIDENCE,
    MOST_STEPS,
    Evidence,
    Incident,
    IncidentChange,
    Sighting,
    changed,
    due_at,
    folded,
    opened,
    responded,
)

NOW = 1_760_000_000.0


def cause(code: str, points: float = 30.0, *, session: str = "ses-1", at: float = NOW) -> Evidence:
    return Evidence(code=code, text="seen", points=points, at=at, session_id=session)


def sighting(score: float, *causes: Evidence, at: float = NOW, kind: str = "user") -> Sighting:
    subject = "alice" if kind == "user" else "cmp-1"
    return Sighting(kind=kind, subject=subject, at=at, score=score, evidence=causes, members=("alice",))  # type: ignore[arg-type]


def incident(score: float = 70.0) -> Incident:
    return opened(sighting(score, cause("several_actors")), incident_id="inc-1")


def test_what_is_seen_again_is_folded_in_and_is_no_news() -> None:
    """The score of the worst moment stays, and the timeline does not grow."""
    found, rises = folded(incident(75.0), sighting(65.0, cause("volume"), at=NOW + 60))
    assert not rises
    assert (found.score, found.sightings, found.version, found.updated_at) == (75.0, 2, 2, NOW + 60)
    assert {each.code for each in found.evidence} == {"several_actors", "volume"}
    assert len(found.timeline) == 1


@pytest.mark.parametrize(("before", "after", "rises"), [(70.0, 79.9, False), (70.0, 80.0, True), (85.0, 99.0, False)])
def test_a_higher_level_is_a_rise(before: float, after: float, rises: bool) -> None:
    """And a higher score within the level is none."""
    found, said = folded(incident(before), sighting(after))
    assert said is rises
    assert len(found.timeline) == 1 + rises


def test_an_acknowledged_incident_that_rises_is_open_again() -> None:
    """Its owner has not seen that, and stays its owner."""
    change = IncidentChange(by="soc/jane", why="mine", state="acknowledged", owner="soc/jane")
    held = changed(incident(70.0), change, at=NOW)
    assert held is not None
    found, _ = folded(held, sighting(90.0))
    assert (found.state, found.owner, found.timeline[-1].what) == ("open", "soc/jane", "reopened")


def test_each_cause_stands_there_once_for_each_session_at_its_strongest() -> None:
    """The strongest first."""
    found, _ = folded(
        incident(), sighting(70.0, cause("several_actors", 50.0), cause("several_actors", 5.0, session="x"))
    )
    assert [(each.session_id, each.points) for each in found.evidence] == [("ses-1", 50.0), ("x", 5.0)]


def test_a_storm_stays_one_page() -> None:
    """The beginning and the newest of the timeline stay, and the strongest evidence."""
    found = incident()
    for number in range(300):
        found, _ = folded(found, sighting(70.0, cause(f"c{number}", float(number))))
        found = responded(found, text=f"r{number}", at=NOW + number)
    assert len(found.evidence) == MOST_EVIDENCE
    assert found.evidence[0].points == 299.0
    assert len(found.timeline) == MOST_STEPS
    assert (found.timeline[0].what, found.timeline[-1].text) == ("opened", "r299")
    assert len(msgspec.json.encode(found)) < 32_768


def test_the_same_response_said_twice_is_one_line() -> None:
    """Reports come again."""
    once = responded(incident(), text="logout", at=NOW + 1)
    assert responded(once, text="logout", at=NOW + 1) is once


def test_nothing_changes_without_a_change() -> None:
    """A reason alone is none."""
    assert changed(incident(), IncidentChange(by="a", why="b"), at=NOW) is None
    assert changed(incident(), IncidentChange(by="a", why="b", state="open", owner=""), at=NOW) is None


def test_closing_says_when_and_why() -> None:
    """In the timeline, with whoever did it."""
    found = changed(incident(), IncidentChange(by="soc/jane", why="called", state="closed"), at=NOW + 9)
    assert found is not None
    assert (found.state, found.closed_at) == ("closed", NOW + 9)
    assert (found.timeline[-1].what, found.timeline[-1].by, found.timeline[-1].text) == ("closed", "soc/jane", "called")


@pytest.mark.parametrize(
    ("announced_at", "at_once", "expected"),
    [(None, False, NOW), (NOW - 10, True, NOW), (NOW - 10, False, NOW + 290), (NOW - 301, False, NOW)],
)
def test_what_is_no_news_is_told_at_the_pace(announced_at: float | None, at_once: bool, expected: float) -> None:
    """Five minutes apart."""
    assert due_at(announced_at=announced_at, at_once=at_once, now=NOW) == expected


@pytest.mark.parametrize("kind", ["user", "campaign"])
@pytest.mark.parametrize("score", [0.0, 60.0, 100.0])
def test_every_incident_recommends_something(kind: str, score: float) -> None:
    """Whatever its level."""
    assert opened(sighting(score, kind=kind), incident_id="inc-1").recommended_response
