"""One shape for every figure: ours, the baseline measured beside it, and their ratio with its spread."""

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`ours` and `baseline` hold one measurement a round, taken in pairs; `unit` says of what."""

    name: str
    unit: str
    baseline_name: str
    ours: Sequence[float]
    baseline: Sequence[float]
    target: str
    more_is_better: bool = True

    @property
    def ratios(self) -> list[float]:
        """How many times better ours is, pair by pair."""
        pairs = zip(self.ours, self.baseline, strict=True)
        return [ours / base if self.more_is_better else base / ours for ours, base in pairs]

    @property
    def spread(self) -> str:
        """Median [lowest to highest]."""
        ratios = self.ratios
        return f"{short(statistics.median(ratios))} [{short(min(ratios))} to {short(max(ratios))}]"


def short(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine() -> str:
    """What the figures were taken on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    parts = (
        f"{len(models)} × {models[0] if models else platform.machine()}",
        f"CPython {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("uvicorn", "numpy", "numba", "scikit-learn")),
    )
    return ", ".join(parts)


def show(figures: Sequence[Figure], console: Console) -> None:
    """The table, a row a figure."""
    table = Table(title="Ratios in one run, each round in pairs", caption=machine())
    for heading in ("figure", "ours (median)", "baseline (median)", "ratio: median [min to max]", "aim"):
        table.add_column(heading, justify="left" if heading in ("figure", "aim") else "right")
    for figure in figures:
        ours, baseline = statistics.median(figure.ours), statistics.median(figure.baseline)
        table.add_row(
            figure.name, f"{short(ours)} {figure.unit}", f"{short(baseline)} {figure.unit}\n{figure.baseline_name}",
            figure.spread, figure.target,
        )  # fmt: skip
    console.print(table)


def save(figures: Sequence[Figure], path: Path) -> None:
    """Every single measurement, for comparing runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), "figures": [asdict(each) for each in figures]}, indent=1))
