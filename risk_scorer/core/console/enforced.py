"""What became of something that was asked of the gateway for several accounts, one after the other, told as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.core.console.label import fitting

How = Literal["done", "refused", "unknown", "not_tried"]
NAMED: Final = 3
LONGEST_NAME, LONGEST_CODE = 16, 20
"""So that the longest line fits where lines are shown once (`api/console/flash.py`)."""


class Result(Struct, frozen=True):
    """Of one account; `code` says why not."""

    user_id: str
    how: How
    code: str = ""


def told(done: str, results: Sequence[Result]) -> str:
    """One line: how many it was done to, and whom not, and why."""
    many = sum(each.how == "done" for each in results)
    parts = [f"{done}: {many} of {len(results)}."]
    refused = [f"{_name(each)} ({fitting(each.code, LONGEST_CODE)})" for each in results if each.how == "refused"]
    unknown = [_name(each) for each in results if each.how == "unknown"]
    waiting = [_name(each) for each in results if each.how == "not_tried"]
    for words, names in (("Refused", refused), ("Nobody knows whether done", unknown), ("Not tried", waiting)):
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            parts.append(f"{words}: {', '.join(names[:NAMED])}{more}.")
    return " ".join(parts)


def _name(result: Result) -> str:
    return fitting(result.user_id, LONGEST_NAME)
