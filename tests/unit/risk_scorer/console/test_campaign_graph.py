"""A campaign as a drawing, and its course: nothing lies over anything else, and the same edges make one picture."""

import random
from itertools import pairwise

import pytest

from risk_scorer.contract.campaigns import Campaign, CampaignEvidence, CampaignMark
from risk_scorer.core.console.campaign_edges import Edge, edges_of
from risk_scorer.core.console.campaign_evidence import adding
from risk_scorer.core.console.campaign_graph import (
    ACCOUNT_UNITS,
    BOX_HEIGHT,
    BOX_WIDTH,
    MOST_ACCOUNTS,
    MOST_EDGES,
    MOST_SIGNALS,
    SIDE,
    WIDTH,
    Graph,
    graph,
)
from risk_scorer.core.console.campaign_timeline import HEIGHT, MOST_BARS, MOST_STACKED, OTHERS, step_of, timeline
from risk_scorer.core.console.enforced import Result, told
from risk_scorer.core.console.label import fitting, units_of
from tests.campaign_crowds import BOT_JA4, NOW, bots

WIDEST = 8.0
"""Units of a picture that a wide Latin letter takes at 13; an East Asian one takes twice that."""


def edge(account: str, value: str, events: int = 3, kind: str = "address") -> Edge:
    return Edge(account=account, kind=kind, value=value, events=events, failed=0, first=NOW, last=NOW)


def crowd(accounts: int, signals: int) -> list[Edge]:
    """Each account on a few of the signals."""
    chance = random.Random(7)
    return [
        edge(f"account-{account}", f"10.0.0.{signal}", events=chance.randrange(1, 99))
        for account in range(accounts)
        for signal in range(signals)
        if chance.random() < 0.6 or signal == 0
    ]


def boxes(drawn: Graph) -> list[tuple[float, float, float, float]]:
    """Where every label may be, from left and top to right and bottom, as wide as it may get."""
    found = [(each.x, each.y, each.x + BOX_WIDTH, each.y + BOX_HEIGHT) for each in drawn.signals]
    for each in drawn.accounts:
        left, right = (0.0, SIDE) if each.is_left else (WIDTH - SIDE, WIDTH)
        found.append((left, each.y - 9.0, right, each.y + 9.0))
    return found


SIZES = [(0, 0), (1, 1), (4, 3), (12, 6), (MOST_ACCOUNTS, MOST_SIGNALS), (300, 100)]


