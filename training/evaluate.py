"""Judges scores against labels: recall of each attack family at fixed false-positive rates. Labels are read here alone.

The protocol: test rows are those from 2020-09-01 on; one threshold for all families; a score equal to it is a miss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import ArrowInvalid, parquet

from training.refusals import WrongInputError

Flags = NDArray[np.bool_]
Vector = NDArray[np.float64]

TEST_STARTS = np.datetime64("2020-09-01", "us")
FALSE_POSITIVE_RATES = (0.01, 0.02, 0.05)
PROBES = ("naive", "vpn", "targeted")
RESAMPLES = 300
INTERVAL = (2.5, 97.5)
THIN, WARM = 1, 5  # logins learned from: none is cold, one to four thin, five and more warm
LABEL_COLUMNS = (
    "Login Timestamp", "User ID", "Login Successful", "Is Attack IP", "Is Account Takeover", "Probe",
)  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """Of each row: whether it is a legitimate login of the test months, to which families it belongs, its history."""

    legitimate: Flags
    families: Mapping[str, Flags]
    history: NDArray[np.int64]


def evaluate_file(labels_path: Path, scores_path: Path) -> str:
    """The verdict on a file of scores (one float column `risk`, in the labels' row order), ready to print.

    Raises WrongInputError.
    """
    labels = read_labels(labels_path)
    risk = _column(_table(scores_path, ("risk",)), "risk").astype(np.float64)
    if len(risk) != len(labels.legitimate) or not np.isfinite(risk).all():
        raise WrongInputError("scores_do_not_fit", f"expected {len(labels.legitimate)} finite scores, got {len(risk)}")
    return "\n".join(verdict(labels, risk))


def read_labels(path: Path) -> Labels:
    """The labels of a log in the RBA schema with `Probe`. Raises WrongInputError."""
    table = _table(path, LABEL_COLUMNS)
    probe = _column(table, "Probe").astype(str)
    succeeded, takeover = (_column(table, name).astype(bool) for name in ("Login Successful", "Is Account Takeover"))
    in_test = _column(table, "Login Timestamp").astype("datetime64[us]") >= TEST_STARTS
    own = succeeded & (probe == "")
    labels = Labels(
        legitimate=in_test & own & ~_column(table, "Is Attack IP").astype(bool) & ~takeover,
        families={"takeover": takeover & in_test, **{name: probe == name for name in PROBES}},
        history=history_lengths(_column(table, "User ID"), own),
    )
    for name, rows in {"legitimate": labels.legitimate, **labels.families}.items():
        if not rows.any():
            raise WrongInputError("nothing_to_judge", f"{path.name} has no {name} row in the test months")
    return labels


def _table(path: Path, columns: Sequence[str]) -> Any:
    try:
        table = parquet.read_table(path)
    except (OSError, ArrowInvalid) as cause:
        raise WrongInputError("not_parquet", f"{path.name} cannot be read as Parquet") from cause
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise WrongInputError("unknown_columns", f"{path.name} lacks {', '.join(missing)}")
    return table


def _column(table: Any, name: str) -> NDArray[Any]:
    column: NDArray[Any] = table.column(name).to_numpy(zero_copy_only=False)
    return column


def history_lengths(users: NDArray[Any], taught: Flags) -> NDArray[np.int64]:
    """Logins already learned for each row's user, before that row."""
    seen: dict[Any, int] = {}
    lengths = np.zeros(len(users), np.int64)
    for row, (user, teaches) in enumerate(zip(users.tolist(), taught.tolist(), strict=True)):
        lengths[row] = seen.get(user, 0)
        if teaches:
            seen[user] = seen.get(user, 0) + 1
    return lengths


def verdict(labels: Labels, risk: Vector) -> list[str]:
    """One line a false-positive rate, and at the first one how people with more and less history fare."""
    ranked = np.sort(risk[labels.legitimate])[::-1]
    chance = np.random.default_rng(0)  # the same resamples for everybody who is judged
    lines = []
    for rate in FALSE_POSITIVE_RATES:
        threshold = float(ranked[int(rate * len(ranked))])
        lines.append(_line(labels, risk, rate, threshold, chance))
        if rate == FALSE_POSITIVE_RATES[0]:
            lines += _by_history(labels, risk, threshold)
    return lines


def _line(labels: Labels, risk: Vector, rate: float, threshold: float, chance: np.random.Generator) -> str:
    recall = {name: float((risk[rows] > threshold).mean()) for name, rows in labels.families.items()}
    means = [
        np.mean([(chance.choice(risk[rows], rows.sum()) > threshold).mean() for rows in labels.families.values()])
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(means, INTERVAL)
    shown = " ".join(f"{name} {value:.3f}" for name, value in recall.items())
    actual = float((risk[labels.legitimate] > threshold).mean())
    macro = float(np.mean(list(recall.values())))
    return f"FPR {rate:.0%} (actual {actual:.4f}): {shown} | macro {macro:.3f} [{low:.3f}-{high:.3f}]"


def _by_history(labels: Labels, risk: Vector, threshold: float) -> list[str]:
    known = labels.history
    name, attacks = "takeover", labels.families.get("takeover")
    if attacks is None:
        name, attacks = "attack", np.logical_or.reduce(list(labels.families.values()))
    groups = {
        "cold (0)": known < THIN,
        "thin (1-4)": (known >= THIN) & (known < WARM),
        "warm (5+)": known >= WARM,
    }
    return [
        f"    history {group}: {name} recall {_share(risk[attacks & rows] > threshold):.3f}, "
        f"false positives {_share(risk[labels.legitimate & rows] > threshold):.4f}"
        for group, rows in groups.items()
    ]


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else float("nan")
