"""What the detectors find: `python -m benchmarks.activity_detection [SEED …]` plays invented weeks and counts.

Each log is the simulator's own (synthetic): 500 people, 21 days, some 70,000 requests. The detectors judge it alone, on
the scale in the package; nobody ever answers a factor, and every session counts that ever reaches a mark.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from risk_scorer.contract.activity import RESET_FROM, STEP_UP_FROM
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.scale import SHIPPED
from risk_scorer.core.card import Rate
from training.activity import judged
from training.activity.files import labels_beside, simulate
from training.activity.log import Plan
from training.activity.reading import ActivityLog, labels_of
from training.activity.replay import Outcome, replayed
from training.calibrate import upper_bound
from training.card import rate
from training.lookup_files import open_lookups

SEEDS: Final = (201, 202, 203, 301, 302, 303)
"""Nothing was fitted on these, or tuned by them."""
Sessions = list[tuple[str, Outcome]]
"""Each with its kind."""


def measured(seed: int) -> tuple[Sessions, Sessions]:
    """How harmless sessions and attacks of the log of that seed came out."""
    with tempfile.TemporaryDirectory(prefix="riskgate-bench-") as place:
        log = Path(place) / "log.csv"
        simulate(Plan(seed=seed), log, lambda step, share: None)
        labels = labels_of(labels_beside(log))
        found = replayed(ActivityLog(log, open_lookups()), Engine(ALL, SHIPPED), labels, mark=STEP_UP_FROM)
    return judged.benign(found, labels), judged.attacks(found, labels)


def lines(harmless: Sessions, attacks: Sessions) -> Iterator[str]:
    """What is to be told of them."""
    for mark in (STEP_UP_FROM, RESET_FROM):
        at_mark = _reached(mark)
        count = sum(at_mark(each) for _, each in harmless)
        bound = upper_bound(count, len(harmless))
        yield f"harmless at {mark:g}: {_said(rate(count, len(harmless)))}; upper bound {bound:.3%}"
    for kind, each in judged.by_kind(harmless, _reached(STEP_UP_FROM)).items():
        yield f"  {kind}: {_said(each)}"
    soon, denied = judged.until_mark(attacks), judged.by_kind(attacks, _reached(RESET_FROM))
    for kind, caught in judged.by_kind(attacks, lambda each: each.until_mark is not None).items():
        yield f"{kind}: at 60 {_said(caught)}, at 80 {denied[kind].count}"
        if kind in soon:
            yield "  " + ", ".join(f"{name} {value:g}" for name, value in soon[kind].items())


def _reached(mark: float) -> Callable[[Outcome], bool]:
    return lambda each: each.score >= mark


def _said(each: Rate) -> str:
    return f"{each.count} of {each.of}, {each.value:.3%} ({each.low:.3%} to {each.high:.3%})"


def main(seeds: Sequence[int]) -> None:
    harmless: Sessions = []
    attacks: Sessions = []
    for seed in seeds:
        of_seed = measured(seed)
        print(f"# seed {seed}", *lines(*of_seed), sep="\n", flush=True)
        harmless += of_seed[0]
        attacks += of_seed[1]
    print(f"# all {len(seeds)} logs", *lines(harmless, attacks), sep="\n", flush=True)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or SEEDS)