@pytest.mark.parametrize(("accounts", "signals"), SIZES)
def test_no_label_lies_over_another_one(accounts: int, signals: int) -> None:
    """Nor out of the picture, however many there are."""
    drawn = graph(crowd(accounts, signals))
    found = boxes(drawn)
    for at, (left, top, right, bottom) in enumerate(found):
        assert left >= 0
        assert top >= 0
        assert right <= drawn.width
        assert bottom <= drawn.height
        for other in found[at + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


@pytest.mark.parametrize("text", ["W" * 99, "漢" * 99, "ab", "漢字 and W" * 9, "é" + "\u0301" * 500, "\u202eabc", ""])
def test_a_label_is_no_wider_than_its_place(text: str) -> None:
    """Wide signs count twice, marks do not pile up, and what nobody sees is written out."""
    label = fitting(text, ACCOUNT_UNITS)
    assert units_of(label) <= ACCOUNT_UNITS
    assert ACCOUNT_UNITS * WIDEST <= SIDE - 8.0
    assert label.isprintable()
    assert "\u0301\u0301" not in label
    assert (label == text) == (text in ("ab", ""))


def test_the_same_edges_make_the_same_drawing_in_whatever_order_they_come() -> None:
    """A page that is loaded again looks as before."""
    edges = crowd(40, 20)
    shuffled = random.Random(1).sample(edges, len(edges))
    assert graph(edges) == graph(shuffled)


def test_the_heaviest_edges_are_drawn_and_the_rest_is_counted() -> None:
    """Within what can be read; the light ones go first."""
    edges = [*crowd(300, 100), edge("heavy", "10.0.0.0", events=5_000)]
    drawn = graph(edges)
    assert len(drawn.strokes) <= MOST_EDGES
    assert len(drawn.accounts) <= MOST_ACCOUNTS
    assert len(drawn.signals) <= MOST_SIGNALS
    assert drawn.is_pruned
    assert (drawn.edges_in_all, drawn.accounts_in_all, drawn.signals_in_all) == (len(edges), 301, 100)
    assert "heavy" in {each.account for each in drawn.accounts}
    widest = max(drawn.strokes, key=lambda stroke: stroke.width)
    assert widest.edge.account == "heavy"
    assert not graph(crowd(4, 2)).is_pruned


def test_a_stroke_ends_at_its_account_and_its_box() -> None:
    """On the side that the account stands on; what mostly failed is told apart."""
    failing = Edge(account="b", kind="ja4", value="t13d", events=4, failed=3, first=NOW, last=NOW)
    drawn = graph([edge("a", "10.0.0.1"), failing, edge("b", "10.0.0.1")])
    accounts = {each.account: each for each in drawn.accounts}
    signals = {each.value: each for each in drawn.signals}
    for stroke in drawn.strokes:
        account, box = accounts[stroke.edge.account], signals[stroke.edge.value]
        assert stroke.path.startswith(f"M{account.x} {account.y} ")
        side = box.x if account.is_left else box.x + BOX_WIDTH
        assert stroke.path.endswith(f" {side} {box.y + BOX_HEIGHT / 2}")
        assert stroke.is_failing is (stroke.edge is failing)
    assert {each.is_left for each in drawn.accounts} == {True, False}


def test_edges_are_made_of_what_the_accounts_did() -> None:
    """Of their address, their program and their rhythm, as the search for campaigns sees them; nothing else."""
    found = edges_of(
        list(bots(4, random.Random(1))), [("ja4", BOT_JA4), ("address", "45.9.2.7"), ("rhythm", "every 30 s")]
    )
    assert {each.account for each in found if each.kind == "ja4"} == {f"bot-{number}" for number in range(4)}
    assert all(each.events == 25 for each in found if each.kind == "ja4")
    assert [(each.account, each.value) for each in found if each.kind == "address"] == [("bot-2", "45.9.2.7")]
    assert {each.kind for each in found} == {"ja4", "address", "rhythm"}
    assert edges_of([], [("ja4", BOT_JA4)]) == ()


def test_a_course_stacks_the_busiest_accounts_and_all_others() -> None:
    """From the bottom up without gaps, the highest bar as high as the box; every event is counted once."""
    counts = {f"a{number}": {0: number, 3: 1} for number in range(8)}
    course = timeline(counts, first=NOW, step=60.0)
    assert course.layers == ("a7", "a6", "a5", "a4", "a3", OTHERS)
    assert len(course.layers) == MOST_STACKED + 1
    assert [column.total for column in course.columns] == [28, 0, 0, 8]
    assert sum(course.totals) == 36
    for column in course.columns:
        for lower, upper in pairwise(column.parts):
            assert upper.y + upper.height == pytest.approx(lower.y, abs=0.02)
    assert course.columns[0].parts[-1].y == 0.0
    assert sum(part.height for part in course.columns[0].parts) == pytest.approx(HEIGHT, abs=0.1)
    assert timeline({}, first=NOW, step=60.0).columns == ()


@pytest.mark.parametrize("seconds", [0.0, 59.0, 3_600.0, 86_400.0, 400 * 86_400.0])
def test_a_course_has_a_bounded_number_of_bars(seconds: float) -> None:
    """However long a campaign goes on."""
    step = step_of(NOW, NOW + seconds)
    last = int(seconds // step)
    assert len(timeline({"a": {0: 1, last: 1}}, first=NOW, step=step).columns) <= MOST_BARS


@pytest.mark.parametrize("score", [60.0, 86.88, 100.0])
def test_the_evidence_adds_up_to_the_score(score: float) -> None:
    """To the hundredth, whatever the shares are; without any it is nothing."""
    marks = [
        CampaignMark(name=f"m{at}", accounts=4, share=1.0, base=0.1, nats=nats)
        for at, nats in enumerate((7.3, 3.1, 0.7))
    ]
    campaign = Campaign(
        campaign_id="c", state="open", score=score, members=4, revision=1, first_seen=NOW, last_seen=NOW,
        opened_at=NOW, updated_at=NOW, closed_at=None, evidence=CampaignEvidence(marks=tuple(marks), overlap=1.0),
    )  # fmt: skip
    found = adding(campaign)
    assert found.total == score
    assert sum(step.points for step in found.steps) == pytest.approx(score, abs=1e-9)
    assert [step.after for step in found.steps[:-1]] == [step.before for step in found.steps[1:]]


def test_what_became_of_each_account_is_told_within_a_line() -> None:
    """How many it was done to; whom not, and why; and of whom nobody knows."""
    results = [
        Result("a", "done"),
        Result("b", "refused", "unknown_user"),
        Result("c", "unknown", "gateway_unavailable"),
        *(Result(f"d{number}", "not_tried") for number in range(22)),
    ]
    line = told("Frozen", results)
    assert line == (
        "Frozen: 1 of 25. Refused: b (unknown_user). Nobody knows whether done: c. Not tried: d0, d1, d2 and 19 more."
    )
    longest = [Result("x" * 256, "refused", "y" * 64)] * 9 + [Result("x" * 256, "unknown")] * 9
    assert len(told("Signed out everywhere", longest)) <= 300
