"""A session is stolen after the login: what the thief does shows, and the owner is asked once. Synthetic."""

from dataclasses import replace

import pytest

from risk_scorer.contract.activity import STEP_UP_FROM, Assessment
from tests.stories.activity_log import DAYS, PEOPLE, QUIET_DAYS, Told, neighbours, ordinary, whole
from training.activity.acting import Acting, Hand, begun, hand_of
from training.activity.calendar import DAY_SECONDS
from training.activity.event import Event
from training.activity.people import STARTS, Person, Place, person, software
from training.activity.sessions import act, whereabouts
from training.simulator.chance import Chance

SEED = 3
FRIDAY = STARTS + (QUIET_DAYS + 4) * DAY_SECONDS + 11 * 3600
EXPORTS = ("GET /crm/export", "GET /reports/{id}/export", "GET /billing/invoices/{id}/pdf", "GET /docs/{id}/file")
HIDEOUT = Place("hosting", "203.0.113.50", 64_510, "NL")
BEFORE_REQUEST = 10
ANSWERING_SECONDS = 300.0
"""Until then, what the thief did still counts among what is done in ten minutes."""


@pytest.fixture(scope="module")
def office() -> Told:
    """Two weeks of ordinary work of two hundred people. Each test is about people of its own."""
    told = Told()
    for event, _ in whole(made for _, made in ordinary(SEED, rows=10_000, days=QUIET_DAYS)):
        told.of(event)
    return told


def owners(first: int, count: int = 8) -> list[Person]:
    """Some who work every day and are no administrators."""
    found = [person(number, SEED, DAYS) for number in range(PEOPLE)]
    usual = [who for who in found if who.role != "admin" and who.joined_day < 0 and who.activity > 0.8]
    return usual[first : first + count]


def at_work(who: Person, chance: Chance) -> tuple[Acting, Hand]:
    """The owner's own session this Friday, and the owner's hand."""
    acting = begun(who, f"{who.user_id}-friday", FRIDAY, seed=SEED, day=QUIET_DAYS + 4, chance=chance)
    device, place = whereabouts(who, FRIDAY, chance)
    hand = hand_of(who, device, place, FRIDAY)
    acting.go(hand, "POST /login")
    act(acting, hand, who, steps=6)
    return acting, hand


def said(told: Told, acting: Acting, since: int) -> list[Assessment]:
    """What the engine says to the session's events from that one on."""
    return [told.of(event) for event in acting.session.events[since:]]


def theft(told: Told, who: Person) -> tuple[Acting, Hand, list[Assessment]]:
    """The token is copied to another network and browser, and exports are taken."""
    chance = Chance(f"theft/{who.number}")
    acting, hand = at_work(who, chance)
    quiet = said(told, acting, 0)
    assert max(each.total_score for each in quiet) < STEP_UP_FROM
    agent, ja4 = software("firefox_windows", 2, QUIET_DAYS)
    thief = replace(hand, place=HIDEOUT, user_agent=agent, ja4=ja4, pace_seconds=3.0)
    stolen_at = len(acting.session.events)
    for turn in range(BEFORE_REQUEST + 2):
        acting.go(thief, EXPORTS[turn % len(EXPORTS)])
    return acting, hand, said(told, acting, stolen_at)


def test_a_copied_token_is_noticed_before_its_tenth_request(office: Told) -> None:
    """Of eight thefts all are stepped up, or more, at the ninth request at the latest; and reasons add up."""
    for who in owners(0):
        _, _, found = theft(office, who)
        first = next(place for place, each in enumerate(found, start=1) if each.total_score >= STEP_UP_FROM)
        assert first < BEFORE_REQUEST, who
        signals = found[first - 1].signals
        assert "another_client_elsewhere" in {signal.code for signal in signals}
        assert sum(signal.points for signal in signals) == pytest.approx(found[first - 1].total_score)


def test_the_owner_is_asked_once_and_then_left_alone(office: Told) -> None:
    """After the owner has answered a factor, the own browser goes on in the same session without another question."""
    for who in owners(8):
        acting, hand, _ = theft(office, who)
        answered = len(acting.session.events)
        office.engine.answered_a_factor(who.user_id, acting.session.session_id)
        acting.moment += ANSWERING_SECONDS
        act(acting, hand, who, steps=15)
        assert max(each.total_score for each in said(office, acting, answered)) < STEP_UP_FROM, who


def test_nobody_else_is_asked_for_it(office: Told) -> None:
    """A colleague's session of the same hour, in the same office, is as quiet as ever."""
    victim, *others = owners(24, 6)
    theft(office, victim)
    for who in others:
        acting, _ = at_work(who, Chance(f"colleague/{who.number}"))
        assert max(each.total_score for each in said(office, acting, 0)) < STEP_UP_FROM, who


def test_a_thief_in_the_neighbourhood_with_the_same_browser_is_noticed_by_what_is_taken(office: Told) -> None:
    """Cookies, user agent and fingerprint are the owner's, and the network is next door: the exports remain."""
    caught = 0
    for who in owners(16):
        acting, hand = at_work(who, Chance(f"next door/{who.number}"))
        said(office, acting, 0)
        beside = replace(hand.place, ip=neighbours(hand.place.ip))
        thief = replace(hand, place=beside, pace_seconds=3.0)
        stolen_at = len(acting.session.events)
        for turn in range(20):
            acting.go(thief, EXPORTS[turn % len(EXPORTS)])
        caught += max(each.total_score for each in said(office, acting, stolen_at)) >= STEP_UP_FROM
    assert caught >= 6


def test_the_first_event_of_a_new_person_is_no_alarm(office: Told) -> None:
    """Neither among people who are known, nor in an engine that knows nobody."""
    newcomer = Chance("newcomer")
    for told in (office, Told()):
        acting, _ = at_work(person(PEOPLE + 1, SEED, DAYS), newcomer)
        first: Event = acting.session.events[0]
        assessment = told.of(first)
        assert assessment.action == "allow"
        assert assessment.unknown
