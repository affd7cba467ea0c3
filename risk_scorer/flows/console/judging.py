"""What analysts say of logins, which is in the rows of pages before they are told that it was said."""

from __future__ import annotations

from typing import Final, Protocol

import structlog

from plumbing.refusals import Refused
from risk_scorer.contract.feedback import Feedback
from risk_scorer.flows.console.projection import Advances

LOOKS: Final = 2
"""The first may meet the projector's own, which has read the words of before and makes what we do void."""

log = structlog.get_logger(__name__)


class Judged(Protocol):
    async def feedback(self, given: list[Feedback], *, path: str | None) -> int:
        """Record verdicts on logins. Raises: Refused."""
        ...


class ShownJudge:
    """Somebody who judged a row and sees it as it was judges it again: the rows are made now, not within a second."""

    def __init__(self, judge: Judged, log_to_rows: Advances) -> None:
        self._judge = judge
        self._log_to_rows = log_to_rows

    async def feedback(self, given: list[Feedback], *, path: str | None) -> int:
        """Record verdicts on logins, and take them to their rows; where that fails it comes later.

        Raises: Refused, as the judge does.
        """
        count = await self._judge.feedback(given, path=path)
        try:
            for _ in range(LOOKS):
                await self._log_to_rows.advance()
        except Refused as refused:
            log.warning("verdicts_not_shown_yet", reason=refused.code)
        return count
