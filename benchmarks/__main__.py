"""`scripts/bench [core] [scoring] …`: measure, print the table, keep every measurement."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from benchmarks import (
    activity,
    activity_core,
    activity_http,
    campaigns,
    console_live,
    core,
    deliveries,
    faults,
    floods,
    forest,
    histories,
    lockout,
    logins,
    policy,
    provider,
    refresh,
    scoring,
    session_response,
    shadow,
    start,
    streaming,
    training,
)
from benchmarks import (
    console as console_pages,
)
from benchmarks.bounds import Bounded
from benchmarks.report import Figure, save, show

KEPT = Path(__file__).resolve().parents[1] / "var" / "benchmarks" / "last.json"


def main() -> None:
    parser = _parser()
    chosen, console = parser.parse_args(), Console(width=130)
    benches: dict[str, Callable[[], Iterable[Figure]]] = {
        "forest": lambda: forest.measure(chosen.rounds),
        "core": lambda: core.measure(chosen.rounds),
        "activity-core": lambda: activity_core.measure(chosen.rounds, console),
        "activity-http": lambda: activity_http.measure(chosen.rounds, chosen.seconds, console),
        "scoring": lambda: scoring.measure(chosen.rounds, chosen.seconds),
        "shadow": lambda: shadow.measure(chosen.rounds, chosen.seconds, console),
        "histories": lambda: histories.measure(chosen.rounds, console),
        "refresh": lambda: refresh.measure(chosen.rounds, chosen.seconds),
        "logins": lambda: logins.measure(chosen.rounds, chosen.seconds, console),
        "policy": lambda: policy.measure(chosen.rounds),
        "provider": lambda: provider.measure(chosen.rounds, chosen.seconds, console),
        "deliveries": lambda: deliveries.measure(chosen.rounds, console, is_long=chosen.long),
        "start": lambda: start.measure(chosen.rounds),
        "streaming": lambda: streaming.measure(chosen.rounds, console),
    }
    bounded: dict[str, Callable[[], list[Bounded]]] = {
        "faults": lambda: faults.measure(console, is_long=chosen.long),
        "flood": lambda: floods.measure(console, is_long=chosen.long),
        "lockout": lambda: lockout.measure(console, is_long=chosen.long),
        "session-response": lambda: session_response.measure(console),
        "console-live": lambda: console_live.measure(console),
    }
    unknown = set(chosen.only) - set(benches) - set(bounded) - {"activity", "training", "campaigns", "console"}
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    is_all_met = True
    for name in chosen.only or benches:
        console.print(f"measuring {name} …")
        if name == "training":
            training.measure(console, rows=chosen.rows)
        elif name == "activity":
            figures += activity.measure(chosen.rounds, console, rows=chosen.rows)
        elif name == "console":
            is_all_met &= console_pages.measure(console, rows=chosen.rows, folder=chosen.folder)
        elif name == "campaigns":
            campaigns.measure(console, events=chosen.rows)
        elif name in benches:
            figures += benches[name]()
        else:
            is_all_met &= all(figure.is_met for figure in bounded[name]())
    if figures:
        show(figures, console)
        save(figures, KEPT)
    sys.exit(0 if is_all_met else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "only",
        nargs="*",
        help="forest, core, activity-core, activity-http, scoring, shadow, histories, refresh, logins, policy, "
        "provider, deliveries, start, streaming; and only when named: activity, faults, flood, lockout, "
        "session-response, console-live, training, campaigns, console",
    )
    parser.add_argument("--rounds", type=int, default=3, help="pairs of measurements for each figure")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each measurement under load")
    parser.add_argument(
        "--rows",
        type=int,
        action="append",
        default=[],
        help="training, campaigns, console: how many; may be repeated",
    )
    parser.add_argument(
        "--folder", type=Path, help="console: where invented stores are kept and found again; var/benchmarks"
    )
    parser.add_argument("--long", action="store_true", help="a million deliveries, a flood of a minute, all counts")
    return parser


if __name__ == "__main__":
    main()
