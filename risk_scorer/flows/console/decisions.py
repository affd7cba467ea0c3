"""What was decided about scored logins, as the gateway tells it: kept for whoever looks at them, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from plumbing.bodies import refuse_unsafe_text
from risk_scorer.contract.decisions import Decision, DecisionsHeard


class DecisionWords(Protocol):
    async def say(self, decisions: Sequence[Decision]) -> None:
        """Keep them, durably, until they are in the rows of their logins. Raises: Refused."""
        ...


class HearDecisions:
    """Take decisions."""

    def __init__(self, words: DecisionWords) -> None:
        self._words = words

    async def decisions(self, decisions: Sequence[Decision], *, path: str | None) -> DecisionsHeard:
        """Take all or none of them, durably; telling the same twice changes nothing.

        `path` is the list's place in the body, None for a single one. Raises: Refused (422 for a text that cannot be
        kept).
        """
        for position, each in enumerate(decisions):
            where = "$" if path is None else f"{path}[{position}]"
            for field in ("event_id", "rule", "factor", "client_id"):
                refuse_unsafe_text(getattr(each, field), f"{where}.{field}")
        if decisions:
            await self._words.say(decisions)
        return DecisionsHeard(heard=len(decisions))
