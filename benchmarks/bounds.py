"""Figures that are no ratio but have a bound: each is printed with what it should be and whether it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.report import short


@dataclass(frozen=True)
class Bounded:
    """One figure: met when it is at most `most`, or at least `least`."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def is_met(self) -> bool:
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def bound(self) -> str:
        return f"≤ {short(self.most)}" if self.most is not None else f"≥ {short(self.least or 0.0)}"


def tell(figures: Sequence[Bounded], console: Console) -> None:
    """A line a figure, the word at its end."""
    for figure in figures:
        word = "[green]met[/]" if figure.is_met else "[red]NOT MET[/]"
        console.print(f"  {figure.name}: {short(figure.value)} {figure.unit} ({figure.bound}) {word}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed; NaN of none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")


def resident_mib(pid: int) -> float:
    """What the process holds in memory now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20
