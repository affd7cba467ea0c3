"""What is a campaign, and what only looks like one: on invented (synthetic) crowds."""

import random
from collections.abc import Iterator

import msgspec
import pytest

from risk_scorer.core.campaigns.sighting import DETECTED, FAILED, NEW, Sighting
from tests.campaign_crowds import CHROME, NOW, bots, people, stuffing
from tests.unit.risk_scorer.core.campaigns.looking import looked, members

Chance = random.Random


def bot_names(count: int, name: str = "bot") -> set[str]:
    return {f"{name}-{number}" for number in range(count)}


def test_twelve_bots_behind_twelve_proxies_are_one_campaign() -> None:
    """One TLS fingerprint and one rhythm tie them together, and nobody else is in it."""
    [found] = looked(people(400, Chance(1)), bots(12, Chance(2))).campaigns
    assert members(found) == bot_names(12)
    assert found.score >= 60
    assert {each.kind for each in found.signals} == {"ja4", "rhythm"}
    assert [mark.name for mark in found.marks if mark.nats > 0] == ["rhythm"]


def test_they_are_a_campaign_after_four_events_each() -> None:
    """In the midst of their first minutes, and from four bots on; three are none."""
    early = {count: looked(people(400, Chance(1)), bots(count, Chance(2), events=4)).campaigns for count in (3, 4, 12)}
    assert [[members(each) for each in found] for found in early.values()] == [[], [bot_names(4)], [bot_names(12)]]


@pytest.mark.parametrize("events", [4, 12])
def test_a_timer_in_an_application_makes_its_users_no_campaign(events: int) -> None:
    """Two hundred people whose page asks once a minute have one rhythm, one program and nothing against them."""
    users = bots(200, Chance(8), name="app", ja4="t13d-app", every=60.0, events=events)
    assert looked(people(300, Chance(1)), users).campaigns == ()


def test_two_large_campaigns_in_one_rhythm_hide_neither() -> None:
    """Eighty accounts act every thirty seconds, forty with one program and forty with another."""
    second = bots(40, Chance(3), name="two", ja4="t13d-other", network="46.9")
    found = looked(people(400, Chance(1)), bots(40, Chance(2)), second).campaigns
    assert {frozenset(members(each)) for each in found} == {frozenset(bot_names(40)), frozenset(bot_names(40, "two"))}
    assert {signal.kind for each in found for signal in each.signals} == {"ja4", "rhythm"}
    assert {signal.value for each in found for signal in each.signals if signal.kind == "rhythm"} == {
        "every 27 s", "every 30 s", "every 33 s"
    }  # fmt: skip


def test_those_with_a_rare_program_in_an_application_with_a_timer_are_no_campaign() -> None:
    """Their page asks once a minute, as it does for two hundred with popular browsers."""
    popular = [
        msgspec.structs.replace(each, ja4=CHROME, user_agent="Mozilla/5.0 Chrome/126")
        for each in bots(200, Chance(8), name="app", every=60.0, events=12)
    ]
    rare = bots(12, Chance(9), name="rare", ja4="t13d-rare", every=60.0, events=12, network="46.1")
    assert looked(people(300, Chance(1)), popular, rare).campaigns == ()


@pytest.mark.parametrize("others", [0, 400])
@pytest.mark.parametrize("marks", [0, DETECTED, NEW, DETECTED + NEW])
def test_an_office_or_carrier_of_two_hundred_is_no_campaign(others: int, marks: int) -> None:
    """One address is no attack: not when all of them have just moved there and are scored as unusual, nor when all of
    them are new."""
    crowd = [
        Sighting(each.account, each.moment, each.address, each.device, each.ja4, each.user_agent, each.marks | marks)
        for each in people(200, Chance(3), address="192.0.2.1", name="office")
    ]
    assert looked(crowd, people(others, Chance(4))).campaigns == ()


def test_a_team_with_one_image_on_all_machines_is_no_campaign() -> None:
    """Twelve people with the same browser, behind one address, at the same hours, some of whom mistype."""
    chance = Chance(5)
    team = [
        Sighting(
            f"team-{number}",
            NOW - 3600 * chance.random(),
            "192.0.2.9",
            f"laptop-{number}",
            "t13d-image",
            "Image/1",
            FAILED if number < 3 else 0,
        )
        for number in range(12)
        for _ in range(4)
    ]
    assert looked(team, people(300, Chance(6))).campaigns == ()


def test_a_popular_browser_connects_nobody() -> None:
    """Two dozen attackers who have what everybody has, each in a rhythm of his own, share nothing."""
    strangers = [
        each
        for number in range(24)
        for each in bots(
            1, Chance(number), name=f"own{number}", ja4=CHROME, every=11.0 * 1.3**number, network=f"7.{number}"
        )
    ]
    assert looked(people(400, Chance(1)), strangers).campaigns == ()


