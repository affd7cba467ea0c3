"""Each detector has an attack that it alone catches, and a look-alike that all of them leave alone."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from risk_scorer.contract.activity import STEP_UP_FROM
from risk_scorer.core.activity.engine import Judged
from risk_scorer.core.activity.seen import Change
from tests.unit.risk_scorer.core.activity.office import (
    DAY,
    ELSEWHERE,
    NOON,
    OTHER_CLIENT,
    SAO_PAULO,
    STARTS,
    TODAY,
    Client,
    Office,
    Person,
    Place,
    ordinary,
    person,
)

Story = Callable[[Office], list[Judged]]
ALICE = person(3)
STAFF = 27


def in_turns(office: Office, *hands: Person, events: int = 16, session: str = "s") -> list[Judged]:
    """An ordinary session whose steps are done by each of these in turn."""
    steps = ordinary(ALICE, events, 77)
    return [
        office.act(hands[turn % len(hands)], TODAY + gap, step, session, **what)
        for turn, (gap, step, what) in enumerate(steps)
    ]


def copied_into_another_browser(office: Office) -> list[Judged]:
    office.work(ALICE, TODAY, "s", events=6)
    thief = replace(ALICE, client=replace(OTHER_CLIENT, device_id=ALICE.client.device_id), place=ELSEWHERE)
    return office.work(thief, TODAY + 900.0, "s", events=5, seed=8)


def leaving_the_wifi(office: Office) -> list[Judged]:
    """Then the browser is updated, on the way back into the Wi-Fi."""
    updated = replace(ALICE.client, ja4="t13d1517h2_8daaf6152771_b0da82dd1658")
    found = office.work(ALICE, TODAY, "s", events=4)
    found += office.work(replace(ALICE, place=ELSEWHERE), TODAY + 600.0, "s", events=4, seed=2)
    return found + office.work(replace(ALICE, client=updated), TODAY + 1200.0, "s", events=4, seed=3)


def owner_and_thief_in_turns_with_one_browser(office: Office) -> list[Judged]:
    return in_turns(office, ALICE, replace(ALICE, place=SAO_PAULO))


def vpn_on_and_off(office: Office) -> list[Judged]:
    found = office.work(ALICE, TODAY, "s", events=5)
    found += office.work(replace(ALICE, place=SAO_PAULO), TODAY + 300.0, "s", events=5, seed=2)
    return found + office.work(ALICE, TODAY + 600.0, "s", events=5, seed=3)


def a_role_of_nobody_in_mid_session(office: Office) -> list[Judged]:
    office.work(ALICE, TODAY, "s", events=6)
    change = Change(ts=TODAY, previous_roles=("staff",), new_roles=("staff", "superuser"))
    return [
        office.act(ALICE, TODAY + 400.0 + gap, step, "s", change=change if turn == 0 else None, **what)
        for turn, (gap, step, what) in enumerate(ordinary(ALICE, 5, 5))
    ]


def announced_role(office: Office) -> list[Judged]:
    """The session begins with a role that a dozen others got before, and works with it."""
    for number in range(4, 16):
        office.work(replace(person(number), roles=("staff", "lead")), TODAY + number, f"lead {number}")
        office.work(replace(person(number), roles=("staff", "lead")), TODAY + 3600.0, f"lead {number}", seed=2)
    promoted = replace(ALICE, roles=("staff", "lead"))
    change = Change(ts=TODAY, previous_roles=("staff",), new_roles=("staff", "lead"))
    steps = ordinary(promoted, 10, 5)
    return [
        office.act(promoted, TODAY + 7200.0 + gap, step, "s", change=change if turn == 0 else None, **what)
        for turn, (gap, step, what) in enumerate(steps)
    ]


def one_right_more_each_week(office: Office) -> list[Judged]:
    found = []
    for week in range(6):
        rights = (*ALICE.privileges, *[f"area-{number}:read" for number in range(week)])
        at = TODAY + 7 * week * DAY
        found = office.work(replace(ALICE, privileges=rights), at, f"week {week}", events=6, seed=week)
    return found


def one_right_more_for_everybody(office: Office) -> list[Judged]:
    found = []
    for week in range(6):
        rights = (*ALICE.privileges, *[f"area-{number}:read" for number in range(week)])
        for number in range(STAFF):
            at = TODAY + 7 * week * DAY + number * 60.0
            who = replace(person((number + 4) % STAFF), privileges=rights)
            found = office.work(who, at, f"week {week} {number}", events=6, seed=week)
            office.work(who, at + 2 * 3600.0, f"week {week} {number}", events=2, seed=week)
    return found


CHAIN = (
    ("billing", "/invoices/7"),
    ("portal", "/home"),
    ("portal", "/news"),
    ("crm", "/customers"),
    ("crm", "/customers/5"),
    ("docs", "/docs/5"),
    ("billing", "/invoices"),
)
"""Each step may follow the one before it, but not within one trace."""


def from_one_service_into_the_next(office: Office) -> list[Judged]:
    office.work(ALICE, TODAY, "s", events=6)
    at, found = TODAY + 300.0, []
    for turn, step in enumerate(CHAIN):
        at += 7.0 + turn * 11 % 13
        found.append(office.act(ALICE, at, step, "s", trace_id="pivot"))
    return found


def a_release_with_a_new_call(office: Office) -> list[Judged]:
    """Everybody's invoices now ask the portal for something, and a little later the portal the customers."""
    found = []
    for number in range(12):
        at = TODAY + 60.0 * number
        office.work(person(number), at, f"r {number}", events=4)
        for turn, step in enumerate(CHAIN[:2] if number < 6 else CHAIN[:4]):
            at += 7.0 + turn * 11 % 13
            found.append(office.act(person(number), at + 200.0, step, f"r {number}", trace_id=f"t{number}"))
    return found


