"""A backtest's counts, for people and for programs."""

from collections.abc import Iterable
from typing import Any

import msgspec
import typer

from auth_gateway.cli.console import row
from auth_gateway.core.backtest import SIDES, Obstacle, Outcomes, Tally
from auth_gateway.core.facts import Path
from auth_gateway.core.policy_rule import PATHS

_CALLED: dict[Path, tuple[str, str, str]] = {
    "login": ("logins", "prompted", "refused"),
    "refresh": ("refreshes", "sent to a new login", "ended"),
    "step_up": ("answered challenges", "prompted", "refused"),
}
_WHY: dict[Obstacle, str] = {
    "no_facts": "without recorded circumstances",
    "not_judged": "that policy did not decide",
    "reused": "that repeat the answer of a moment before",
}


def show_tally(tally: Tally, since: str, until: str) -> None:
    """Print it, the answers first."""
    is_empty = not any(tally.answers.values()) and not tally.left_out
    typer.echo(f"decisions from {since} until {until}{': none' if is_empty else ''}")
    for path in PATHS:
        _show_path(path, tally.outcomes("candidate", path), tally.outcomes("present", path))
    if tally.seen:
        stopped = len(tally.stopped["candidate"])
        typer.echo(
            f"{stopped} of {len(tally.seen)} confirmed compromises stopped; "
            f"{len(tally.stopped['present'])} by the rules in force"
        )
    _rows("changed", ((f"{path}: {before} -> {after}", n) for (path, before, after), n in tally.changed.most_common()))
    _rows("answered by", ((rule, n) for (side, rule), n in tally.rules.most_common() if side == "candidate"))
    _rows("report-only", ((f"{rule}: {said}", n) for (rule, said), n in tally.reported.most_common()))
    _rows("left out", ((f"{kind} {_WHY[why]}", n) for (why, kind), n in tally.left_out.most_common()))
    if tally.differing:
        typer.echo(f"{tally.differing:,} were decided otherwise when they were made: the rules or switches were others")


def as_json(tally: Tally) -> dict[str, Any]:
    """The same for programs."""
    return {
        **{side: {path: _counted(tally.outcomes(side, path)) for path in PATHS} for side in SIDES},
        "compromises": {
            "confirmed": len(tally.seen),
            **{f"stopped_by_{side}": len(tally.stopped[side]) for side in SIDES},
        },
        "changed": [
            {"path": path, "present": before, "candidate": after, "count": count}
            for (path, before, after), count in tally.changed.most_common()
        ],
        "rules": {rule: count for (side, rule), count in tally.rules.most_common() if side == "candidate"},
        "report_only": [
            {"rule": rule, "decision": said, "count": count} for (rule, said), count in tally.reported.most_common()
        ],
        "left_out": [{"why": why, "kind": kind, "count": count} for (why, kind), count in tally.left_out.most_common()],
        "decided_otherwise_then": tally.differing,
    }


def _show_path(path: Path, candidate: Outcomes, present: Outcomes) -> None:
    if not candidate.total:
        return
    things, prompted, refused = _CALLED[path]
    typer.echo(
        f"would have {prompted} {candidate.challenged:,} and {refused} {candidate.denied:,} of {candidate.total:,} "
        f"{things}; the rules in force {present.challenged:,} and {present.denied:,}"
    )


def _rows(title: str, rows: Iterable[tuple[str, int]]) -> None:
    for text, count in rows:
        row(title, text, f"{count:,}")


def _counted(outcomes: Outcomes) -> dict[str, int]:
    return {**msgspec.structs.asdict(outcomes), "total": outcomes.total}
