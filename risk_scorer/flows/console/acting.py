"""An act of a person's at the console: written down, then done, then told. What cannot be written down is not done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from plumbing.refusals import Refused
from risk_scorer.flows.console.ports import LONGEST_REASON, Act, ActLog

DONE = "done"
FAILED = "failed"
T = TypeVar("T")

log = structlog.get_logger(__name__)


def reason_of(text: str | None) -> str:
    """The reason that somebody gave, in one line and without signs that nobody sees: what is pasted has hard spaces,
    soft hyphens and joiners, which the gateway does not take. Raises: Refused `reason_required` (422)."""
    line = " ".join((text or "").split())
    reason = "".join(sign for sign in line if sign.isprintable()).strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Refused(
            "reason_required",
            f"Say why, in 1 to {LONGEST_REASON} characters.",
            status=422,
            evidence={"field": "reason"},
        )
    return reason


async def carry_out(acts: ActLog, act: Act, effect: Callable[[Act], Awaitable[T]]) -> T:
    """What the effect gives, once its audit rows say how it went.

    A process that dies between leaves them at "begun": nobody knows then, and the audit says just that.

    Raises: Refused by the log before anything was done, or as the effect does.
    """
    rows = await acts.begin(act)
    try:
        given = await effect(act)
    except Refused as refused:
        await _end(acts, rows, refused.code)
        raise
    except BaseException:
        await _end(acts, rows, FAILED)
        raise
    await _end(acts, rows, DONE)
    return given


async def _end(acts: ActLog, rows: tuple[int, ...], result: str) -> None:
    try:
        await acts.end(rows, result)
    except Refused as refused:
        # It was done, or not, all the same; "begun" stays, and the log has the rest.
        log.warning("act_not_ended", reason=refused.code, result=result, rows=rows)
