"""How often each rule answered, and how often those that only report would have: counted from recorded decisions."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from auth_gateway.core.policy_rule import DOCUMENT

Span = Literal["day", "week"]
SPANS: Final[dict[Span, float]] = {"day": 86_400.0, "week": 604_800.0}


class Recorded(msgspec.Struct, frozen=True):
    """Of a recorded decision, what is counted: `reported` are the rules that only report, with their answers."""

    ts: float
    decision: str
    rule: str
    reported: tuple[tuple[str, str], ...] = ()


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was answered so."""

    allow: int = 0
    challenge: int = 0
    deny: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.allow + self.challenge + self.deny


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Of one span: all decisions, those of each rule by its name in decisions, and what rules that only report would
    have answered, by their own name."""

    decisions: Answers
    answered: dict[str, Answers]
    would_have: dict[str, Answers]


def counted(recorded: Iterable[Recorded], since: float) -> Counts:
    """The counts of those from that moment on."""
    everything: Counter[str] = Counter()
    answered: Counter[tuple[str, str]] = Counter()
    would_have: Counter[tuple[str, str]] = Counter()
    for line in recorded:
        if line.ts < since:
            continue
        everything[line.decision] += 1
        answered[_plain(line.rule), line.decision] += 1
        for rule, decision in line.reported:
            would_have[rule, decision] += 1
    return Counts(decisions=_answers(everything), answered=_by_rule(answered), would_have=_by_rule(would_have))


def _plain(rule: str) -> str:
    """A rule of the document that refused for want of a factor is that rule."""
    return DOCUMENT + rule.removeprefix(DOCUMENT).partition(":")[0] if rule.startswith(DOCUMENT) else rule


def _by_rule(found: Counter[tuple[str, str]]) -> dict[str, Answers]:
    rules: dict[str, Counter[str]] = {}
    for (rule, decision), count in found.items():
        rules.setdefault(rule, Counter())[decision] += count
    return {rule: _answers(counts) for rule, counts in rules.items()}


def _answers(counts: Counter[str]) -> Answers:
    return Answers(allow=counts["allow"], challenge=counts["challenge"], deny=counts["deny"])
