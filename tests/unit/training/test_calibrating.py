"""Marks keep their budgets on logins that the model never saw, groups get marks of their own within bounds, and whoever
changes marks leaves a line that nobody can rewrite unseen."""

import tomllib
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.history import EMPTY
from risk_scorer.core.manifest import CalibrationNumbers, MarkNumbers, Span
from training.calibrate import mark, score_map
from training.calibrating import history, marks
from training.calibrating.by_group import GroupMarks, document, group_marks
from training.calibrating.held_out import HeldOut
from training.marked import Budgets
from training.publish import public_bytes
from training.refusals import TrainingRefusedError, WrongInputError

NATS = np.random.default_rng(1).exponential(size=8000)
STRANGERS = 4.0 + np.random.default_rng(2).exponential(size=500)


def held(evidence: np.ndarray = NATS, *, usual: bool = False) -> HeldOut:
    return HeldOut(
        evidence=evidence,
        rows=np.arange(len(evidence)),
        is_usual=np.full(len(evidence), usual),
        has_past=np.ones(len(evidence), bool),
        groups={},
        attacks={"takeover": STRANGERS},
        most_known=EMPTY,
    )


@pytest.mark.parametrize("budget", [0.005, 0.02, 0.1])
def test_the_marks_keep_both_budgets_by_their_upper_bounds(budget: float) -> None:
    """The bound of what reaches 60 and of what reaches 80 is within its budget, on the new scale."""
    new = marks.found(held(), Budgets(budget, 0.001))
    measured = marks.measured(NATS, new.score_map, {"step_up": budget, "deny": 0.001})
    assert 0.0 < measured["step_up"].bound <= budget
    assert 0.0 < measured["deny"].bound <= 0.001
    assert measured["step_up"].evidence == new.step_up.evidence


@pytest.mark.parametrize(("logins", "is_enough"), [(149, True), (148, False), (0, False)])
def test_a_step_up_mark_is_counted_or_refused(logins: int, is_enough: bool) -> None:
    """148 logins cannot prove 2 %; a guess does not take the place of a mark that is there."""
    if is_enough:
        assert not marks.found(held(NATS[:logins]), Budgets()).step_up.is_extrapolated
        return
    with pytest.raises(TrainingRefusedError) as refused:
        marks.found(held(NATS[:logins]), Budgets())
    assert refused.value.code == "too_few_logins"


def test_marks_that_would_prompt_the_usual_login_are_refused() -> None:
    """Where the logins of well-known people are the ones at the top, a budget cannot be kept by asking them."""
    far_out = replace(held(), is_usual=np.quantile(NATS, 0.99) < NATS)
    with pytest.raises(TrainingRefusedError) as refused:
        marks.found(far_out, Budgets())
    assert refused.value.code == "quiet_login_flagged"


@pytest.mark.parametrize(
    ("step_up", "deny", "is_taken"),
    [
        (0.02, 0.001, True),
        (0.5, 0.001, True),
        (0.51, 0.001, False),
        (0.02, 0.02, False),
        (0.02, 0.0, False),
        (0.02, -0.1, False),
        (float("nan"), 0.001, False),
        (0.02, float("nan"), False),
    ],
)
def test_budgets_are_shares_in_order(step_up: float, deny: float, is_taken: bool) -> None:
    """Denied are fewer than asked, and asked is at most every second login."""
    if is_taken:
        marks.require_budgets(Budgets(step_up, deny))
        return
    with pytest.raises(WrongInputError) as refused:
        marks.require_budgets(Budgets(step_up, deny))
    assert refused.value.code == "bad_budget"


def test_curves_and_other_budgets_are_told_beside_the_marks() -> None:
    """Recall with limits at both marks, ROC and precision for each kind; the ladder rises with its budgets."""
    told = marks.facts(held(), marks.found(held(), Budgets()).score_map)
    caught = told["at_marks"]["step_up"]["recall"]["takeover"]
    assert caught["low"] < caught["share"] == caught["count"] / 500 < caught["high"]
    assert told["curves"]["takeover"]["roc"]["area"] > 0.9
    assert told["curves"]["takeover"]["precision_recall"]["average_precision"] > 0.5
    shares = [rung["recall"]["takeover"] for rung in told["ladder"]]
    assert shares == sorted(shares)
    assert len(shares) == 5


def on_scale(evidence: np.ndarray = NATS) -> ScoreMap:
    return score_map(evidence, mark(evidence, 0.02), mark(evidence, 0.001))


def test_each_group_keeps_the_budget_among_its_own_people() -> None:
    """A calm group is asked earlier than at 60, a noisy one later; each within its own bound."""
    groups = np.array(["calm", "noisy"], object)[np.arange(8000) % 2]
    evidence = NATS * np.where(groups == "calm", 0.8, 1.1)
    calm, noisy = group_marks(evidence, groups, on_scale(evidence), {}, usual=Budgets())
    assert (calm.group, calm.logins, noisy.group, noisy.logins) == ("calm", 4000, "noisy", 4000)
    assert calm.step_up is not None
    assert noisy.step_up is not None
    assert calm.step_up < 60.0 < noisy.step_up < 75.0
    assert max(calm.bound, noisy.bound) <= 0.02


