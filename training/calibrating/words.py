"""What a calibration found, in lines that people read."""

from collections.abc import Iterator, Mapping
from typing import Any

Facts = Mapping[str, Any]

_ASKED = {"step_up": "asked from 60", "deny": "denied from 80"}


def lines(told: Facts) -> Iterator[str]:
    """The facts of `run.calibrated_marks`, one thing a line."""
    held = told["held_out"]
    yield (
        f"{held['logins']:,} legitimate logins of {held['people']:,} people, "
        f"{held['first'][:10]} to {held['last'][:10]}, that model {told['of']} was held against"
    )
    for name, mark in told["marks"].items():
        yield _mark(name, mark["before"], mark["after"])
    for name, asked in _ASKED.items():
        yield from _caught(asked, told["at_marks"][name]["recall"])
    if told["ladder"]:
        yield "what other budgets would catch, as a mean over the kinds of attacks and strangers:"
        for rung in told["ladder"]:
            shares = list(rung["recall"].values())
            caught = f"{sum(shares) / len(shares):.1%} caught" if shares else "no attack to catch"
            yield f"  {rung['budget']:.1%}: {rung['prompted']:,} prompted, upper bound {rung['bound']:.2%}, {caught}"
    for group in told["by_group"]:
        yield _group(group)
    yield from (f"note: {note}" for note in told["notes"])
    yield _ending(told)


def _mark(name: str, before: Facts, after: Facts) -> str:
    logins = after["logins"]
    guess = ", read off the tail" if after["is_extrapolated"] else ""
    return (
        f"{_ASKED[name]}: {before['prompted']:,} of {logins:,} before ({before['prompted'] / logins:.2%}, upper bound "
        f"{before['bound']:.2%}), {after['prompted']:,} now ({after['prompted'] / logins:.2%}, upper bound "
        f"{after['bound']:.2%}, budget {after['budget']:.2%}{guess})"
    )


def _caught(asked: str, recall: Mapping[str, Facts]) -> Iterator[str]:
    for name, share in recall.items():
        yield (
            f"  {asked}: {name} {share['count']:,} of {share['among']:,} "
            f"({share['share']:.1%}, {share['low']:.1%} to {share['high']:.1%})"
        )


def _group(group: Facts) -> str:
    if group["step_up"] is None:
        return (
            f"{group['group']}: {group['logins']:,} logins are too few for marks of its own; it keeps the shared ones"
        )
    as_far = "; its budget would take a mark further than policy goes" if group["is_limited"] else ""
    deny = "the shared 80" if group["deny"] is None else f"{group['deny']:g}"
    return (
        f"{group['group']}: asked from {group['step_up']:g}, denied from {deny}; {group['prompted']:,} of "
        f"{group['logins']:,} prompted (upper bound {group['bound']:.2%}), "
        f"at the shared mark {group['prompted_at_shared']:,}{as_far}"
    )


def _ending(told: Facts) -> str:
    if told["written"] is None:
        return "nothing was published: say with --out where the new version is to be"
    return f"model {told['model_version']} is in {told['written']}"
