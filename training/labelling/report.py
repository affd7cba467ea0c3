"""Counts what the labels of a training were, what became of each, and how late labels come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.label_report import Delay, LabelReport
from training.labelling.bounds import SHARES
from training.labelling.evidence import Evidence
from training.labelling.label_file import LabelFile, read_label_file
from training.labelling.matching import Matched, Table
from training.labelling.standing import Label, Standing, standing

Moments = NDArray[np.float64]

DAY: Final = 86_400.0
LEAST_DELAYS: Final = 20
"""Compromises from which on their delays are believed."""
ASSUMED_DAYS: Final = 14.0
"""Judgement: most takeovers are noticed within two weeks, by the person or the bill."""
MOST_DELAYED: Final = 0.9
"""The share of compromises that were known within `most_days`."""


@dataclass(frozen=True, slots=True)
class Labelled(Generic[Table]):
    """The labels of a file that stand at a moment, found in a log, and how late they come."""

    file: LabelFile
    standing: Standing
    matched: Matched[Table]
    delay: Delay


class Taught(NamedTuple):
    """How many labelled logins had a person with a history, so that they could teach."""

    compromised: int
    safe: int


def labelled(
    path: Path | str, moments: Moments, match: Callable[[tuple[Label, ...]], Matched[Table]], *, until: float | None
) -> Labelled[Table]:
    """Takes the compromises of a label file out of a log. Labels count as they were known before `until`.

    `moments` are the log's, rising, and `match` finds labels in it (`matching.matched`, or its kin of large logs).

    Raises WrongInputError (as `read_label_file` and `matched`), TrainingRefusedError("too_many_compromised").
    """
    file = read_label_file(path)
    found = standing(file.words, until)
    horizon = until if until is not None else _newest(file, moments)
    return Labelled(
        file=file,
        standing=found,
        matched=match(found.labels),
        delay=delay_of(found.labels, moments, horizon),
    )


def label_report(labelled: Labelled[Any], evidence: Evidence, taught: Taught, used: float) -> LabelReport:
    """All of it as numbers; `used` is the share of the labels' weight that the model could bear."""
    labels, found = labelled.standing.labels, labelled.matched
    return LabelReport(
        sha256=labelled.file.sha256,
        standing=counts_by_source(labels),
        contradicted=sum(label.is_contradicted for label in labels),
        withdrawn=labelled.standing.withdrawn,
        too_late=labelled.standing.too_late,
        not_in_log=found.missed,
        kept_out=found.kept_out,
        taught=taught.compromised,
        vouched=taught.safe,
        compromised_weight=round(float(evidence.compromised.weights.sum()) * used, 6),
        safe_weight=round(float(evidence.safe.weights.sum()) * used, 6),
        weight_used=used,
        largest={kind: round(share, 4) for kind, share in evidence.largest.items()},
        bounds=dict(SHARES),
        cut=evidence.compromised.cut + evidence.safe.cut,
        delay=labelled.delay,
    )


def delay_of(labels: tuple[Label, ...], moments: Moments, horizon: float) -> Delay:
    """How long after the login compromises are known, and the share of the log that is younger than that.

    Only compromises that are known by now are counted, so the true delays are longer.
    """
    known = [label for label in labels if label.is_compromised and label.known_at]
    days = np.array([(label.known_at - label.login[1] / 1000.0) / DAY for label in known])
    days = days[days >= 0.0]
    is_assumed = len(days) < LEAST_DELAYS
    most = ASSUMED_DAYS if is_assumed else float(np.quantile(days, MOST_DELAYED))
    return Delay(
        median_days=round(float(np.median(days)), 2) if len(days) else None,
        most_days=round(most, 2),
        is_assumed=is_assumed,
        too_young=round(float((moments > horizon - most * DAY).mean()), 4),
    )


def _newest(file: LabelFile, moments: Moments) -> float:
    """The end of the log, or the last word: a file of labels is at least as old as that."""
    said = (word.known_at for words in file.words.values() for word in words)
    return max(float(moments[-1]), max(said, default=0.0))


def counts_by_source(labels: tuple[Label, ...]) -> Mapping[str, Mapping[str, int]]:
    """How many labels of each kind each source has."""
    counts: dict[str, dict[str, int]] = {}
    for label in labels:
        of_source = counts.setdefault(label.source, {"compromised": 0, "safe": 0})
        of_source["compromised" if label.is_compromised else "safe"] += 1
    return {source: counts[source] for source in sorted(counts)}
