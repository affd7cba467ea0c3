"""A comparison in words: what the candidate would change for people, and what it catches that the active one missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from training.comparing.comparison import Caught, Comparison, Differing, Interval, MarkName, Prompts, Source
from training.reports import iso

VERBS: Final[Mapping[MarkName, str]] = {"step_up": "prompt", "deny": "deny"}
ATTACKS: Final[Mapping[Source, str]] = {
    "confirmed": "confirmed compromises",
    "labelled": "labelled attacks",
    "simulated": "simulated strangers",
}
SHOWN_EVENTS: Final = 20


def summary(found: Comparison) -> list[str]:
    """A few sentences: prompts and denials a day, then each source of attacks, then what to know."""
    span = f"{found.rows:,} logins of {found.people:,} people, {iso(found.first)} to {iso(found.last)}"
    lines = [f"{found.candidate} beside {found.active}, on {found.source}: {span}."]
    lines += [_prompts(each) for each in found.prompts]
    lines += [_caught(each) for each in found.caught if not each.kind]
    if not any(each.source != "simulated" for each in found.caught):
        lines.append("No compromise is confirmed or labelled among them.")
    lines.append(f"They decide {found.differing:,} logins differently.")
    return lines + [f"Note: {note}." for note in found.notes]


def table_of_events(found: Comparison, most: int = SHOWN_EVENTS) -> list[str]:
    """One line for each login that they decide differently, the weightiest first."""
    lines = [_event(each) for each in found.events[:most]]
    left = found.differing - len(lines)
    return lines + ([f"… and {left:,} more (--json lists {len(found.events):,})"] if left > 0 else [])


def _prompts(each: Prompts) -> str:
    verb, more = VERBS[each.mark], each.a_day_difference
    share = f"{each.candidate / each.logins:.2%} of logins, at most {each.candidate_upper:.2%}" if each.logins else ""
    now = f"{_count(each.candidate_a_day)} instead of {_count(each.active_a_day)}"
    if _count(abs(more.value)) == "0":
        said = f"Would {verb} as many people a day ({now}"
    else:
        said = (
            f"Would {verb} {_count(abs(more.value))} {'more' if more.value > 0 else 'fewer'}"
            f" {_people(abs(more.value))} a day ({now}"
        )
    return f"{said}; difference {_limits(more)}){f'; {share}' if share else ''}."


def _caught(each: Caught) -> str:
    name, missed = ATTACKS[each.source], each.attacks - each.active
    parts = []
    if missed:
        parts.append(f"catches {each.only_candidate:,} of {missed:,} {name} that the active one missed")
    else:
        parts.append(f"the active one missed none of {each.attacks:,} {name}")
    if each.active:
        parts.append(f"misses {each.only_active:,} of {each.active:,} that it caught")
    more = each.difference
    recall = f"{each.candidate / each.attacks:.1%} instead of {each.active / each.attacks:.1%}"
    places = 1 if more.high - more.low >= 0.01 else 3
    limits = f"{more.low:+.{places}%} to {more.high:+.{places}%}"
    return f"{_capital(', '.join(parts))} ({recall}; difference {limits})."


def _event(each: Differing) -> str:
    what = each.kind or {True: "attack", False: "legitimate", None: "unjudged"}[each.is_attack]
    where = each.event_id or f"row {each.row}"
    who = "  ".join(text for text in (each.user_id, each.ip) if text)
    return (
        f"{iso(each.moment)}  {who}  {each.active} {each.active_score:.2f} → {each.candidate}"
        f" {each.candidate_score:.2f}  {what}  ({where})"
    )


def _count(number: float) -> str:
    """Whole from ten on; below it with one place, where it says anything."""
    return f"{number:,.0f}" if number >= 10 or abs(number - round(number)) < 0.05 else f"{number:.1f}"


def _people(number: float) -> str:
    return "person" if _count(number) == "1" else "people"


def _limits(interval: Interval) -> str:
    return f"{interval.low:+,.1f} to {interval.high:+,.1f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
