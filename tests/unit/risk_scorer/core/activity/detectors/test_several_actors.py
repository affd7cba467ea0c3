"""Applications of the own machine, backends and split VPNs are several clients in one session, and no attack."""

from dataclasses import replace
from typing import Any

from risk_scorer.contract.activity import STEP_UP_FROM
from risk_scorer.core.activity.engine import Judged
from risk_scorer.core.activity.evidence import pardon
from risk_scorer.core.activity.seen import SessionFacts
from tests.unit.risk_scorer.core.activity.office import (
    ELSEWHERE,
    OTHER_CLIENT,
    SAO_PAULO,
    TODAY,
    Client,
    Office,
    Person,
    Place,
    ordinary,
    person,
)

ALICE = person(3)
APP = Client(browser="okhttp", os="Android", ja4="t13d1011h2_9bf0e6ae2ef7_1d53cbbd8e43", device_id="")


def worst(found: list[Judged]) -> float:
    return max(judged.total_score for judged in found)


def by_app(who: Person, place: Place | None = None) -> Person:
    return replace(who, client=APP, place=place or who.place)


def test_an_application_that_signs_in_by_the_browser_goes_on_by_itself_and_out_of_the_house() -> None:
    """The login shows the browser; the application comes from the same network at once, and later from another."""
    office = Office()
    found = [office.act(ALICE, TODAY, ("portal", "/home"), "s")]
    found += office.work(by_app(ALICE), TODAY + 20.0, "s", events=5)
    found += office.work(by_app(ALICE, ELSEWHERE), TODAY + 1500.0, "s", events=5, seed=2)
    assert worst(found) < STEP_UP_FROM


def test_the_same_application_out_of_nowhere_is_an_attack() -> None:
    """It was not handed anything: hours after the login, from a network that the session was never in."""
    office = Office()
    office.act(ALICE, TODAY, ("portal", "/home"), "s")
    assert worst(office.work(by_app(ALICE, ELSEWHERE), TODAY + 9000.0, "s", events=3)) >= STEP_UP_FROM


def test_what_five_people_had_after_a_factor_is_how_the_application_is_built() -> None:
    """A relay hides the browser's network and not the application's: the sixth person is not asked."""
    office, scores = Office(), []
    for number in range(7):
        who, session = person(number), f"relay {number}"
        office.act(who, TODAY, ("portal", "/home"), session)
        scores.append(worst(office.work(by_app(who, ELSEWHERE), TODAY + 30.0, session, events=4)))
        pardon(office.memories["session"][session])
        office.work(by_app(who, ELSEWHERE), TODAY + 300.0, session, events=4, seed=2)
    assert all(score >= STEP_UP_FROM for score in scores[:5])
    assert all(score < STEP_UP_FROM for score in scores[5:])


def test_five_victims_do_not_make_a_thief_usual() -> None:
    """Nothing suspicious teaches."""
    office = Office()
    for number in range(9):
        who, session = person(number), f"stolen {number}"
        office.work(who, TODAY, session, events=3)
        thief = replace(who, client=OTHER_CLIENT, place=ELSEWHERE)
        assert worst(office.work(thief, TODAY + 900.0, session, events=6)) >= STEP_UP_FROM


def test_a_vpn_for_some_services_is_no_second_place() -> None:
    """Documents go through the VPN and everything else does not, in turns and for an hour."""
    office, found = Office(), []
    for turn in range(8):
        for gap, step, what in ordinary(ALICE, 8, turn):
            who = replace(ALICE, place=SAO_PAULO) if step[0] == "docs" else ALICE
            facts: dict[str, Any] = what
            found.append(office.act(who, TODAY + 400.0 * turn + gap, step, "s", **facts))
    assert worst(found) < STEP_UP_FROM


def test_a_person_who_has_always_had_two_clients_is_not_asked_for_them() -> None:
    """A second client in the own network, session after session, becomes usual of this person."""
    office = Office()
    nats = []
    for number in range(12):
        session = f"two {number}"
        at = TODAY + 86_400.0 * number
        office.work(ALICE, at, session, events=3)
        found = office.work(replace(ALICE, client=OTHER_CLIENT), at + 1200.0, session, events=3)
        nats.append(max(judged.nats for judged in found))
    assert nats[-1] < nats[0] / 2


def test_an_application_with_device_ids_of_its_own_is_no_other_device() -> None:
    """The gateway's device cookie and the application's id never agree; two of the application's do tell apart."""
    office = Office()
    began = SessionFacts(
        prefix="198.51.3.0/24", asn=ALICE.place.asn, browser="Chrome", os="Windows", ja4=ALICE.client.ja4,
        device_id="the-gateway's", started_at=TODAY - 9000.0,
    )  # fmt: skip
    own = [office.act(ALICE, TODAY + turn * 31.0, ("portal", "/home"), "s", began=began) for turn in range(3)]
    assert "several_actors" not in {each.detector for each in own[-1].found}
    other = replace(ALICE, client=replace(ALICE.client, device_id="another"), place=ELSEWHERE)
    found = office.act(other, TODAY + 300.0, ("portal", "/home"), "s", began=began)
    assert "another_client_elsewhere" in {each.code for each in found.found}


def test_an_application_that_never_says_what_it_is_asked_by_is_left_alone_once_that_is_known() -> None:
    """No user agent, no fingerprint, no device: after five people it is the application and not the person."""
    office, silent, told = Office(), {"browser": "", "os": "", "ja4": "", "device_id": ""}, []
    for number in range(8):
        who = person(number)
        office.act(who, TODAY, ("portal", "/home"), f"q {number}")
        for turn in range(3):
            judged = office.act(who, TODAY + 1200.0 + 40.0 * turn, ("docs", "/docs"), f"q {number}", **silent)
        told.append("several_actors" in {each.detector for each in judged.found})
    assert told == [True] * 5 + [False] * 3


def test_a_factor_pardons_who_was_there_and_no_third_hand() -> None:
    """The owner's other computer is asked once; who comes into that session later is asked as if nobody had been."""
    office, third = Office(), Client("Safari", "macOS", "", "")
    elsewhere = replace(ALICE, client=OTHER_CLIENT, place=ELSEWHERE)
    office.work(ALICE, TODAY, "s", events=4)
    assert worst(office.work(elsewhere, TODAY + 2000.0, "s", events=3)) >= STEP_UP_FROM
    pardon(office.memories["session"]["s"])
    again = office.work(elsewhere, TODAY + 2600.0, "s", events=4, seed=2)
    again += office.work(replace(ALICE, place=ELSEWHERE), TODAY + 3200.0, "s", events=4, seed=3)
    assert worst(again) < STEP_UP_FROM
    assert (
        worst(office.work(replace(ALICE, client=third, place=SAO_PAULO), TODAY + 9000.0, "s", events=2)) >= STEP_UP_FROM
    )
    pardon(office.memories["session"]["s"])
    assert worst(office.work(elsewhere, TODAY + 9900.0, "s", events=4, seed=4)) < STEP_UP_FROM
