"""A policy document as values: rules in their order, each with what it asks and what it answers. How a text becomes one
is `policy_document`'s, and what a matching rule means for a request is `policy_verdict`'s.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import msgspec

from auth_gateway.core.circumstances import UNKNOWN, Circumstances, Risk, RiskWord
from auth_gateway.core.context import read_address
from auth_gateway.core.factor import Demand, FactorKind
from auth_gateway.core.facts import Path
from auth_gateway.core.marks import OwnMarks
from auth_gateway.core.networks import NetworkSet
from auth_gateway.core.session_risk import USUAL, SessionMarks
from risk_scorer.contract.assessment import HIGH_FROM

Then = Literal["allow", "challenge", "deny"]
PATHS: tuple[Path, ...] = ("login", "refresh", "step_up")
Test = Callable[[Circumstances], bool]
"""One condition, ready to be asked."""
DOCUMENT = "document:"
"""What the names of its rules begin with in decisions, so that nobody takes them for rows of the built-in tables."""


class Span(msgspec.Struct, frozen=True):
    """Numbers from `least` to `most`; an end that is open is not among them."""

    least: float = 0.0
    most: float = 100.0
    is_open_below: bool = False
    is_open_above: bool = False

    def holds(self, number: float) -> bool:
        """Whether the number is among them."""
        above = number > self.least if self.is_open_below else number >= self.least
        return above and (number < self.most if self.is_open_above else number <= self.most)

    @property
    def reaches_high(self) -> bool:
        """Whether a high risk is among them."""
        return self.most > HIGH_FROM or (self.most == HIGH_FROM and not self.is_open_above)


class RiskSet(msgspec.Struct, frozen=True):
    """Risks that a rule is for: any of the words, or a number in any of the spans."""

    words: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = ()

    def holds(self, word: str, number: float | None) -> bool:
        """Whether such a risk is one of them."""
        if word in self.words:
            return True
        if number is not None:
            for span in self.spans:
                if span.holds(number):
                    return True
        return False

    def holds_risk(self, risk: Risk | None) -> bool:
        """The same for a request's risk; what nothing was asked about is none of them."""
        return risk is not None and self.holds(risk.word, risk.score)

    def may_be(self, word: RiskWord) -> bool:
        """Whether it takes in risks of that word, as far as high and unscored are asked about."""
        return word in self.words or (word == "high" and any(span.reaches_high for span in self.spans))


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be so, all of it; None is not asked. `usernames` has one set for each of group and role."""

    clients: frozenset[str] | None = None
    usernames: tuple[frozenset[str], ...] = ()
    networks: NetworkSet | None = None
    countries: frozenset[str] | None = None
    factors: frozenset[str] | None = None
    shown: frozenset[FactorKind] | None = None
    login_risk: RiskSet | None = None
    session_risk: RiskSet | None = None
    user_risk: RiskSet | None = None
    reasons: frozenset[str] | None = None

    def tests(self) -> tuple[Test, ...]:
        """What is asked, and nothing else, the quickest first: made once, so that a rule costs a login little."""
        return tuple(_tests(self))


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: it is for requests for which `when` holds and `unless` does not; a challenge takes the factors of
    `demand`. `line` is where it stands, `asks` its conditions as they were written."""

    name: str
    then: Then
    paths: tuple[Path, ...] = PATHS
    when: Conditions = Conditions()
    unless: Conditions | None = None
    demand: Demand = "any"
    report_only: bool = False
    line: int = 1
    asks: str = ""

    @property
    def called(self) -> str:
        """Its name in decisions, audit lines and messages."""
        return DOCUMENT + self.name


class Ready(msgspec.Struct, frozen=True):
    """A rule with its conditions ready to be asked; `unless` None is never."""

    rule: Rule
    when: tuple[Test, ...]
    unless: tuple[Test, ...] | None

    def matches(self, now: Circumstances) -> bool:
        """Whether it is for this request; the path has been looked at."""
        for test in self.when:
            if not test(now):
                return False
        return self.unless is None or not all(test(now) for test in self.unless)


class PolicyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Rules in their order, and the same for each path; `digest` names the text, "" is no document at all. `marks` are
    those of applications and groups; `names_people` says that a rule or marks ask who somebody is. `people` are its
    groups and roles with their user names, `session_marks` what a session's risk does to it."""

    rules: tuple[Rule, ...] = ()
    marks: tuple[OwnMarks, ...] = ()
    digest: str = ""
    names_people: bool = False
    people: tuple[tuple[str, frozenset[str]], ...] = ()
    session_marks: SessionMarks = USUAL
    login: tuple[Ready, ...] = ()
    refresh: tuple[Ready, ...] = ()
    step_up: tuple[Ready, ...] = ()

    def roles_of(self, username: str) -> tuple[str, ...]:
        """The groups and roles that name this person, in their order."""
        return tuple(name for name, usernames in self.people if username in usernames)

    def of_path(self, path: Path) -> tuple[Ready, ...]:
        """The rules that are asked about such a request."""
        if path == "login":
            return self.login
        return self.refresh if path == "refresh" else self.step_up


NO_DOCUMENT = PolicyDocument()


def document_of(rules: tuple[Rule, ...], digest: str, marks: tuple[OwnMarks, ...] = ()) -> PolicyDocument:
    """The document of these rules and marks."""
    ready = [Ready(rule, rule.when.tests(), None if rule.unless is None else rule.unless.tests()) for rule in rules]

    def of_path(path: Path) -> tuple[Ready, ...]:
        return tuple(one for one in ready if path in one.rule.paths)

    asked = [conditions for rule in rules for conditions in (rule.when, rule.unless) if conditions is not None]
    names_people = any(conditions.usernames for conditions in asked) or any(one.usernames for one in marks)
    return PolicyDocument(
        rules=rules,
        marks=marks,
        digest=digest,
        names_people=names_people,
        login=of_path("login"),
        refresh=of_path("refresh"),
        step_up=of_path("step_up"),
    )


def _tests(asked: Conditions) -> Iterator[Test]:
    clients, countries, factors, shown = asked.clients, asked.countries, asked.factors, asked.shown
    login_risk, session_risk, user_risk = asked.login_risk, asked.session_risk, asked.user_risk
    reasons, networks = asked.reasons, asked.networks
    if clients is not None:
        yield lambda now: now.client_id in clients
    if countries is not None:
        yield lambda now: (now.country or UNKNOWN) in countries
    for names in asked.usernames:
        yield partial(_is_one_of, names)
    if login_risk is not None:
        yield lambda now: login_risk.holds_risk(now.login_risk)
    if session_risk is not None:
        yield lambda now: session_risk.holds_risk(now.session_risk)
    if user_risk is not None:
        yield lambda now: user_risk.holds(now.user_level, now.user_risk)
    if shown is not None:
        yield lambda now: now.shown in shown
    if factors is not None:
        yield lambda now: not factors.isdisjoint(now.factors) if now.factors else "none" in factors
    if reasons is not None:
        yield lambda now: not reasons.isdisjoint(now.reasons)
    if networks is not None:
        yield lambda now: networks.holds(read_address(now.ip))


def _is_one_of(names: frozenset[str], now: Circumstances) -> bool:
    return now.username in names