def test_a_group_may_have_a_budget_of_its_own() -> None:
    """Five percent for the bank: it is asked earlier than with two."""
    groups = np.full(8000, "bank", object)
    [usual] = group_marks(NATS, groups, on_scale(), {}, usual=Budgets())
    [own] = group_marks(NATS, groups, on_scale(), {"bank": Budgets(0.05, 0.001)}, usual=Budgets())
    assert usual.step_up is not None
    assert own.step_up is not None
    assert own.step_up < usual.step_up
    assert 0.02 < own.bound <= 0.05


def test_a_groups_marks_stay_within_what_policy_takes() -> None:
    """Whose every login is far out is asked from 75 and denied from 80, and that is said."""
    groups = np.array(["far", "quiet"], object)[np.repeat([0, 1], [2000, 6000])]
    evidence = np.where(groups == "far", 50.0 + NATS, NATS / 100.0)
    far, quiet = group_marks(evidence, groups, on_scale(), {}, usual=Budgets())
    assert (far.step_up, far.deny, far.is_limited) == (75.0, None, True)
    assert quiet.step_up is not None
    assert quiet.deny is not None
    assert 30.0 <= quiet.step_up <= 60.0 <= quiet.deny <= 80.0


@pytest.mark.parametrize(("logins", "has_marks"), [(149, True), (148, False)])
def test_too_few_logins_give_no_marks(logins: int, has_marks: bool) -> None:
    """Where a budget cannot be counted the shared marks stay, and the document does not name the group."""
    groups = np.where(np.arange(8000) < logins, "few", "")
    [few] = group_marks(NATS, groups.astype(object), on_scale(), {}, usual=Budgets())
    assert (few.step_up is not None) is has_marks
    assert ("few" in document([few], asks="client", model_version="m")) is has_marks


def test_the_document_is_toml_whatever_a_group_is_called() -> None:
    """Quotes, backslashes and line breaks in a name stay in the name."""
    name = 'a"b\\c\nd\x00é'
    found = GroupMarks(name, 500, 52.31, 80.0, 4, 2, 0.018, is_limited=False)
    told = tomllib.loads(document([found], asks="group", model_version="abc"))
    assert told == {"marks": [{"group": name, "step_up": 52.31, "deny": 80.0, "model": "abc"}]}


KEY = Ed25519PrivateKey.generate()


def change() -> CalibrationNumbers:
    numbers = MarkNumbers(budget=0.02, evidence=3.5, prompted=7, logins=900, bound=0.015, is_extrapolated=False)
    both = {"step_up": numbers, "deny": numbers}
    return CalibrationNumbers(of="old", data="d" * 64, span=Span(first=1.0, last=2.0), seed=7, before=both, after=both)


def a_line(reason: str) -> history.Line:
    return history.line(change(), "new", at="2026-01-02T03:04:05Z", by="ann", reason=reason)


def test_history_keeps_every_line_and_says_who_signed_it(tmp_path: Path) -> None:
    """Lines come back in order; one that was changed afterwards, or signed by somebody else, is told apart."""
    path = tmp_path / "calibrations.jsonl"
    for reason in ("first", "second"):
        history.append(path, a_line(reason), KEY)
    history.append(path, a_line("third"), Ed25519PrivateKey.generate())
    path.write_bytes(path.read_bytes().replace(b'"second"', b'"forged"'))
    told = list(history.lines(path, public_bytes(KEY)))
    assert [(line.reason, is_signed) for line, is_signed in told] == [
        ("first", True),
        ("forged", False),
        ("third", False),
    ]


def test_no_history_is_an_empty_one_and_a_torn_line_is_told_with_its_number(tmp_path: Path) -> None:
    """A file that is no history is refused, not skipped."""
    path = tmp_path / "calibrations.jsonl"
    assert list(history.lines(path, public_bytes(KEY))) == []
    history.append(path, a_line("first"), KEY)
    path.write_bytes(path.read_bytes() + b'{"at": "2026')
    with pytest.raises(WrongInputError) as refused:
        list(history.lines(path, public_bytes(KEY)))
    assert (refused.value.code, "line 2" in refused.value.message) == ("bad_history", True)


def test_a_line_says_all_of_a_change() -> None:
    """Who, when, on what, and the marks before and after."""
    told = msgspec.to_builtins(a_line("r"))
    assert (told["by"], told["at"], told["of"], told["model_version"]) == ("ann", "2026-01-02T03:04:05Z", "old", "new")
    assert told["before"]["deny"]["prompted"] == told["after"]["step_up"]["prompted"] == 7
