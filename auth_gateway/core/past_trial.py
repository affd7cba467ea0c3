"""A candidate document held against recorded decisions, told so that somebody can decide by it: who would change, and
how many would be asked for a factor. Counts and a few examples; no line is kept.
"""

from collections import Counter
from typing import Final

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.backtest import Outcomes, Replayed, Tally
from auth_gateway.core.facts import Facts
from auth_gateway.core.facts import Path as RequestPath
from auth_gateway.core.policy_verdict import Verdict
from auth_gateway.core.share import Share, share

MOST_EXAMPLES: Final = 50


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One request that would be decided otherwise. `event_id` is what it was scored under."""

    event_id: str
    ts: float
    path: RequestPath
    user_id: str
    username: str
    client_id: str
    score: float | None
    before: str
    after: str
    rule_before: str
    rule_after: str


class PastTrial(Tally):
    """A tally that also has what was decided then, prompts among logins that nobody has called somebody else's, and
    examples."""

    def __init__(self, compromised: frozenset[str]) -> None:
        super().__init__(compromised)
        self._foreign = compromised
        self.examples: list[Example] = []
        self.recorded: Counter[tuple[RequestPath, str]] = Counter()
        self._prompted = {"present": 0, "candidate": 0}
        self._own = 0

    def add(self, line: AuditEvent, again: Replayed, *, present: Verdict, candidate: Verdict) -> None:
        super().add(line, again, present=present, candidate=candidate)
        now = again.circumstances
        self.recorded[now.path, line.decision or ""] += 1
        if now.path == "login" and line.event_id not in self._foreign:
            self._own += 1
            self._prompted["present"] += present.decision.name == "challenge"
            self._prompted["candidate"] += candidate.decision.name == "challenge"
        if present.decision.name != candidate.decision.name and len(self.examples) < MOST_EXAMPLES:
            self.examples.append(_example(line, again, present, candidate))

    @property
    def prompts(self) -> tuple[Share, Share]:
        """How many logins would be asked for a factor: by the rules in force, and by the candidate."""
        return share(self._prompted["present"], self._own), share(self._prompted["candidate"], self._own)

    def outcomes_then(self, path: RequestPath) -> Outcomes:
        """What became of the requests of a path when they were made."""
        counts = {name: self.recorded[path, name] for name in ("allow", "challenge", "deny")}
        return Outcomes(allowed=counts["allow"], challenged=counts["challenge"], denied=counts["deny"])


def _example(line: AuditEvent, again: Replayed, present: Verdict, candidate: Verdict) -> Example:
    now = again.circumstances
    return Example(
        event_id=line.event_id,
        ts=line.ts,
        path=now.path,
        user_id=line.user_id or "",
        username=(line.facts or Facts()).username or now.username,
        client_id=line.client_id or "",
        score=line.score,
        before=present.decision.name,
        after=candidate.decision.name,
        rule_before=present.decision.rule,
        rule_after=candidate.decision.rule,
    )
