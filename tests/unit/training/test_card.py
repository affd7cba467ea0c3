"""A model card tells shares with exact limits, false positives by group, and what nobody measured."""

import numpy as np
import pytest

from risk_scorer.core.card import OTHERS, Rate, decode, encode
from risk_scorer.core.label_report import Delay, LabelReport
from risk_scorer.core.manifest import Span
from tests.unit.training.logs import log, objects
from training.calibrate import Mark, upper_bound
from training.card import LEAST_IN_GROUP, Measures, by_group, card_of, false_positives, rate
from training.lineage import NO_ORIGIN, data_sha256, lineage_of

DAY = 86_400.0
MARK = Mark(budget=0.02, evidence=1.0, prompted=0, logins=100, bound=0.03, is_extrapolated=False)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 100, 0.0, 0.0362), (100, 100, 0.9638, 1.0), (50, 100, 0.3983, 0.6017), (1, 1000, 0.0000253, 0.0055589)],
)
def test_limits_are_those_of_clopper_and_pearson(count: int, of: int, low: float, high: float) -> None:
    """Values of the published tables, both ends among them."""
    found = rate(count, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert found.value == count / of


def test_of_nothing_nothing_is_known() -> None:
    """No login is no evidence of no false positive."""
    assert (rate(0, 0).low, rate(0, 0).high) == (0.0, 1.0)


def test_the_limit_that_is_held_against_the_budget_is_the_one_that_the_mark_was_set_by() -> None:
    """One-sided, so that a mark that keeps its budget keeps it here."""
    reached = np.arange(2000) < 20
    found = false_positives("step_up", reached, MARK)
    assert found.upper == upper_bound(20, 2000) < 0.02


def test_small_groups_and_unknown_values_are_told_together() -> None:
    """Fifty logins make a group; one fewer, or no name, does not."""
    sizes = {"NO": LEAST_IN_GROUP, "SE": LEAST_IN_GROUP - 1, "": 80}
    values = objects([name for name, size in sizes.items() for _ in range(size)])
    prompted = np.zeros(len(values), bool)
    prompted[[0, -1]] = True
    found = by_group(values, prompted)
    assert {name: (each.count, each.of) for name, each in found.items()} == {"NO": (1, 50), OTHERS: (1, 129)}


def labels(analysts: int, *, too_young: float = 0.0) -> LabelReport:
    delay = Delay(median_days=None, most_days=14.0, is_assumed=True, too_young=too_young)
    counts = dict.fromkeys(("contradicted", "withdrawn", "too_late", "not_in_log", "kept_out", "taught", "vouched"), 0)
    weights = dict.fromkeys(("compromised_weight", "safe_weight", "weight_used"), 0.0)
    standing = {"analyst": {"compromised": analysts - 1, "safe": 1}}
    return LabelReport(sha256="", standing=standing, largest={}, bounds={}, cut=0, delay=delay, **counts, **weights)


def card(
    days: float, absent: dict[str, str], report: LabelReport | None, compromises: Rate | None = None
) -> tuple[str, ...]:
    measures = Measures(
        false_positives=(false_positives("step_up", np.zeros(100, bool), MARK),), strangers={}, groups={}
    )
    made = card_of(
        measures,
        lineage_of(log(10), seed=1, libraries={}),
        span=Span(first=0.0, last=days * DAY),
        held_out=Span(first=0.0, last=3 * DAY),
        rows={},
        labels=report,
        compromises=compromises,
        absent=absent,
    )
    assert decode(encode(made)) == made
    assert made.labels == ({} if report is None else {"analyst": 3})
    return made.not_tested


def test_what_was_not_tested_is_said_and_nothing_else() -> None:
    """A short log without fingerprints and labels says so; a long one with them does not."""
    little = " ".join(card(30, {"ja4": "the log has no such column"}, None))
    assert "JA4" in little
    assert "30 days" in little
    assert "Labels" in little
    assert "Attacks that happened" in little
    much = " ".join(card(90, {}, labels(3), rate(3, 4)))
    assert not any(word in much for word in ("JA4", "seasons", "Labels", "Attacks that happened", "youngest"))
    assert "learned from them" in much
    assert "The youngest 23% of the log" in " ".join(card(90, {}, labels(3, too_young=0.23)))


def test_the_datas_digest_is_of_what_rows_say_and_not_of_where_they_stood() -> None:
    """One other value is another digest; the same rows from another file are the same."""
    table = log(50)
    same = log(50)
    same.row_order[:] = same.row_order[::-1].copy()
    other = log(50)
    other.user_id[3] = "somebody else"
    assert data_sha256(table) == data_sha256(same) != data_sha256(other)
    assert lineage_of(table, seed=1, libraries={}, origin=NO_ORIGIN) == lineage_of(same, seed=1, libraries={})
