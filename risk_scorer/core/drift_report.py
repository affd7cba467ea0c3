"""Whether live logins have moved too far from those that a model was fitted on: what is past its mark.

A mark is passed when the evidence is beyond chance, and passed no more when what was found is well on its near side:
between the two nothing changes, so that an alarm does not come and go (hysteresis).
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct, structs

from risk_scorer.contract.assessment import MEDIUM_FROM
from risk_scorer.core.binomial import limits
from risk_scorer.core.drift import Shift, shift
from risk_scorer.core.drift_marks import Marks
from risk_scorer.core.model import Model
from risk_scorer.core.reference import SCORE, Counts, Reference, counted

State = Literal["ok", "moved", "past", "unknown"]
"""`moved` is beyond chance and short of the mark; `unknown` is what too few logins say."""

FEATURES_TOGETHER, IP_DATA, MISSED = "features", "ip_data", "missed_compromises"
CHURNING: Final = frozenset({"user", "ip", "device", "ua", "browser_version"})
"""New ones of these come by themselves, month after month: told, and no reason for an alarm."""
Day = tuple[str, int]
"""A model's version and the days since 1970 (UTC) on which it scored."""
BANDS: Final = (0.0, 20.0, 40.0, 60.0, 80.0)


class Moved(Shift, frozen=True, kw_only=True):
    """A shift, and what it means."""

    state: State


class Rate(Struct, frozen=True, kw_only=True):
    """A share of live logins with its 95 % limits, beside what it was `before`, at training, and what it may be: the
    budget, or what the training's logins could prove where they were too few for that."""

    name: str
    count: int
    among: int
    share: float
    low: float
    high: float
    before: float
    budget: float | None
    state: State


class Band(Struct, frozen=True, kw_only=True):
    """Logins with a verdict whose score lay from here up to the next band, and how many of them were compromises."""

    score_from: float
    judged: int
    compromised: int
    low: float
    high: float


class Feedback(Struct, frozen=True, kw_only=True):
    """What people found out about logins that this model scored: of the compromises, how many had reached 60, with 95 %
    limits, beside the share of the hardest kind of simulated strangers that does; the same of the safe ones.

    Who gets a verdict is no fair sample: logins that were asked for more are looked at more often.
    """

    compromised: int
    caught: int
    low: float
    high: float
    promised: float | None
    safe: int
    safe_prompted: int
    bands: tuple[Band, ...]
    state: State


class DriftReport(Struct, frozen=True, kw_only=True):
    """Everything that was measured between two moments (epoch seconds), and by name what is `past` its mark."""

    model_version: str
    since: float
    until: float
    logins: int
    logins_before: int
    score: Moved
    features: tuple[Moved, ...]
    prompts: tuple[Rate, ...]
    unknown: tuple[Rate, ...]
    feedback: Feedback
    ip_data_days: float | None
    ip_data: State
    past: tuple[str, ...]


class Looked(Struct, frozen=True, kw_only=True):
    """What was found at the last look (None where nobody can read it), when (0: never), and how often an alarm was
    raised or cleared up to then."""

    report: DriftReport | None
    changes: int
    found_at: float

    @property
    def past(self) -> tuple[str, ...]:
        """What was past its mark."""
        return () if self.report is None else self.report.past


class Verdict(Struct, frozen=True):
    """What somebody found out about a login, and what it had scored."""

    is_compromised: bool
    score: float


class Live(Struct, frozen=True, kw_only=True):
    """What live logins of a model said in a span of time, and how old the address tables are."""

    counts: Counts
    verdicts: Sequence[Verdict]
    ip_data_days: float | None
    since: float
    until: float


def report(model: Model, live: Live, marks: Marks, *, was: Collection[str] = ()) -> DriftReport:
    """Holds live logins against the model's reference; `was` names what was past its mark so far, of this same model.

    Raises ValueError for a model without a reference.
    """
    reference = model.reference
    if reference is None:
        raise ValueError("the model was made without a reference")
    counts, own = live.counts, counted(reference)
    is_enough = counts.logins >= marks.least_logins
    moved = {
        name: _moved(shift(name, own.spreads[name], counts.spreads[name]), marks, is_enough, name in was)
        for name in (SCORE, *reference.watched)
    }
    features = tuple(moved[name] for name in reference.watched)
    prompts = _prompts(model, reference, counts, is_enough, was)
    unknown = _unknown(reference, counts, marks, is_enough, was)
    feedback = feedback_of(live.verdicts, model.manifest.simulated, was)
    found = {
        SCORE: moved[SCORE].state == "past",
        FEATURES_TOGETHER: _together(features, marks, FEATURES_TOGETHER in was),
        **{rate.name: rate.state == "past" for rate in (*prompts, *unknown)},
    }
    past = (
        [name for name, is_past in found.items() if is_past] if is_enough else [each for each in found if each in was]
    )
    ip_data = _ip_data(live.ip_data_days, marks, is_used=model.uses_ip_facts)
    past += [name for name, state in ((IP_DATA, ip_data), (MISSED, feedback.state)) if state == "past"]
    return DriftReport(
        model_version=model.version,
        since=live.since,
        until=live.until,
        logins=counts.logins,
        logins_before=reference.logins,
        score=moved[SCORE],
        features=features,
        prompts=prompts,
        unknown=unknown,
        feedback=feedback,
        ip_data_days=live.ip_data_days,
        ip_data=ip_data,
        past=tuple(past),
    )


