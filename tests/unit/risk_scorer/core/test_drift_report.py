"""What is too far is said once it is beyond chance, and no more once it is well on the near side again."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from risk_scorer.core.drift_marks import Marks
from risk_scorer.core.drift_report import Counts, DriftReport, Live, Verdict, feedback_of, report
from risk_scorer.core.manifest import MarkNumbers
from risk_scorer.core.model import Model
from risk_scorer.core.reference import Reference, Spread, counted
from tests.unit.risk_scorer.core.small import model
from tests.unit.risk_scorer.core.stored_model import manifest
from tests.unit.risk_scorer.core.watched import REFERENCE

LOGINS = 1000


def mark(budget: float) -> MarkNumbers:
    return MarkNumbers(budget=budget, evidence=1.0, prompted=0, logins=100, bound=budget, is_extrapolated=False)


def watched_model(reference: Reference | None = REFERENCE, **changes: Any) -> Model:
    marks, simulated = {"step_up": mark(0.02), "deny": mark(0.001)}, {"naive": 0.9, "careful": 0.6}
    told: dict[str, Any] = {"manifest": manifest(marks=marks, simulated=simulated), "reference": reference}
    return replace(model(), **{**told, **changes})


def live(**changes: Any) -> Counts:
    """A thousand logins just like those of the reference, but for these."""
    own = counted(REFERENCE)
    same: dict[str, Any] = {
        "logins": LOGINS,
        "prompted": 20,
        "denied": 0,
        "unknown": {name: count * 10 for name, count in own.unknown.items()},
        "spreads": {name: bins * 10 for name, bins in own.spreads.items()},
    }
    return Counts(**{**same, **changes})


def spread(**bins: list[int]) -> dict[str, Any]:
    return {**live().spreads, **{name: np.array(each) for name, each in bins.items()}}


def looked_at(
    counts: Counts,
    *,
    was: Collection[str] = (),
    days: float | None = None,
    verdicts: Collection[Verdict] = (),
    of: Model | None = None,
    **marks: Any,
) -> DriftReport:
    seen = Live(counts=counts, verdicts=list(verdicts), ip_data_days=days, since=0.0, until=1.0)
    return report(of or watched_model(), seen, Marks(**marks), was=was)


def test_logins_like_those_at_training_are_no_drift() -> None:
    """Every state is well, and the report says what it is about."""
    found = looked_at(live())
    assert found.past == ()
    assert found.score.state == "ok"
    assert {each.state for each in (*found.features, *found.prompts, *found.unknown)} == {"ok"}
    assert (found.logins, found.logins_before) == (LOGINS, 100)


def few(logins: int, **changes: Any) -> Counts:
    """So many, of which nobody was prompted or unknown."""
    return live(logins=logins, prompted=0, unknown={"ip": 0, "user": 0}, **changes)


FAR = [100, 200, 400, 300, 0]


def test_a_score_past_its_mark_is_an_alarm() -> None:
    """And says by how much."""
    found = looked_at(live(spreads=spread(score=FAR)))
    assert found.past == ("score",)
    assert found.score.psi > 0.25


@pytest.mark.parametrize(("was", "past"), [((), ()), (("score",), ("score",))])
def test_between_the_marks_an_alarm_stays_what_it_was(was: tuple[str, ...], past: tuple[str, ...]) -> None:
    """An index of 0.22 raises none, and clears none."""
    found = looked_at(live(spreads=spread(score=[340, 400, 200, 60, 0])), was=was)
    assert 0.2 <= found.score.psi < 0.25
    assert found.past == past


def test_below_both_marks_an_alarm_is_cleared() -> None:
    """What moved a little is told as such."""
    found = looked_at(live(spreads=spread(score=[360, 390, 190, 60, 0])), was=("score",))
    assert 0.1 <= found.score.psi < 0.2
    assert (found.past, found.score.state) == ((), "moved")


def test_one_feature_alone_is_told_and_two_of_them_are_an_alarm() -> None:
    """A new version of a browser moves its own; an attack or another kind of people moves many."""
    one = looked_at(live(spreads=spread(hour=[700, 200, 50, 50, 0])))
    assert (one.features[0].state, one.past) == ("past", ())
    two = looked_at(live(spreads=spread(hour=[700, 200, 50, 50, 0], ip_rep=[500, 500, 0])))
    assert two.past == ("features",)


def many(features: int, moved: int) -> DriftReport:
    """So many features, of which so many are far off."""
    from risk_scorer.core.features import FEATURES

    names = FEATURES[:features]
    reference = msgspec.structs.replace(
        REFERENCE,
        spreads={"score": REFERENCE.spreads["score"], **dict.fromkeys(names, Spread(edges=(0.5,), counts=(50, 50, 0)))},
    )
    bins = {name: np.array([50, 950, 0] if place < moved else [500, 500, 0]) for place, name in enumerate(names)}
    counts = live(spreads={"score": live().spreads["score"], **bins})
    return looked_at(counts, of=watched_model(reference))


@pytest.mark.parametrize(("moved", "past"), [(3, ()), (4, ("features",))])
def test_a_fifth_of_the_features_together_is_an_alarm(moved: int, past: tuple[str, ...]) -> None:
    """Of twenty, four."""
    assert many(20, moved).past == past


@pytest.mark.parametrize(("prompted", "was", "past"), [
    (28, (), ()), (33, (), ("step_up_budget",)), (25, ("step_up_budget",), ("step_up_budget",)),
    (20, ("step_up_budget",), ()),
])  # fmt: skip
def test_prompts_beyond_the_budget_are_an_alarm(prompted: int, was: tuple[str, ...], past: tuple[str, ...]) -> None:
    """Raised when the lower limit lies above 2 %, cleared when the share itself is within it again."""
    assert looked_at(live(prompted=prompted), was=was).past == past


@pytest.mark.parametrize(("denied", "past"), [(3, ()), (6, ("deny_budget",))])
def test_denials_have_a_budget_too(denied: int, past: tuple[str, ...]) -> None:
    """One in a thousand."""
    assert looked_at(live(denied=denied)).past == past


@pytest.mark.parametrize(("bound", "past"), [(0.0005, ("deny_budget",)), (0.01, ())])
def test_a_budget_that_could_not_be_proved_is_held_to_what_could(bound: float, past: tuple[str, ...]) -> None:
    """Two hundred held-out logins prove no share of one in a thousand."""
    extrapolated = msgspec.structs.replace(mark(0.001), bound=bound, is_extrapolated=True)
    of = watched_model(manifest=manifest(marks={"step_up": mark(0.02), "deny": extrapolated}))
    assert looked_at(live(denied=6), of=of).past == past


def test_a_model_without_budgets_is_not_held_to_any() -> None:
    """The share is told all the same."""
    found = looked_at(live(prompted=500), of=watched_model(manifest=manifest(marks={})))
    assert (found.past, found.prompts[0].share, found.prompts[0].state) == ((), 0.5, "unknown")


def unknown_countries(count: int, attribute: str = "country") -> tuple[Counts, Model]:
    reference = msgspec.structs.replace(REFERENCE, unknown={attribute: 1})
    return live(unknown={attribute: count}), watched_model(reference)


@pytest.mark.parametrize(("count", "was", "past"), [
    (150, (), ()), (200, (), ("unknown_country",)), (100, ("unknown_country",), ("unknown_country",)),
    (50, ("unknown_country",), ()),
])  # fmt: skip
def test_values_that_nobody_had_are_an_alarm(count: int, was: tuple[str, ...], past: tuple[str, ...]) -> None:
    """Ten points beyond chance raise it; fewer than five points more than at training clear it."""
    counts, of = unknown_countries(count)
    assert looked_at(counts, of=of, was=was).past == past


@pytest.mark.parametrize("attribute", ["user", "ip", "device", "ua", "browser_version"])
def test_what_is_new_by_itself_is_told_and_no_alarm(attribute: str) -> None:
    """New people, addresses and versions come all the time."""
    counts, of = unknown_countries(900, attribute)
    found = looked_at(counts, of=of)
    assert (found.past, found.unknown[0].state) == ((), "moved")


@pytest.mark.parametrize(("days", "past"), [(None, ()), (180.0, ()), (180.1, ("ip_data",))])
def test_old_address_tables_are_an_alarm(days: float | None, past: tuple[str, ...]) -> None:
    """With however few logins: their age needs none."""
    assert looked_at(live(), days=days).past == past
    assert looked_at(few(1), days=days).past == past


def test_a_model_that_never_saw_real_addresses_does_not_age_with_them() -> None:
    """What is known of addresses moves none of its scores."""
    assert looked_at(live(), days=999.0, of=watched_model(absent={"ip_facts": "invented"})).past == ()


@pytest.mark.parametrize(("logins", "past"), [(199, ()), (200, ("score",))])
def test_few_logins_say_nothing(logins: int, past: tuple[str, ...]) -> None:
    """Two hundred is the least, whatever they look like."""
    assert looked_at(few(logins, spreads=spread(score=FAR))).past == past


@pytest.mark.parametrize("was", ["score", "features", "step_up_budget", "unknown_user"])
def test_few_logins_clear_no_alarm(was: str) -> None:
    """A quiet week is no recovery."""
    found = looked_at(few(10), was=(was,))
    assert found.past == (was,)
    assert found.score.state == "unknown"


def verdicts(missed: int, caught: int) -> list[Verdict]:
    return [Verdict(True, 59.99)] * missed + [Verdict(True, 60.0)] * caught


@pytest.mark.parametrize(("missed", "caught", "was", "past"), [
    (0, 0, (), ()), (3, 3, (), ()), (20, 5, (), ("missed_compromises",)),
    (5, 5, ("missed_compromises",), ("missed_compromises",)), (2, 8, ("missed_compromises",), ()),
])  # fmt: skip
def test_compromises_that_were_let_in_are_an_alarm(
    missed: int, caught: int, was: tuple[str, ...], past: tuple[str, ...]
) -> None:
    """When the upper limit of what was caught lies below what even careful strangers are caught in."""
    assert looked_at(live(), verdicts=verdicts(missed, caught), was=was).past == past


def test_verdicts_are_told_by_bands_of_the_score() -> None:
    """Both kinds, with limits, each band from its mark on."""
    judged = [
        Verdict(False, 19.99),
        Verdict(False, 20.0),
        Verdict(True, 60.0),
        Verdict(True, 99.0),
        Verdict(False, 90.0),
    ]
    found = feedback_of(judged, {})
    assert [(band.score_from, band.judged, band.compromised) for band in found.bands] == [
        (0.0, 1, 0), (20.0, 1, 0), (40.0, 0, 0), (60.0, 1, 1), (80.0, 2, 1),
    ]  # fmt: skip
    assert (found.compromised, found.caught, found.safe, found.safe_prompted) == (2, 2, 3, 1)
    assert (found.promised, found.state) == (None, "unknown")


def test_a_model_without_a_reference_cannot_be_watched() -> None:
    """And nobody pretends."""
    with pytest.raises(ValueError, match="without a reference"):
        looked_at(live(), of=watched_model(None))
