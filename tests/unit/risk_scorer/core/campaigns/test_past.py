"""What was done and found out before: who counts for how long, and what it adds to campaigns and takes from them."""

import random

import pytest

from risk_scorer.adapters.activity.campaign_communities import Leiden
from risk_scorer.core.campaigns.found import Look, look_at
from risk_scorer.core.campaigns.past import PARDON_SECONDS, REMEMBERED_SECONDS, Finding, Past, Stay, Word, past_of
from risk_scorer.core.campaigns.sighting import ADDRESS, DETECTED, DEVICE, JA4, Sighting
from risk_scorer.core.campaigns.window import Window
from tests.campaign_crowds import BOT_JA4, DAY, NOW, bots, people
from tests.unit.risk_scorer.core.campaigns.looking import members

Chance = random.Random
HOUR = 3600.0
SHIELD, ENDED, LOGOUT = "shield", "session_risk", "user_logout"


def found(user: str, ago: float, *, bad: bool = True, address: str = "", ja4: str = "", device: str = "") -> Finding:
    signals = ((ADDRESS, address), (DEVICE, device), (JA4, ja4))
    return Finding(user_id=user, at=NOW - ago, is_compromised=bad, signals=signals)


def stay(ended_ago: float | None, reason: str = "", *, began_ago: float = 9 * DAY) -> Stay:
    ended_at = None if ended_ago is None else NOW - ended_ago
    return Stay(user_id="alice", started_at=NOW - began_ago, ended_at=ended_at, reason=reason)


BACK = stay(None, began_ago=HOUR)


@pytest.mark.parametrize(
    ("findings", "stays", "word"),
    [
        ([], [stay(DAY, LOGOUT)], None),
        ([], [stay(DAY, ENDED)], "enforced"),
        ([], [stay(DAY, ENDED), BACK], "enforced"),  # whoever it is, nobody has looked
        ([], [stay(DAY, SHIELD)], "enforced"),
        ([], [stay(DAY, SHIELD), BACK], "pardoned"),  # a review alone lets in again
        ([], [stay(DAY, SHIELD), stay(None, began_ago=DAY + 1)], "enforced"),
        ([], [stay(DAY, SHIELD), BACK, stay(60.0, ENDED)], "enforced"),  # and then again
        ([], [stay(REMEMBERED_SECONDS - 1, ENDED)], "enforced"),
        ([], [stay(REMEMBERED_SECONDS, ENDED)], None),
        ([found("alice", DAY)], [], "confirmed"),
        ([found("alice", REMEMBERED_SECONDS)], [], None),
        ([found("alice", DAY), found("alice", HOUR, bad=False)], [], "pardoned"),
        ([found("alice", DAY, bad=False), found("alice", HOUR)], [], "confirmed"),
        ([found("alice", DAY, bad=False)], [stay(2 * DAY, ENDED)], "pardoned"),
        ([found("alice", DAY, bad=False)], [stay(HOUR, ENDED)], "enforced"),  # since
        ([found("alice", DAY)], [stay(2 * DAY, SHIELD), BACK], None),  # cleaned up, and let in again
        ([found("alice", PARDON_SECONDS - 1, bad=False)], [], "pardoned"),
        ([found("alice", PARDON_SECONDS, bad=False)], [], None),
    ],
)
def test_the_last_word_counts_for_its_time(findings: list[Finding], stays: list[Stay], word: Word | None) -> None:
    """What a person found outranks what a machine did before, and what was done since outranks it."""
    assert past_of(findings, stays, now=NOW).accounts.get("alice") == word


@pytest.mark.parametrize(
    ("findings", "counts"),
    [
        ([found("a", HOUR, ja4="t13x"), found("b", HOUR, ja4="t13x")], True),
        ([found("a", HOUR, ja4="t13x"), found("a", DAY, ja4="t13x")], False),  # of one who was robbed
        ([found("a", HOUR, ja4=""), found("b", HOUR, ja4="")], False),
        ([found(user, HOUR, ja4="t13x") for user in "ab"] + [found("c", DAY, bad=False, ja4="t13x")], False),
        ([found(user, REMEMBERED_SECONDS, ja4="t13x") for user in "ab"], False),
    ],
)
def test_what_two_were_taken_over_with_is_an_attackers(findings: list[Finding], counts: bool) -> None:
    """Unless somebody's own login had it, too."""
    assert past_of(findings, [], now=NOW).signals == ({(JA4, "t13x")} if counts else set())


