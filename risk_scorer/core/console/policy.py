"""The gateway's policy as the console reads it: no more than it shows. Unknown fields are left alone, so that a newer
gateway may say more."""

from __future__ import annotations

from msgspec import Struct, field


class Rule(Struct, frozen=True, kw_only=True):
    """A rule of the document, by its number from 1."""

    number: int
    name: str
    then: str
    demand: str | None
    paths: tuple[str, ...]
    asks: str
    report_only: bool
    line: int


class Marks(Struct, frozen=True, kw_only=True):
    """From which score on somebody is asked and denied."""

    number: int
    meant: str
    step_up: float
    deny: float
    model: str


class SessionMarks(Struct, frozen=True, kw_only=True):
    """From which risk of a session on it is answered how."""

    step_up: float
    reset: float | str
    logout: float | str
    freeze: float | str
    report_only: bool


class DiffLine(Struct, frozen=True, kw_only=True):
    """One line of a difference."""

    sign: str
    text: str
    before: int = 0
    after: int = 0


class Meaning(Struct, frozen=True, kw_only=True):
    """What a document says."""

    document: str
    rules: list[Rule]
    marks: list[Marks]
    session_marks: SessionMarks


class Policy(Meaning, frozen=True, kw_only=True):
    """What is in force. `source` is saved, file or built_in."""

    source: str
    version: int
    at: float | None
    by: str
    why: str
    restored: int | None
    problem: str | None = None


class Draft(Meaning, frozen=True, kw_only=True):
    """A document that may be saved, and how it differs."""

    difference: list[DiffLine]


class Version(Struct, frozen=True, kw_only=True):
    """A saved version."""

    version: int
    at: float
    rules: int
    by: str
    why: str
    restored: int | None


class History(Struct, frozen=True, kw_only=True):
    """Saved versions, the newest first."""

    versions: list[Version]
    next: int | None


class VersionText(Struct, frozen=True, kw_only=True):
    """A saved version and its text."""

    saved: Version
    document: str


class Difference(Struct, frozen=True, kw_only=True):
    """How two versions differ."""

    lines: list[DiffLine]


class Answers(Struct, frozen=True, kw_only=True):
    """How often something was answered so."""

    allow: int = 0
    challenge: int = 0
    deny: int = 0

    @property
    def total(self) -> int:
        return self.allow + self.challenge + self.deny

    @property
    def words(self) -> str:
        """Those that there are."""
        named = (("allowed", self.allow), ("asked", self.challenge), ("denied", self.deny))
        return ", ".join(f"{count:,} {name}" for name, count in named if count)


class RuleAnswers(Struct, frozen=True, kw_only=True):
    """What a rule did, and would have done where it only reports."""

    name: str
    answered: Answers
    would_have: Answers
    rate: float | None


class Span(Struct, frozen=True, kw_only=True):
    """The counts of one span."""

    since: float
    is_whole: bool
    decisions: Answers
    rules: list[RuleAnswers]
    gone: list[RuleAnswers]
    built_in: list[RuleAnswers]

    def of(self, name: str) -> RuleAnswers | None:
        """Those of a rule; None for one that is not in force, and that no decision names."""
        return next((each for each in (*self.rules, *self.gone) if each.name == name), None)


class Counts(Struct, frozen=True, kw_only=True):
    """What each rule did of late."""

    day: Span
    week: Span


class Outcomes(Struct, frozen=True, kw_only=True):
    """What became of requests."""

    allowed: int
    challenged: int
    denied: int


class PathOutcomes(Struct, frozen=True, kw_only=True):
    """Of one kind of requests: then, by the rules in force, by the candidate."""

    path: str
    then: Outcomes
    present: Outcomes
    candidate: Outcomes


class Change(Struct, frozen=True, kw_only=True):
    """How many go from one answer to another."""

    path: str
    before: str
    after: str
    count: int


class Example(Struct, frozen=True, kw_only=True):
    """One request that would be decided otherwise."""

    event_id: str
    ts: float
    path: str
    user_id: str
    username: str
    score: float | None
    before: str
    after: str
    rule_before: str
    rule_after: str


class Share(Struct, frozen=True, kw_only=True):
    """A share with its 95 % interval."""

    count: int
    among: int
    share: float | None
    least: float | None
    most: float | None


class Prompts(Struct, frozen=True, kw_only=True):
    """How many logins are asked for a factor, beside the budget."""

    budget: float
    present: Share
    candidate: Share


class Compromises(Struct, frozen=True, kw_only=True):
    """Confirmed ones, and how many would have been stopped."""

    confirmed: int
    stopped_by_present: int
    stopped_by_candidate: int


class WouldHave(Struct, frozen=True, kw_only=True):
    """What a rule that only reports would have answered."""

    rule: str
    decision: str
    count: int


class Trial(Struct, frozen=True, kw_only=True):
    """What a document would have decided of the past."""

    since: float
    until: float
    is_whole: bool
    decisions: int
    unknown: int
    paths: list[PathOutcomes]
    changed: list[Change]
    examples: list[Example]
    prompts: Prompts
    compromises: Compromises
    would_have: list[WouldHave] = field(default_factory=list)

    @property
    def stays_within(self) -> bool | None:
        """Whether prompts stay within the budget: None where too few logins say so either way."""
        share = self.prompts.candidate
        if share.most is None or share.least is None:
            return None
        return True if share.most <= self.prompts.budget else False if share.least > self.prompts.budget else None


class Problem(Struct, frozen=True, kw_only=True):
    """One fault of a document."""

    line: int
    message: str