def ten_accounts_on_one_device(office: Office) -> list[Judged]:
    found = []
    for number in range(10):
        who = replace(person(number), client=Client(device_id="farm"))
        found = office.work(who, TODAY + 600.0 * number, f"farm {number}", events=4)
    return found


def an_office_that_moves(office: Office) -> list[Judged]:
    """Everybody, with the own device, appears behind the address of the new one."""
    moved = Place(ip="203.0.113.200", asn=65_010)
    found = []
    for number in range(81):
        who = replace(person(number % STAFF), place=moved)
        found += office.work(who, TODAY + 30.0 * number, f"move {number}", events=2, seed=number)
    return found


def a_service_of_others(office: Office) -> list[Judged]:
    """Pages of the same names, in services of the administrators."""
    found = office.work(ALICE, TODAY, "s", events=4)
    for turn, service in enumerate(("vault", "keys", "audit")):
        found.append(office.act(ALICE, TODAY + 120.0 + 17.0 * turn, (service, "/home"), "s"))
    return found


def a_service_that_was_launched(office: Office) -> list[Judged]:
    found = []
    for number in range(10):
        found += office.work(person(number), TODAY + number, f"l {number}", events=4)
        found.append(office.act(person(number), TODAY + 120.0 + number, ("launched", "/home"), f"l {number}"))
    return found


def asking_for_what_is_not_there(office: Office) -> list[Judged]:
    office.work(ALICE, TODAY, "s", events=4)
    found = []
    for turn, number in enumerate((81, 7003, 512, 2900, 44, 6120)):
        at = TODAY + 100.0 + turn * (19.0 + turn % 3 * 8.0)
        found.append(office.act(ALICE, at, ("docs", f"/docs/{number}"), "s", status=404))
    return found


def a_token_that_ended_and_a_client_that_repeats(office: Office) -> list[Judged]:
    """Five refusals at once, all of which work a moment later; then the same broken link again and again."""
    steps = [step for _, step, _ in ordinary(ALICE, 5, 3)]
    found = office.work(ALICE, TODAY, "s", events=4)
    found += [office.act(ALICE, TODAY + 100.0 + n / 50.0, step, "s", status=401) for n, step in enumerate(steps)]
    found += [office.act(ALICE, TODAY + 103.0 + 9.0 * n + n * n, step, "s") for n, step in enumerate(steps)]
    gaps = (9.0, 31.0, 12.0, 55.0, 17.0, 26.0)
    at = TODAY + 220.0
    for gap in gaps:
        at += gap
        found.append(office.act(ALICE, at, ("docs", "/docs/13"), "s", status=404))
    return found


def ids_in_a_row(office: Office) -> list[Judged]:
    office.work(ALICE, TODAY, "s", events=4)
    gaps = (14.0, 9.0, 22.0, 11.0, 8.0, 31.0, 12.0, 17.0, 10.0, 25.0, 13.0, 19.0)
    found, at = [], TODAY + 100.0
    for turn, gap in enumerate(gaps):
        at += gap
        found.append(office.act(ALICE, at, ("docs", f"/docs/{4100 + turn}"), "s"))
    return found


