"""A report of drift as people read it: what is past its mark, in words, and tables of texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from risk_scorer.core.drift_report import DriftReport, Moved, Rate

PAST: Final = {
    "score": "The scores are spread otherwise than at training.",
    "features": "Many features moved together.",
    "step_up_budget": "More people are asked for a second factor than the budget allows.",
    "deny_budget": "More people are denied than the budget allows.",
    "ip_data": "The address tables are old.",
    "missed_compromises": "Confirmed compromises were let in unasked more often than the model promised.",
}
NAMES: Final = {"step_up_budget": "asked for more (score from 60)", "deny_budget": "denied (score from 80)"}
LEVELS: Final = {"ok": "low", "moved": "medium", "past": "high", "unknown": ""}
"""The colour of each state, as scores have them."""
WORDS: Final = {"ok": "as before", "moved": "moved", "past": "past its mark", "unknown": "not known"}


class Line(Struct, frozen=True, kw_only=True):
    """One line of a table: texts, and the state as its level (for the colour) and in words."""

    name: str
    cells: tuple[tuple[str, str], ...]
    level: str
    state: str


def told(found: DriftReport) -> dict[str, Any]:
    """The report for the page, most moved features first."""
    feedback = found.feedback
    return {
        "model_version": found.model_version,
        "since": moment(found.since),
        "until": moment(found.until),
        "logins": f"{found.logins:,}",
        "logins_before": f"{found.logins_before:,}",
        "past": [reason(name) for name in found.past],
        "numbers": [_moved(each) for each in (found.score, *sorted(found.features, key=lambda each: -each.psi))],
        "prompts": [_rate(each) for each in found.prompts],
        "unknown": [_rate(each) for each in sorted(found.unknown, key=lambda each: each.before - each.share)],
        "ip_data": "not known" if found.ip_data_days is None else f"{found.ip_data_days:.0f} days",
        "ip_level": LEVELS[found.ip_data],
        "feedback": _feedback(found) if feedback.compromised or feedback.safe else None,
    }


def reason(name: str) -> str:
    """What being past that mark means."""
    attribute = name.removeprefix("unknown_").replace("_", " ")
    return PAST.get(name) or f"Many more logins than at training have a value of {attribute} that nobody had."


def moment(seconds: float) -> str:
    """An epoch second as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def percent(share: float) -> str:
    """A share as a percentage."""
    return f"{100.0 * share:.2f} %"


def _moved(each: Moved) -> Line:
    return Line(
        name=each.name.replace("_", " "),
        cells=(
            ("Index", f"{each.psi:.3f}"),
            ("95 %", f"{each.low:.3f} to {each.high:.3f}"),
            ("By chance", f"up to {each.noise:.3f}"),
            ("KS distance", f"{each.ks:.3f}"),
            ("Missing", f"{percent(each.missing_before)} → {percent(each.missing_now)}"),
        ),
        level=LEVELS[each.state],
        state=WORDS[each.state],
    )


def _rate(each: Rate) -> Line:
    allowed = () if each.budget is None else (("Budget", percent(each.budget)),)
    return Line(
        name=NAMES.get(each.name) or each.name.removeprefix("unknown_").replace("_", " "),
        cells=(
            ("Now", percent(each.share)),
            ("95 %", f"{percent(each.low)} to {percent(each.high)}"),
            ("At training", percent(each.before)),
            *allowed,
        ),
        level=LEVELS[each.state],
        state=WORDS[each.state],
    )


def _feedback(found: DriftReport) -> dict[str, Any]:
    each = found.feedback
    promised = "" if each.promised is None else f", the hardest simulated kind {percent(each.promised)}"
    return {
        "caught": f"{each.caught} of {each.compromised} confirmed compromises had reached 60"
        f" ({percent(each.low)} to {percent(each.high)}{promised})",
        "safe": f"{each.safe_prompted} of {each.safe} confirmed logins of their owners had reached 60",
        "level": LEVELS[each.state],
        "state": WORDS[each.state],
        "bands": [
            Line(
                name=f"from {band.score_from:g}",
                cells=(
                    ("Judged", f"{band.judged:,}"),
                    ("Compromised", f"{band.compromised:,}"),
                    ("95 %", f"{percent(band.low)} to {percent(band.high)}" if band.judged else "–"),
                ),
                level="",
                state="",
            )
            for band in each.bands
        ],
    }