def _moved(found: Shift, marks: Marks, is_enough: bool, was_past: bool) -> Moved:
    state: State = "ok"
    if not is_enough:
        state = "unknown"
    elif found.psi > found.noise:
        if found.psi >= (marks.psi_over if was_past else marks.psi):
            state = "past"
        elif found.psi >= marks.psi_moved:
            state = "moved"
    return Moved(**structs.asdict(found), state=state)


def _together(features: Sequence[Moved], marks: Marks, was_past: bool) -> bool:
    """Whether enough features moved at the same time."""
    mark = marks.psi_over if was_past else marks.psi
    past = sum(each.psi >= mark and each.psi > each.noise for each in features)
    return past >= max(2, math.ceil(marks.features_share * len(features)))


def _rate(name: str, count: int, among: int, before: float) -> Rate:
    low, high = limits(count, among)
    share = count / among if among else 0.0
    return Rate(
        name=name,
        count=count,
        among=among,
        share=share,
        low=low,
        high=high,
        before=before,
        budget=None,
        state="unknown",
    )


def _prompts(
    model: Model, reference: Reference, counts: Counts, is_enough: bool, was: Collection[str]
) -> tuple[Rate, ...]:
    """Who is asked for more, and who is denied, against what the model was fitted to. Source: Clopper and Pearson."""
    told = (("step_up", counts.prompted, reference.prompted), ("deny", counts.denied, reference.denied))
    rates = []
    for name, count, before in told:
        rate = _rate(f"{name}_budget", count, counts.logins, before / reference.logins)
        mark = model.manifest.marks.get(name)
        budget = None if mark is None else mark.budget
        if mark is not None and mark.is_extrapolated:  # too few logins to prove the budget: what they did prove
            budget = max(mark.budget, mark.bound)
        state: State = "unknown"
        if is_enough and budget is not None:
            is_past = rate.low > budget or (rate.name in was and rate.share > budget)
            state = "past" if is_past else "moved" if rate.share > budget else "ok"
        rates.append(structs.replace(rate, budget=budget, state=state))
    return tuple(rates)


def _unknown(
    reference: Reference, counts: Counts, marks: Marks, is_enough: bool, was: Collection[str]
) -> tuple[Rate, ...]:
    """Of each attribute the share of logins with a value that nobody had at training."""
    rates = []
    for attribute, before in reference.unknown.items():
        name = f"unknown_{attribute}"
        rate = _rate(name, counts.unknown[attribute], counts.logins, before / reference.logins)
        _, highest_before = limits(before, reference.logins)
        state: State = "unknown"
        if is_enough:
            beyond = rate.low - highest_before
            is_past = beyond >= marks.unknown or (name in was and rate.share - rate.before >= marks.unknown_over)
            state = "past" if is_past else "moved" if beyond > 0.0 else "ok"
            if state == "past" and attribute in CHURNING:
                state = "moved"
        rates.append(structs.replace(rate, state=state))
    return tuple(rates)


def _ip_data(days: float | None, marks: Marks, *, is_used: bool) -> State:
    if days is None or not is_used:
        return "unknown"
    return "past" if days > marks.ip_data_days else "ok"


def feedback_of(verdicts: Sequence[Verdict], simulated: Mapping[str, float], was: Collection[str] = ()) -> Feedback:
    """How the scores of judged logins stand to what was found out about them."""
    bad = [each.score for each in verdicts if each.is_compromised]
    safe = [each.score for each in verdicts if not each.is_compromised]
    caught = sum(score >= MEDIUM_FROM for score in bad)
    low, high = limits(caught, len(bad))
    promised = min(simulated.values(), default=None)
    state: State = "unknown"
    if bad and promised is not None:
        share = caught / len(bad)
        is_past = high < promised or (MISSED in was and share < promised)
        state = "past" if is_past else "ok"
    return Feedback(
        compromised=len(bad),
        caught=caught,
        low=low,
        high=high,
        promised=promised,
        safe=len(safe),
        safe_prompted=sum(score >= MEDIUM_FROM for score in safe),
        bands=tuple(_band(start, end, bad, safe) for start, end in zip(BANDS, (*BANDS[1:], math.inf), strict=True)),
        state=state,
    )


def _band(start: float, end: float, bad: Sequence[float], safe: Sequence[float]) -> Band:
    compromised = sum(start <= score < end for score in bad)
    judged = compromised + sum(start <= score < end for score in safe)
    low, high = limits(compromised, judged)
    return Band(score_from=start, judged=judged, compromised=compromised, low=low, high=high)
