"""What a comparison of two models says: counts, differences with their intervals, and the events that differ.

The numbers alone: `on_log.py` and `on_shadow.py` count them, `words.py` says them. A login is prompted when it
reaches a mark. What the candidate does more of than the active model is a positive difference.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM

FORMAT: Final = "riskgate-comparison/1"
MOST_EVENTS: Final = 1000
"""Events that a comparison lists one by one, the weightiest first; all of them are counted."""

MarkName = Literal["step_up", "deny"]
Source = Literal["confirmed", "labelled", "simulated"]
"""Compromises that people confirmed, attacks that the log itself labels, strangers drawn from the log."""


class Interval(Struct, frozen=True, kw_only=True):
    """An estimate with its two-sided 95 % limits."""

    value: float
    low: float
    high: float


NOTHING_KNOWN: Final = Interval(value=0.0, low=-1.0, high=1.0)
"""The difference of two shares of which nothing was seen."""


class Prompts(Struct, frozen=True, kw_only=True):
    """How many of the legitimate logins reach a mark by each model; `only_…` those that one of them alone prompts.

    `…_a_day` are people: somebody prompted twice on a day (UTC) counts once. `share_difference` is of logins.
    `candidate_upper` is the one-sided 95 % upper limit of the candidate's share of logins, as calibration counts it
    (`calibrate.upper_bound`).
    """

    mark: MarkName
    score: float
    logins: int
    active: int
    candidate: int
    only_active: int
    only_candidate: int
    active_a_day: float
    candidate_a_day: float
    a_day_difference: Interval
    share_difference: Interval
    candidate_upper: float


class Caught(Struct, frozen=True, kw_only=True):
    """How many attacks of one source and kind reach 60 by each model; kind "" is all of the source.

    `difference` is the candidate's recall less the active one's. `p_value` is McNemar's, exact and two-sided.
    """

    source: Source
    kind: str
    attacks: int
    active: int
    candidate: int
    only_active: int
    only_candidate: int
    difference: Interval
    p_value: float


class Differing(Struct, frozen=True, kw_only=True):
    """A login that the two decide differently. `row` is its place in the log's file, or `event_id` its id (else "").

    `is_attack` is None where nobody said.
    """

    event_id: str
    row: int | None
    moment: float
    user_id: str
    ip: str
    active_score: float
    candidate_score: float
    active: str
    candidate: str
    is_attack: bool | None
    kind: str


class Comparison(Struct, frozen=True, kw_only=True):
    """Everything. `days` is how long the judged logins span; `differing` counts what `events` may list in part."""

    format: str
    active: str
    candidate: str
    source: str
    rows: int
    people: int
    first: float
    last: float
    days: float
    prompts: tuple[Prompts, ...]
    caught: tuple[Caught, ...]
    differing: int
    events: tuple[Differing, ...]
    notes: tuple[str, ...]

    def at(self, mark: MarkName) -> Prompts:
        """What each does at this mark."""
        return next(each for each in self.prompts if each.mark == mark)

    def caught_of(self, source: Source) -> Caught | None:
        """All attacks of this source, None where there is none."""
        return next((each for each in self.caught if each.source == source and not each.kind), None)

    @property
    def false_positive_upper(self) -> float:
        """The candidate's share of prompted legitimate logins at 60: its one-sided 95 % upper limit."""
        return self.at("step_up").candidate_upper

    @property
    def denied_upper(self) -> float:
        """The same at 80."""
        return self.at("deny").candidate_upper

    @property
    def recall_difference(self) -> Interval:
        """The source of attacks that speaks most against the candidate: the one whose upper limit is lowest.

        Wholly below zero: the candidate is worse there. Nothing is known (-1 to 1) where there is no attack.
        """
        whole = [each.difference for each in self.caught if not each.kind]
        return min(whole, key=lambda each: each.high, default=NOTHING_KNOWN)


MARKS: Final[dict[MarkName, float]] = {"step_up": MEDIUM_FROM, "deny": HIGH_FROM}
"""The scores from which a login is asked for more, and from which it is refused."""