def test_two_campaigns_stay_two() -> None:
    """Also where both go through the same twelve proxies."""
    second = bots(14, Chance(3), name="two", ja4="t13d-other", every=70.0)
    found = looked(people(400, Chance(1)), bots(12, Chance(2)), second).campaigns
    assert sorted(map(len, map(members, found))) == [12, 14]
    assert {frozenset(members(each)) for each in found} == {frozenset(bot_names(12)), frozenset(bot_names(14, "two"))}


def test_passwords_tried_on_many_accounts_from_one_machine_are_a_campaign_whose_victims_are_its_members() -> None:
    """Each account fails once there, and lives on at home; the machine has changed its address half-way."""
    half = [
        Sighting(each.account, each.moment, "203.0.113.200", "", each.ja4, each.user_agent, each.marks)
        for each in stuffing(120)
    ]
    moved = [each if number < 60 else half[number] for number, each in enumerate(stuffing(120))]
    [found] = looked(people(400, Chance(1)), moved).campaigns
    assert members(found) == {f"person-{number}" for number in range(120)}
    assert [mark.name for mark in found.marks if mark.nats > 0] == ["failures"]


def test_sharing_a_signal_at_other_times_is_not_sharing_it() -> None:
    """Ten bots with one fingerprint and rhythm, hours apart, are ten timers: the time must be that of the signal."""
    apart = [
        each
        for number in range(10)
        for each in bots(1, Chance(number), name=f"apart{number}", began=NOW - 82_000 + 8_000 * number)
    ]
    assert looked(people(400, Chance(1)), apart).campaigns == ()


def test_households_that_come_as_evenly_as_timers_by_chance_are_no_campaign() -> None:
    """Pairs share an address, all of them a slow rhythm: each shares two kinds of things, and never with the same."""
    pairs = [
        msgspec.structs.replace(each, ja4=CHROME, address=f"31.{number // 2}.0.1")
        for number in range(8)
        for each in bots(1, Chance(number), name=f"even{number}", every=3000.0, began=NOW - 80_000.0)
    ]
    assert looked(people(400, Chance(1)), pairs).campaigns == ()


def test_a_bystander_behind_an_attackers_proxy_is_no_member() -> None:
    """Somebody at home behind one of the proxies, with the attackers' program but without their rhythm."""
    bystander = [Sighting("bystander", NOW - 3000 + 17 * n * n, "45.9.3.7", "pc", "t13d-x", "Own/1") for n in range(9)]
    [found] = looked(people(400, Chance(1)), bots(12, Chance(2)), bystander).campaigns
    assert members(found) == bot_names(12)


def test_who_does_well_at_an_attackers_address_with_his_program_is_no_member() -> None:
    """Two kinds of things shared, and nothing bad: a developer in the same rented network."""
    developer = [Sighting("developer", NOW - 1800 + 40 * n * n, "203.0.113.9", "pc", "t13d-python") for n in range(6)]
    [found] = looked(people(400, Chance(1)), stuffing(120), developer).campaigns
    assert members(found) == {f"person-{number}" for number in range(120)}


def hostile() -> Iterator[Sighting]:
    """Values that break what is not ready for them."""
    for number, text in enumerate(["\x00", "‮gnp.exe", "x" * 100_000, "", "999.1.1.1", "::ffff:1.2.3.4", "💥" * 300]):
        yield Sighting(f"h{number}", NOW - 60, text, text, text, text, 255)
    for number in range(3000):
        yield Sighting(
            "everything", NOW - number, f"10.0.{number % 250}.{number // 250}", f"d{number}", f"j{number}", f"u{number}"
        )


def test_hostile_values_are_bounded_and_harmless() -> None:
    """Huge and strange texts, thousands of signals of one account, and the campaign is found all the same."""
    found = looked(people(400, Chance(1)), bots(12, Chance(2)), hostile()).campaigns
    assert [members(each) for each in found] == [bot_names(12)]


def test_the_same_events_give_the_same_campaigns() -> None:
    """Nothing depends on chance or on the order in which events come."""
    crowd = [*people(300, Chance(1)), *bots(12, Chance(2)), *bots(9, Chance(3), name="two", ja4="t", every=9.0)]
    first, again = looked(crowd), looked(sorted(crowd, key=lambda each: (each.user_agent, each.moment)))
    assert [(each.score, members(each)) for each in first.campaigns] == [
        (each.score, members(each)) for each in again.campaigns
    ]


def test_nothing_seen_is_nothing_found() -> None:
    """An empty window, and one with a single event."""
    assert looked([]).campaigns == ()
    assert looked([Sighting("one", NOW - 5, "192.0.2.1")]).campaigns == ()
