"""What goes one by one in a storm, what is told together, and what is remembered of it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from auth_gateway.core.destination import Folding
from auth_gateway.core.event import Event
from auth_gateway.core.folding import keys_of
from auth_gateway.flows import folding
from auth_gateway.flows.folding import Foldable, Folds, Plan, Summary, Told

TERMS = Folding(burst=2, per_minute=60.0)
EVENT = Event(event_id="", type="login.failed", ts=100.0, user_id="ann", ip="198.51.100.9", rule="bad_password")


def render(event: Event) -> bytes:
    return b"%s of %s: %d" % (event.event_id.encode(), str(event.user_id).encode(), count_of(event))


def count_of(event: Event) -> int:
    return event.folded.count if event.folded else 1


def told(name: str, destination: str = "dst_a", **changes: Any) -> Told:
    """One message, as the teller makes it."""
    event = msgspec.structs.replace(EVENT, event_id=name, **changes)
    keys = keys_of(event)
    foldable = Foldable(keys, TERMS, event, render) if keys else None
    return Told(destination_id=destination, event=event, body=b"", foldable=foldable)


def many(names: str, **changes: Any) -> list[Told]:
    return [told(name, **changes) for name in names]


def shown(plan: Plan) -> list[str | tuple[str, int]]:
    """The names of what goes by itself, and the first names of summaries with their counts."""
    return [(step.fold_key, step.count) if isinstance(step, Summary) else step.event.event_id for step in plan.steps]


def written(folds: Folds, messages: Sequence[Told], *, is_waiting: bool = True) -> Plan:
    """A plan that was kept; what waited before still waits, or is gone."""
    plan = folds.plan(messages)
    begun = [step for step in plan.steps if isinstance(step, Summary) and (step.into is None or not is_waiting)]
    folds.keep(plan, begun)
    return plan


def test_above_the_burst_events_are_told_as_one() -> None:
    """As they came; the summary stands where its first event would."""
    assert shown(Folds().plan(many("abcde"))) == ["a", "b", ("c", 3)]
    assert shown(Folds().plan(many("ab"))) == ["a", "b"]


def test_unlike_events_are_never_folded() -> None:
    """However many of others come: another type, rule, or person from elsewhere, another destination, and what is
    told one by one always."""
    folds, elsewhere = Folds(), {"user_id": "bob", "ip": "203.0.113.7"}
    written(folds, many("abcde"))
    others = [
        told("f", type="login.denied"), told("g", rule="frozen"), told("h", **elsewhere), told("i", "dst_b"),
        *many("jkl", type="login.allowed"),
    ]  # fmt: skip
    assert shown(written(folds, others)) == list("fghijkl")


@pytest.mark.parametrize(
    ("changes", "order_key"),
    [
        ({"ip": "203.0.113.7"}, "ann"),
        ({"user_id": "bob"}, "folded|login.failed|bad_password|198.51.100.0/24"),
    ],
)
def test_whichever_repeats(changes: dict[str, Any], order_key: str) -> None:
    """One person from anywhere, in that person's order; or anybody from one network, in nobody's."""
    plan = Folds().plan([told("a"), told("b"), told("c", **changes)])
    (summary,) = [step for step in plan.steps if isinstance(step, Summary)]
    assert summary.order_key == order_key
    assert (summary.event.user_id is None) is ("user_id" in changes)


def test_strangers_do_not_stand_in_each_others_way() -> None:
    """What has no person goes one by one for each network, so that it never takes all of a receiver's room."""
    assert told("a", user_id=None).order_key == "login.failed|bad_password|198.51.100.0/24"
    assert told("a").order_key == "ann"
    assert told("a", type="client.added", user_id=None).order_key is None


def test_what_waits_takes_in_the_next_batch() -> None:
    """The whole body is made of both; the batch's own is at hand in case that the other is gone."""
    folds = Folds()
    written(folds, many("abc"))
    (summary,) = folds.plan(many("de")).steps
    assert isinstance(summary, Summary)
    assert summary.into is not None
    assert (summary.into.fold_key, summary.into.body, summary.body) == ("c", b"c of ann: 3", b"d of ann: 2")
    written(folds, many("de"))
    (last,) = folds.plan(many("f")).steps
    assert isinstance(last, Summary)
    assert last.into is not None
    assert (last.into.fold_key, last.into.body) == ("c", b"c of ann: 4")


def test_where_it_is_gone_the_next_waits_in_its_place() -> None:
    """A summary that was sent takes in nothing more, nor is it counted again."""
    folds = Folds()
    written(folds, many("abc"))
    written(folds, many("de"), is_waiting=False)
    (last,) = folds.plan(many("f")).steps
    assert isinstance(last, Summary)
    assert last.into is not None
    assert (last.into.fold_key, last.into.body) == ("d", b"d of ann: 3")


def test_nothing_is_folded_past_another_event_of_the_person() -> None:
    """The order of a person's events is kept; another person's changes nothing."""
    folds = Folds()
    allowed = told("x", type="login.allowed")
    assert shown(folds.plan([*many("abcd"), allowed, *many("ef")])) == ["a", "b", ("c", 2), "x", ("e", 2)]
    other = told("x", type="login.allowed", user_id="bob")
    assert shown(folds.plan([*many("abcd"), other, *many("ef")])) == ["a", "b", ("c", 4), "x"]
    written(folds, many("abcd"))
    plan = folds.plan([*many("ef"), allowed, *many("gh")])
    assert [step.into is not None for step in plan.steps if isinstance(step, Summary)] == [True, False]


def test_what_was_not_written_is_not_remembered() -> None:
    """A transaction that failed, or was another gateway's, has told nothing."""
    folds = Folds()
    for _ in range(3):
        assert shown(folds.plan(many("abc"))) == ["a", "b", ("c", 1)]
    (summary,) = [step for step in folds.plan(many("abc")).steps if isinstance(step, Summary)]
    assert summary.into is None


def test_it_is_over_as_the_bucket_fills() -> None:
    """A second later one more goes by itself."""
    folds = Folds()
    written(folds, many("abcd"))
    assert shown(written(folds, many("ef", ts=101.0))) == ["e", ("f", 1)]


def test_each_destination_has_buckets_of_its_own() -> None:
    """And summaries: one of them says nothing of what another was told."""
    plan = Folds().plan([each for name in "abcd" for each in (told(name), told(name, "dst_b"))])
    assert shown(plan) == ["a", "a", "b", "b", ("c", 2), ("c", 2)]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many people and networks: the longest unused is forgotten, and goes one by one again."""
    monkeypatch.setattr(folding, "MOST_BUCKETS", 10)
    monkeypatch.setattr(folding, "MOST_SUMMARIES", 5)
    folds = Folds()
    for number in range(100):
        written(folds, many("abcd", user_id=f"u{number}", ip=None))
    assert (len(folds._buckets), len(folds._summaries)) == (10, 5)
    assert shown(folds.plan(many("e", user_id="u99", ip=None))) == [("e", 1)]
    assert shown(folds.plan(many("e", user_id="u0", ip=None))) == ["e"]
