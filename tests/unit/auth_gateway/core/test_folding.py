"""Which events are alike, from when on they are told as one, and what such a message says."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_gateway.core.destination import Destination, DestinationKind, Folding, check_terms, folding_of
from auth_gateway.core.event import MOST_IDS, Event
from auth_gateway.core.facts import Facts
from auth_gateway.core.folding import FOLDABLE, Bucket, FoldKey, after_one, joined, keys_of, summary_of
from auth_gateway.core.vocabulary import EventType
from plumbing.refusals import Refused
from risk_scorer.contract.assessment import Reason

TERMS = Folding(burst=3, per_minute=60.0)
PERSON, NETWORK = FoldKey("person", "p"), FoldKey("network", "n")


def reason(code: str, points: float) -> Reason:
    return Reason(code=code, points=points, observed="", usual="", text="")


EVENT = Event(
    event_id="evt_0", type="login.denied", ts=100.0, user_id="ann", username="ann", client_id="web", rule="high",
    ip="198.51.100.9", score=81.0, level="high", techniques=("T1078",),
    facts=Facts(username="ann", country="DE", city="Berlin", reasons=(reason("new_ip", 81.0),)),
)  # fmt: skip


def another(**changes: Any) -> Event:
    return msgspec.structs.replace(EVENT, **changes)


@pytest.mark.parametrize("name", get_args(EventType))
def test_only_what_strangers_bring_about_is_folded(name: EventType) -> None:
    """What lets somebody in, ends something or changes it is told one by one, and so is what an operator did."""
    assert bool(keys_of(another(type=name))) is (name in FOLDABLE)
    acted_on = ("login.allowed", "login.mfa_required", "mfa.passed", "session.revoked", "account.frozen")
    assert not FOLDABLE & {*acted_on, "risk.user_raised", "sign_in.reported", "webhook.disabled", "token.denied"}


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "login.failed"},
        {"rule": "medium"},
        {"user_id": "bob", "ip": "203.0.113.7"},
        {"user_id": None, "ip": "198.51.101.9"},
        {"user_id": "bob", "ip": None},
    ],
)
def test_unlike_events_share_no_key(changes: dict[str, Any]) -> None:
    """Another type, another rule, or both another person and another network."""
    assert not set(keys_of(EVENT)) & set(keys_of(another(**changes)))


@pytest.mark.parametrize(
    ("changes", "by"),
    [
        ({"ip": "198.51.100.200", "client_id": "shop", "score": 99.0}, {"person", "network"}),
        ({"ip": "203.0.113.7"}, {"person"}),
        ({"user_id": "bob"}, {"network"}),
        ({"user_id": None}, {"network"}),
    ],
)
def test_alike_are_events_of_a_person_or_of_a_network(changes: dict[str, Any], by: set[str]) -> None:
    """Whichever repeats."""
    assert {key.by for key in set(keys_of(EVENT)) & set(keys_of(another(**changes)))} == by


@pytest.mark.parametrize(("ip", "count"), [("2001:db8:1:2::3", 2), ("a socket", 1), ("", 1), (None, 1)])
def test_what_is_no_address_is_in_no_network(ip: str | None, count: int) -> None:
    """Events from nowhere have nothing in common."""
    assert len(keys_of(another(ip=ip))) == count
    assert keys_of(another(ip=ip, user_id=None)) == keys_of(another(ip=ip))[1:]


def test_after_the_burst_so_many_a_minute() -> None:
    """Both sides of each mark; time that goes back fills nothing."""
    bucket: Bucket | None = None
    for _ in range(3):
        bucket = after_one(bucket, 100.0, TERMS)
        assert bucket is not None
    assert after_one(bucket, 100.0, TERMS) is None
    assert after_one(bucket, 50.0, TERMS) is None
    assert after_one(bucket, 100.9, TERMS) is None
    assert after_one(bucket, 101.0, TERMS) == Bucket(0.0, 101.0)
    assert after_one(bucket, 9_999.0, TERMS) == Bucket(2.0, 9_999.0)


@given(st.lists(st.floats(0.0, 600.0), max_size=400))
def test_no_more_go_one_by_one_than_the_terms_say(moments: list[float]) -> None:
    """Whatever comes whenever."""
    bucket, alone = None, 0
    for ts in sorted(moments):
        spent = after_one(bucket, ts, TERMS)
        alone, bucket = alone + (spent is not None), spent or bucket
    span = max(moments, default=0.0) - min(moments, default=0.0)
    assert alone <= TERMS.burst + span * TERMS.per_minute / 60.0 + 1e-6
    assert alone == len(moments) or alone >= TERMS.burst


def test_a_summary_counts_each_event_once() -> None:
    """Whatever their order: how many, from when to when, the first ids; under the id of the first."""
    whole = summary_of(EVENT, PERSON)
    for number in range(1, 212):
        whole = joined(whole, summary_of(another(event_id=f"evt_{number}", ts=100.0 + number * 7 % 213), PERSON))
    assert whole.folded is not None
    assert (whole.event_id, whole.ts, whole.folded.count) == ("evt_0", 100.0, 212)
    assert (whole.folded.first_ts, whole.folded.last_ts) == (100.0, 312.0)
    assert whole.folded.event_ids == tuple(f"evt_{number}" for number in range(MOST_IDS))


def test_two_summaries_are_joined_like_their_events() -> None:
    """One by one or in parts, the same comes out."""
    ones = [
        summary_of(another(event_id=f"evt_{n}", ts=100.0 + n, score=float(n % 5), client_id=f"c{n // 4}"), PERSON)
        for n in range(8)
    ]
    halves = [_all(ones[:3]), _all(ones[3:])]
    assert joined(*halves) == _all(ones)


def _all(summaries: list[Event]) -> Event:
    whole = summaries[0]
    for other in summaries[1:]:
        whole = joined(whole, other)
    return whole


def test_a_summary_says_what_all_have_in_common_and_how_bad_the_worst_is() -> None:
    """What differs is left out; techniques are those of any; score, level and reasons belong together."""
    facts = msgspec.structs.replace(EVENT.facts, city="Bonn", reasons=(reason("spray", 95.0),))
    other = another(client_id="shop", ip="198.51.100.7", score=95.0, techniques=("T1110.003",), facts=facts)
    for one, two in ((EVENT, other), (other, EVENT)):
        whole = joined(summary_of(one, PERSON), summary_of(two, PERSON))
        assert (whole.user_id, whole.rule, whole.facts.country) == ("ann", "high", "DE")
        assert (whole.client_id, whole.ip, whole.facts.city) == (None, None, "")
        assert (whole.score, whole.facts.reasons[0].code) == (95.0, "spray")
        assert set(whole.techniques) == {"T1078", "T1110.003"}
    unscored = summary_of(another(score=None, level=None), PERSON)
    assert joined(unscored, summary_of(EVENT, PERSON)).score == 81.0


def test_what_is_folded_by_its_network_names_nobody() -> None:
    """From the first event on: it stands beside the order of each person's events."""
    whole = summary_of(another(user_hash="ab"), NETWORK)
    assert (whole.user_id, whole.user_hash, whole.username, whole.facts.username) == (None, None, "", "")
    assert whole.ip == EVENT.ip


