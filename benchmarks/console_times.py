"""How long something took by the clock and of the processor, and the table that tells it.

The processor's time is that of the whole process: on a busy machine it says what the clock cannot.
"""

import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

AIM_MS: Final = 200.0
"""The most that p95 by the clock may be."""
BESIDE: Final = "beside the pages: "
"""How the name begins of what no page waits for, and no aim holds."""


class Took(NamedTuple):
    """Milliseconds."""

    wall: float
    processor: float


Times = Mapping[str, Sequence[Took]]


async def took(ask: Callable[[], Awaitable[object]]) -> Took:
    """Of one time."""
    processor, began = time.process_time(), time.perf_counter()
    await ask()
    return Took(1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - processor))


def show(times: Times, title: str, console: Console) -> bool:
    """Whether each is within the aim."""
    table = Table(title=f"{title}; load average {os.getloadavg()[0]:.1f} afterwards, on {os.cpu_count()} cores")
    for heading in ("asked for, in milliseconds", "p50", "p95", "most", "processor p50", "p95"):
        table.add_column(heading, justify="left" if heading.startswith("asked") else "right")
    worst = {"": 0.0}
    for name, each in times.items():
        wall, processor = (np.array(column) for column in zip(*each, strict=True))
        told = [*np.percentile(wall, [50, 95]), wall.max(), *np.percentile(processor, [50, 95])]
        table.add_row(name, *(f"{value:.1f}" for value in told))
        if not name.startswith(BESIDE):
            worst[name] = float(told[1])
    console.print(table)
    name = max(worst, key=lambda each: worst[each])
    console.print(f"worst p95 {worst[name]:.0f} ms ({name}), aim {AIM_MS:.0f} ms")
    return worst[name] <= AIM_MS
