"""What policy says of a request: the first rule of the document that is for it, or else the built-in table.

At a high risk of the request or the person, and without a score, a rule can make the answer stricter and never milder,
unless a factor was shown that cannot be phished: then an allow counts that the document gives for such a risk.
docs/decisions/0021 says why.
"""

import msgspec

from auth_gateway.core.circumstances import Circumstances, has_shown
from auth_gateway.core.decision import Allow, Challenge, Decision, Deny
from auth_gateway.core.factor import Demand, is_phishing_resistant, stricter
from auth_gateway.core.facts import Facts, Reported
from auth_gateway.core.policy import NO_PHISHING_RESISTANT_FACTOR, Policy, taken
from auth_gateway.core.policy_rule import PolicyDocument, Rule

NO_FACTOR = "no_factor"
_STRICTNESS = {"allow": 0, "challenge": 1, "deny": 2}


class Verdict(msgspec.Struct, frozen=True):
    """The answer, what it was given for, and what rules would have answered that only report."""

    decision: Decision
    circumstances: Circumstances
    reported: tuple[Reported, ...] = ()

    def on(self, facts: Facts | None) -> Facts:
        """The facts of the request with all that it takes to decide it again."""
        return msgspec.structs.replace(self.circumstances.on(facts or Facts()), report_only=self.reported)


def verdict(document: PolicyDocument, now: Circumstances, built_in: Decision, *, policy: Policy) -> Verdict:
    """The first matching rule's answer, where none matches the built-in table's. Rules that only report are passed
    over, and told."""
    reported: tuple[Reported, ...] = ()
    for ready in document.of_path(now.path):
        if not ready.matches(now):
            continue
        rule = ready.rule
        decision = _within_bounds(_said(rule, now, built_in, policy), now, built_in)
        if not rule.report_only:
            return Verdict(decision, now, reported)
        demand = decision.demand if isinstance(decision, Challenge) else ""
        reported = (*reported, Reported(rule=rule.name, decision=decision.name, demand=demand))
    return Verdict(built_in, now, reported)


def _said(rule: Rule, now: Circumstances, built_in: Decision, policy: Policy) -> Decision:
    if rule.then == "deny":
        return Deny(rule.called, now.reasons)
    if rule.then == "allow":
        return Allow(rule.called, now.reasons)
    return built_in if _is_answered(rule, now, policy) else _asked(rule, now, policy)


def _is_answered(rule: Rule, now: Circumstances, policy: Policy) -> bool:
    """Whether what the rule asks for was shown: with this login, as the answer to its challenge, or when the session
    began. A rule about the session's own risk wants it anew: what was shown before does not answer it."""
    if now.path == "refresh":
        return rule.when.session_risk is None and has_shown(now, rule.demand)
    return now.shown is not None and bool(taken((now.shown,), rule.demand, policy))


def _asked(rule: Rule, now: Circumstances, policy: Policy) -> Decision:
    """The challenge, or the refusal where nothing could answer it: the person has no such factor, or has just shown
    another one."""
    if now.path == "refresh":
        return Challenge(rule.called, now.reasons, demand=rule.demand)
    if now.path == "login" and taken(now.factors, rule.demand, policy):
        return Challenge(rule.called, now.reasons, demand=rule.demand)
    has_another = rule.demand == "phishing_resistant" and (now.shown or taken(now.factors, "enrolled", policy))
    why = NO_PHISHING_RESISTANT_FACTOR if has_another else NO_FACTOR
    return Deny(f"{rule.called}:{why}", now.reasons)


def _within_bounds(said: Decision, now: Circumstances, built_in: Decision) -> Decision:
    risk = now.own_risk
    if risk is not None and risk.word in {"low", "medium"} and now.user_level != "high":
        return said
    if isinstance(said, Allow) and now.shown is not None and is_phishing_resistant(now.shown):
        return said
    return _stricter(said, built_in)


def _stricter(said: Decision, built_in: Decision) -> Decision:
    """That of the two which asks for more; the rule's where they ask for the same."""
    if isinstance(said, Challenge) and isinstance(built_in, Challenge):
        demand: Demand = stricter(said.demand, built_in.demand)
        return said if demand == said.demand else built_in
    return said if _STRICTNESS[said.name] >= _STRICTNESS[built_in.name] else built_in
