"""What `/policy/rules` and `/policy/backtest` answer: counts of what was decided, and of what would be."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from auth_gateway.core.backtest import Outcomes
from auth_gateway.core.past_trial import Example, PastTrial
from auth_gateway.core.policy_counts import Answers, Span
from auth_gateway.core.policy_rule import DOCUMENT, PATHS, PolicyDocument
from auth_gateway.core.share import PROMPT_BUDGET, Share
from auth_gateway.flows.past_trials import Tried
from auth_gateway.flows.policy_statistics import Counted

Moment = Annotated[datetime, Meta(tz=True)]


class BacktestBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /policy/backtest`: a document, and the span of recorded decisions; `to` left out is now."""

    document: str
    since: Moment = msgspec.field(name="from")
    until: Moment | None = msgspec.field(name="to", default=None)


class RuleAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """Of one rule: what it answered, what it would have answered where it only reports, and the share of all decisions
    that it matched."""

    name: str
    report_only: bool
    answered: Answers
    would_have: Answers
    rate: float | None


class SpanAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """Of one span: `rules` of the document in their order, rules of earlier documents, and rows of the built-in tables.
    One that is not whole begins only at `since`."""

    since: float
    until: float
    is_whole: bool
    decisions: Answers
    rules: list[RuleAnswers]
    gone: list[RuleAnswers]
    built_in: list[RuleAnswers]


class PolicyRules(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over a day and a week. Refreshes that went through (`not_counted`) are not among them."""

    day: SpanAnswers
    week: SpanAnswers
    not_counted: tuple[str, ...] = ("token.refreshed",)


class PathOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """Of one kind of requests: what was decided when they were made, what the rules in force say, and the candidate."""

    path: str
    then: Outcomes
    present: Outcomes
    candidate: Outcomes


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests of a kind would go from one answer to another."""

    path: str
    before: str
    after: str
    count: int


class WouldHave(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rule of the candidate that only reports would have given that answer."""

    rule: str
    decision: str
    count: int


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded decisions that cannot be decided again: `no_facts` keeps no circumstances, `not_judged` was no decision
    of policy's, `reused` repeats an answer."""

    why: str
    kind: str
    count: int


class Compromises(msgspec.Struct, frozen=True, kw_only=True):
    """Sign-ins of the span that were confirmed not to be their owner's, and how many would have been stopped."""

    confirmed: int
    stopped_by_present: int
    stopped_by_candidate: int


class Prompts(msgspec.Struct, frozen=True, kw_only=True):
    """Of logins that nobody called somebody else's: how many are asked for a factor, with a 95 % interval, beside the
    budget."""

    budget: float
    present: Share
    candidate: Share


class BacktestResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate would have done. `since` and `until` are what was looked at: where `is_whole` is false, less
    than was asked for. `unknown` counts decisions whose circumstances were not kept."""

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
    answered_by: dict[str, int]
    would_have: list[WouldHave]
    left_out: list[LeftOut]
    decided_otherwise_then: int


SHAPES = (BacktestBody, BacktestResult, PolicyRules)


def rules_of(document: PolicyDocument, counts: dict[Span, Counted]) -> PolicyRules:
    """As programs are told of it."""
    return PolicyRules(day=_span(document, counts["day"]), week=_span(document, counts["week"]))


def result_of(tried: Tried) -> BacktestResult:
    """As programs are told of it."""
    trial = tried.trial
    present, candidate = trial.prompts
    return BacktestResult(
        since=tried.since,
        until=tried.until,
        is_whole=tried.is_whole,
        decisions=sum(trial.recorded.values()),
        unknown=sum(count for (why, _), count in trial.left_out.items() if why == "no_facts"),
        paths=_paths(trial),
        changed=[
            Change(path=path, before=before, after=after, count=count)
            for (path, before, after), count in trial.changed.most_common()
        ],
        examples=trial.examples,
        prompts=Prompts(budget=PROMPT_BUDGET, present=present, candidate=candidate),
        compromises=Compromises(
            confirmed=len(trial.seen),
            stopped_by_present=len(trial.stopped["present"]),
            stopped_by_candidate=len(trial.stopped["candidate"]),
        ),
        answered_by={rule: count for (side, rule), count in trial.rules.most_common() if side == "candidate"},
        would_have=[
            WouldHave(rule=rule, decision=said, count=count) for (rule, said), count in trial.reported.most_common()
        ],
        left_out=[LeftOut(why=why, kind=kind, count=n) for (why, kind), n in trial.left_out.most_common()],
        decided_otherwise_then=trial.differing,
    )


def _paths(trial: PastTrial) -> list[PathOutcomes]:
    found = (
        PathOutcomes(
            path=path,
            then=trial.outcomes_then(path),
            present=trial.outcomes("present", path),
            candidate=trial.outcomes("candidate", path),
        )
        for path in PATHS
    )
    return [each for each in found if each.candidate.total]


def _span(document: PolicyDocument, counted: Counted) -> SpanAnswers:
    counts, total = counted.counts, counted.counts.decisions.total
    reporting = {rule.name for rule in document.rules if rule.report_only}
    called = {rule.called: rule.name for rule in document.rules}
    gone_would = counts.would_have.keys() - set(called.values())

    def of(name: str, key: str) -> RuleAnswers:
        answered, would = counts.answered.get(key, Answers()), counts.would_have.get(name, Answers())
        matched = answered.total + would.total
        return RuleAnswers(
            name=name,
            report_only=name in reporting,
            answered=answered,
            would_have=would,
            rate=matched / total if total else None,
        )

    earlier = {key.removeprefix(DOCUMENT) for key in counts.answered if key.startswith(DOCUMENT) and key not in called}
    return SpanAnswers(
        since=counted.since,
        until=counted.until,
        is_whole=counted.is_whole,
        decisions=counts.decisions,
        rules=[of(rule.name, rule.called) for rule in document.rules],
        gone=[of(name, DOCUMENT + name) for name in sorted(earlier | gone_would)],
        built_in=[_row(key, answers, total) for key, answers in sorted(counts.answered.items()) if DOCUMENT not in key],
    )


def _row(name: str, answered: Answers, total: int) -> RuleAnswers:
    """A row of the built-in tables."""
    return RuleAnswers(
        name=name, report_only=False, answered=answered, would_have=Answers(), rate=answered.total / total
    )