def looked(past: Past, *crowds: list[Sighting]) -> Look:
    window = Window()
    for crowd in crowds:
        window.add(crowd)
    return look_at(window, Leiden(), began=NOW - DAY, seconds=DAY, past=past)


def crew(count: int = 8, marks: int = DETECTED) -> list[Sighting]:
    """Accounts of one rented machine, which come by chance and do nothing that fails."""
    chance = Chance(4)
    return [
        Sighting(f"crew-{n}", NOW - 1800 * chance.random(), "203.0.113.9", f"d{n}", BOT_JA4, "x", marks)
        for n in range(count)
        for _ in range(5)
    ]


def test_what_attackers_came_with_before_adds_evidence() -> None:
    """Detected accounts alone are no campaign; with the address and program of known attackers they are one."""
    others = list(people(400, Chance(1)))
    attackers = Past({}, frozenset({(ADDRESS, "203.0.113.9"), (JA4, BOT_JA4)}))
    assert looked(Past(), others, crew()).campaigns == ()
    [campaign] = looked(attackers, others, crew()).campaigns
    assert members(campaign) == {f"crew-{n}" for n in range(8)}
    assert {mark.name for mark in campaign.marks if mark.nats > 0} == {"detections", "history"}


def test_the_past_alone_is_no_campaign() -> None:
    """However bad it was: accounts of which nothing is seen today, and an office where two were robbed."""
    others = list(people(400, Chance(1)))
    attackers = frozenset({(ADDRESS, "203.0.113.9"), (JA4, BOT_JA4)})
    taken = Past({f"crew-{n}": "confirmed" for n in range(8)}, attackers)
    assert looked(taken, others, crew(marks=0)).campaigns == ()
    office = list(people(200, Chance(3), address="192.0.2.1", name="office"))
    robbed = Past({"office-1": "confirmed", "office-2": "confirmed"}, frozenset({(ADDRESS, "192.0.2.1")}))
    assert looked(robbed, others, office).campaigns == ()


def test_what_the_gateway_ended_for_a_detection_is_no_second_witness() -> None:
    """A team in another building is scored as unusual and asked to sign in again, and is no campaign."""
    ended = Past({f"crew-{n}": "enforced" for n in range(8)})
    assert looked(ended, list(people(400, Chance(1))), crew()).campaigns == ()


def test_who_was_looked_at_and_is_fine_is_no_member_and_speaks_for_no_campaign() -> None:
    """Two of twelve are out of it; where nine of them are fine, what is left is none."""
    crowd = [*people(400, Chance(1)), *bots(12, Chance(2))]
    two, nine = ({f"bot-{n}": "pardoned" for n in range(count)} for count in (2, 9))
    [whole], [less] = looked(Past(), crowd).campaigns, looked(Past(two), crowd).campaigns
    assert members(whole) - members(less) == {"bot-0", "bot-1"}
    assert less.score <= whole.score
    assert looked(Past(nine), crowd).campaigns == ()


def test_an_accounts_score_remembers_and_pardons() -> None:
    """Of two accounts that do the same the one that was taken over is higher, and the one that is fine lower."""
    crowd = [*people(400, Chance(1)), *bots(12, Chance(2))]
    plain = {each.user_id: each.score for each in looked(Past(), crowd).scores}
    words = looked(Past({"bot-1": "confirmed", "bot-2": "pardoned", "person-7": "confirmed"}), crowd).scores
    after = {each.user_id: each for each in words}
    assert after["bot-1"].score > plain["bot-1"]
    assert after["person-7"].score > plain.get("person-7", 0.0)
    assert "history" in after["person-7"].furthest
    assert "bot-2" in plain
    assert "bot-2" not in after or after["bot-2"].score < plain["bot-2"] * 0.75