@pytest.mark.parametrize(("kind", "is_on"), [("webhook", True), ("syslog", False), ("file", False)])
def test_collectors_of_lines_are_told_each_event_unless_they_ask(kind: DestinationKind, is_on: bool) -> None:
    """What is said counts, either way; nothing said is what the kind is used to."""
    plain = Destination(destination_id="d", name="d", kind=kind, url="x")
    assert folding_of(plain).is_on is is_on
    for said in (Folding(), Folding(is_on=False)):
        assert folding_of(msgspec.structs.replace(plain, folding=said)) == said


@pytest.mark.parametrize(
    ("said", "is_sound"),
    [
        (Folding(burst=1, per_minute=0.1), True),
        (Folding(burst=1_000_000, per_minute=1_000_000), True),
        (Folding(burst=0), False),
        (Folding(burst=1_000_001), False),
        (Folding(per_minute=0), False),
        (Folding(per_minute=float("nan")), False),
        (Folding(per_minute=float("inf")), False),
    ],
)
def test_terms_must_mean_something(said: Folding, is_sound: bool) -> None:
    """A burst below one, or no rate at all, would tell nothing by itself for ever."""
    wanted = Destination(destination_id="", name="siem", kind="webhook", url="https://siem.example/", folding=said)
    if is_sound:
        check_terms(wanted)
    else:
        with pytest.raises(Refused):
            check_terms(wanted)