def a_gallery_with_a_button(office: Office) -> list[Judged]:
    """In a service whose people all go from one to the next, nobody enumerates."""
    for number in range(5, 25):
        at = TODAY + number
        for turn in range(8):
            at += 15.0 + (turn * 7 + number) % 11
            office.act(person(number), at, ("gallery", f"/docs/{number * 100 + turn}"), f"g {number}")
    found, at = [], TODAY + 1000.0
    for turn in range(8):
        at += 15.0 + turn * 5 % 11
        found.append(office.act(ALICE, at, ("gallery", f"/docs/{turn + 1}"), "s"))
    return found


CASES: list[tuple[str, Story, Story]] = [
    ("several_actors", copied_into_another_browser, leaving_the_wifi),
    ("replayed_token", owner_and_thief_in_turns_with_one_browser, vpn_on_and_off),
    ("privilege_escalation", a_role_of_nobody_in_mid_session, announced_role),
    ("privilege_creep", one_right_more_each_week, one_right_more_for_everybody),
    ("service_pivot", from_one_service_into_the_next, a_release_with_a_new_call),
    ("relations", ten_accounts_on_one_device, an_office_that_moves),
    ("new_service", a_service_of_others, a_service_that_was_launched),
    ("account_probe", asking_for_what_is_not_there, a_token_that_ended_and_a_client_that_repeats),
    ("object_enumeration", ids_in_a_row, a_gallery_with_a_button),
]


def worst(found: list[Judged]) -> Judged:
    return max(found, key=lambda judged: judged.total_score)


@pytest.mark.parametrize(("name", "attack"), [(name, attack) for name, attack, _ in CASES])
def test_an_attack_that_this_detector_alone_catches(name: str, attack: Story) -> None:
    """With it the session is stepped up; without it nobody would have noticed."""
    caught = worst(attack(Office()))
    assert caught.total_score >= STEP_UP_FROM, caught
    assert name in {each.detector for each in caught.found}
    missed = worst(attack(Office(without=name)))
    assert missed.total_score < STEP_UP_FROM, missed


@pytest.mark.parametrize(("name", "attack"), [(name, attack) for name, attack, _ in CASES])
def test_an_attack_that_is_repeated_teaches_nothing(name: str, attack: Story) -> None:
    """Forty times in sessions of their own: at the end it is caught as at first, and by the same detector."""
    office = Office()
    for _ in range(40):
        caught = worst(attack(office))
        office.forget_sessions()
    assert caught.total_score >= STEP_UP_FROM, caught
    assert name in {each.detector for each in caught.found}


@pytest.mark.parametrize("look_alike", [each for _, _, each in CASES])
def test_what_only_looks_like_it_is_left_alone(look_alike: Story) -> None:
    """No session of it is stepped up."""
    found = worst(look_alike(Office()))
    assert found.total_score < STEP_UP_FROM, found


@pytest.mark.parametrize(
    "name", ["privilege_escalation", "privilege_creep", "service_pivot", "relations", "new_service"]
)
def test_on_the_first_day_it_says_that_it_does_not_know(name: str) -> None:
    """A new installation, and new people: unknown is neither safe nor an alarm."""
    office = Office(is_new=True)
    said: set[str] = set()
    for number in range(6):
        for judged in office.work(person(number), STARTS + NOON + number, f"n {number}", events=12):
            said |= set(judged.unknown)
            assert judged.total_score < STEP_UP_FROM
    assert name in said


@pytest.mark.parametrize("name", ["several_actors", "replayed_token"])
def test_where_the_beginning_of_a_session_is_not_known_the_first_event_is_neither_safe_nor_an_alarm(name: str) -> None:
    """Nothing can differ from what nobody told."""
    judged = Office().act(ALICE, TODAY, ("portal", "/home"), "s", began=None)
    assert name in judged.unknown


def test_how_many_things_are_many_is_not_known_before_peers_opened_some() -> None:
    """A group's first day: unknown from the sixteenth thing on."""
    office, newcomer = Office(), replace(person(40), roles=("guest",))
    steps = [("docs", f"/docs/{number * number % 8_111}") for number in range(20)]
    found = [office.act(newcomer, TODAY + 29.0 * turn, step, "s") for turn, step in enumerate(steps)]
    assert "object_enumeration" in found[-1].unknown
    assert "object_enumeration" not in found[3].unknown
