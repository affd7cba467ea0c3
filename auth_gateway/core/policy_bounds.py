"""What no rule may say, and what a rule is for that does not say which requests it means. Asked when a document is
read, so that an operator is told at once and not by a login that went another way.
"""

from itertools import product

from auth_gateway.core.factor import FACTOR_KINDS, usable
from auth_gateway.core.facts import Path as RequestPath
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_rule import PATHS, Conditions, RiskSet, Rule
from auth_gateway.core.toml_lines import Path

Objection = tuple[Path, str]
"""Where in the rule, and why."""

_OWN: dict[RequestPath, str] = {"login": "login_risk", "refresh": "session_risk", "step_up": "session_risk"}
"""The risk that a request of each path is judged by."""
_RESISTANT = frozenset(usable(FACTOR_KINDS, "phishing_resistant"))


def default_paths(rule: Rule) -> tuple[RequestPath, ...]:
    """The requests that a rule is for when it names none: those that can have what it asks for, also to be taken away.
    What is shown or could be shown is not known at a refresh, and at a login nobody comes back. An allow is for the
    requests whose risk it names.
    """
    asked = _asked(rule)
    asks_shown = any(conditions.shown is not None for _, conditions in asked)
    if any(conditions.session_risk is not None for _, conditions in asked):
        return ("step_up",) if asks_shown else ("refresh", "step_up")
    asks_factors = any(conditions.factors is not None for _, conditions in asked)
    if asks_factors or (rule.then == "allow" and rule.when.login_risk is not None):
        return ("login",)
    return ("login", "step_up") if asks_shown else PATHS


def objections(rule: Rule, policy: Policy) -> list[Objection]:
    """What stands against the rule."""
    found = _never_so(rule)
    if rule.then == "allow":
        found += _too_mild_allow(rule)
    elif rule.then == "challenge":
        found += _too_mild_challenge(rule, policy)
    return found


def _never_so(rule: Rule) -> list[Objection]:
    """Conditions that no request of the rule's paths can meet: the rule would stand there and do nothing, or take
    nobody out."""
    found = list[Objection]()
    for path, (word, asked) in product(rule.paths, _asked(rule)):
        if path == "login" and asked.session_risk is not None:
            found.append(((word, "session_risk"), "at a login nobody comes back: session_risk is not for path login"))
        if path == "refresh" and asked.shown is not None:
            found.append(((word, "shown"), "at a refresh nothing is shown: shown is for the paths login and step_up"))
        if path != "login" and asked.factors is not None:
            found.append(((word, "factor"), f"factor is for path login: at {path} use shown, or a demand"))
    return found


def _asked(rule: Rule) -> tuple[tuple[str, Conditions], ...]:
    """What the rule asks for, by the word under which it stands."""
    return (("when", rule.when),) if rule.unless is None else (("when", rule.when), ("unless", rule.unless))


def _too_mild_allow(rule: Rule) -> list[Objection]:
    found = list[Objection]()
    if rule.unless is not None:
        found.append(
            (("unless",), "an allow says where it holds, not where it does not: what is not known is not safe")
        )
    is_shown = rule.when.shown is not None and rule.when.shown <= _RESISTANT
    for path in rule.paths:
        own = _own(rule, path)
        if own is None:
            found.append((("then",), f"an allow at {path} must name the risk that it holds for: {_OWN[path]}"))
        elif not is_shown and (own.may_be("high") or own.may_be("unscored")):
            found.append(
                (
                    ("when", _OWN[path]),
                    "a high or unscored risk is never allowed without a phishing-resistant factor: name lower risks, "
                    'or shown = "phishing_resistant"',
                )
            )
    return found


def _too_mild_challenge(rule: Rule, policy: Policy) -> list[Objection]:
    """A challenge that names the high risk in so many words, where the built-in table asks for more."""
    for path in rule.paths:
        own = _own(rule, path)
        if own is None or "high" not in own.words:
            continue
        place: Path = ("when", _OWN[path])
        if policy.high_deny:
            return [(place, "a high risk is denied while LOGIN_POLICY_HIGH_DENY is on: a challenge is milder")]
        if rule.demand != "phishing_resistant":
            return [(place, 'at a high risk a challenge must have demand = "phishing_resistant"')]
    return []


def _own(rule: Rule, path: RequestPath) -> RiskSet | None:
    return rule.when.login_risk if path == "login" else rule.when.session_risk
