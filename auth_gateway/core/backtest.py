"""What policy would have said of decisions that were made: one recorded line is decided again, and what comes of it is
counted. The score, the factors and all else that a line keeps stay as they were; only the rules are others.
"""

from collections import Counter
from typing import Literal

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.circumstances import Circumstances, known_kinds, risk_at
from auth_gateway.core.decision import Challenge, Decision, Deny
from auth_gateway.core.factor import FactorKind, usable
from auth_gateway.core.facts import Facts
from auth_gateway.core.facts import Path as RequestPath
from auth_gateway.core.marks import Marks, marks_for
from auth_gateway.core.policy import (
    USUAL_RISK,
    Policy,
    Unchanged,
    decide,
    decide_refresh,
    decide_step_up,
)
from auth_gateway.core.policy_rule import PolicyDocument
from auth_gateway.core.policy_unseen import decide_unseen
from auth_gateway.core.policy_verdict import Verdict, verdict
from risk_scorer.contract.assessment import Explain, Reason, RiskScore, risk_level

DECIDED: tuple[Kind, ...] = (
    "login.allowed",
    "login.challenged",
    "login.denied",
    "challenge.passed",
    "token.refreshed",
    "token.retried",
    "token.refused",
    "token.denied",
    "device.denied",
)
"""Lines that policy's answer stands in."""
REPORTED: Kind = "sign_in.reported"
"""The owner's word that a sign-in was not theirs; its detail is the id that the sign-in was scored under."""
Obstacle = Literal["no_facts", "not_judged", "reused"]
"""Why a line is not decided again: it keeps no circumstances; policy was not what decided; it repeats an answer."""
Side = Literal["present", "candidate"]
SIDES: tuple[Side, ...] = ("present", "candidate")
_NO_EXPLAIN = Explain(
    hour=0,
    day_of_week=0,
    success=1,
    user_freq=0,
    ip_freq=0,
    device_freq=0,
    ua_freq=0,
    ja4_freq=0,
    ja4h_freq=0,
    ja4s_freq=0,
    ip_rep=0.0,
)


class Replayed(msgspec.Struct, frozen=True):
    """One line decided again."""

    circumstances: Circumstances
    score: RiskScore | None
    leeway: float = 0.0

    def under(self, document: PolicyDocument, policy: Policy) -> Verdict:
        """What these rules and marks say of it."""
        marks = _marks(document, self.circumstances, self.score)
        now = _worded(self.circumstances, document, marks)
        built_in = _built_in(now, self.score, policy, marks, self.leeway)
        return verdict(document, now, built_in, policy=policy)


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What became, or would have become, of the requests of one path."""

    allowed: int = 0
    challenged: int = 0
    denied: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.allowed + self.challenged + self.denied


def obstacle(line: AuditEvent) -> Obstacle | None:
    """What keeps a line from being decided again."""
    if line.decision is None:
        return "not_judged"
    if line.facts is None or line.facts.path is None:
        return "no_facts"
    return "reused" if " scored as " in f" {line.detail or ''}" else None


def replayed(line: AuditEvent, username: str) -> Replayed | None:
    """The line as its request was; None for one that `obstacle` is about. `username` stands in where the line has
    none."""
    facts = line.facts
    if facts is None or facts.path is None:
        return None
    codes = tuple(code for code in (line.detail or "").split() if code != USUAL_RISK)
    score = _score_of(line, facts.path, codes)
    kept = facts.is_same_context
    same = None if kept is None else Unchanged(context=kept, client=facts.is_same_client is True)
    is_known = facts.path == "login" or same is not None
    own = risk_at(None if score is None else score.risk_score)
    is_login = facts.path == "login"
    return Replayed(
        Circumstances(
            path=facts.path,
            client_id=line.client_id or "",
            username=facts.username or username,
            ip=(line.ip or "") if is_known else "",
            country=facts.country if is_known else "",
            factors=known_kinds(facts.factors),
            shown=_shown(facts),
            login_risk=own if is_login else risk_at(facts.login_score),
            session_risk=own if is_known and not is_login else None,
            user_risk=facts.user_risk,
            reasons=codes,
            amr=facts.amr,
            acr=facts.acr,
            same=same,
        ),
        score if is_known else None,
        facts.leeway,
    )


def _marks(document: PolicyDocument, now: Circumstances, score: RiskScore | None) -> Marks:
    version = "" if score is None else score.model_version
    return marks_for(document.marks, client_id=now.client_id, username=now.username, model_version=version)


def _worded(now: Circumstances, document: PolicyDocument, marks: Marks) -> Circumstances:
    """The same with its risks in the words of these marks."""
    is_login = now.path == "login"
    earlier = marks if is_login else _marks(document, now, None)
    own = now.session_risk
    return msgspec.structs.replace(
        now,
        login_risk=risk_at(now.login_risk.score, earlier),
        session_risk=None if own is None else risk_at(own.score, marks),
    )


def _built_in(now: Circumstances, score: RiskScore | None, policy: Policy, marks: Marks, leeway: float) -> Decision:
    is_resistant = now.shown_phishing_resistant
    if now.path == "login":
        return decide(
            score,
            factors=now.factors,
            policy=policy,
            shown_phishing_resistant=is_resistant,
            user_level=now.user_level,
            marks=marks,
            leeway=leeway,
        )
    if now.same is None:
        return decide_unseen(now.path, is_resistant, now.user_level)
    if now.path == "refresh":
        return decide_refresh(
            score,
            unchanged=now.same,
            policy=policy,
            shown_phishing_resistant=is_resistant,
            user_level=now.user_level,
            marks=marks,
        )
    return decide_step_up(
        score,
        unchanged=now.same,
        policy=policy,
        shown_phishing_resistant=is_resistant,
        user_level=now.user_level,
        marks=marks,
    )


def _shown(facts: Facts) -> FactorKind | None:
    if facts.path == "login":
        return "passkey" if facts.shown_phishing_resistant else None
    return next(iter(known_kinds((facts.method,))), None)


def _score_of(line: AuditEvent, path: RequestPath, codes: tuple[str, ...]) -> RiskScore | None:
    """The score that was decided by. An answered challenge that got none of its own keeps the first half's number, and
    no model."""
    if line.score is None or (path == "step_up" and line.model_version is None):
        return None
    return RiskScore(
        risk_score=line.score,
        risk_level=risk_level(line.score),
        model_label=1,
        explain=_NO_EXPLAIN,
        ts_scored=line.ts,
        reasons=[Reason(code=code, points=0.0, observed="", usual="", text="") for code in codes],
        model_version=line.model_version or "",
        event_id=line.event_id,
    )


class Tally:
    """Counts lines as they come, and keeps none."""

    def __init__(self, compromised: frozenset[str]) -> None:
        self._compromised = compromised
        self._asked: dict[tuple[Side, str], Challenge] = {}
        self.seen: set[str] = set()
        self.stopped: dict[Side, set[str]] = {side: set() for side in SIDES}
        self.answers: Counter[tuple[Side, RequestPath, str]] = Counter()
        self.rules: Counter[tuple[Side, str]] = Counter()
        self.reported: Counter[tuple[str, str]] = Counter()
        self.changed: Counter[tuple[RequestPath, str, str]] = Counter()
        self.left_out: Counter[tuple[Obstacle, str]] = Counter()
        self.differing = 0

    def leave_out(self, line: AuditEvent, why: Obstacle) -> None:
        """A line that cannot be decided again."""
        self.left_out[why, line.kind] += 1

    def add(self, line: AuditEvent, again: Replayed, *, present: Verdict, candidate: Verdict) -> None:
        """One line, with what the rules in force and the candidate say of it."""
        path = again.circumstances.path
        sides: tuple[tuple[Side, Decision], ...] = (("present", present.decision), ("candidate", candidate.decision))
        for side, decision in sides:
            self.answers[side, path, decision.name] += 1
            self.rules[side, decision.rule] += 1
            if self._compromised:
                self._watch(side, line, again, decision)
        for would in candidate.reported:
            self.reported[would.rule, would.decision] += 1
        before, after = present.decision.name, candidate.decision.name
        if before != after:
            self.changed[path, before, after] += 1
        self.differing += before != line.decision

    def outcomes(self, side: Side, path: RequestPath) -> Outcomes:
        """What one side says of the requests of a path."""
        answers = self.answers
        return Outcomes(
            allowed=answers[side, path, "allow"],
            challenged=answers[side, path, "challenge"],
            denied=answers[side, path, "deny"],
        )

    def _watch(self, side: Side, line: AuditEvent, again: Replayed, decision: Decision) -> None:
        """Whether a sign-in that was somebody else's would have been stopped: refused, asked for a factor where none
        was asked for, or for another one than this somebody showed."""
        now = again.circumstances
        attempt = (line.facts or Facts()).began_as or line.event_id
        if attempt not in self._compromised or now.path == "refresh":
            return
        self.seen.add(attempt)
        asked = self._asked.get((side, attempt))
        if isinstance(decision, Challenge) and line.kind != "login.allowed":
            self._asked[side, attempt] = decision
        shows_another = asked is not None and now.shown is not None and not usable((now.shown,), asked.demand)
        is_held_up = isinstance(decision, Challenge) and line.kind == "login.allowed"
        if isinstance(decision, Deny) or is_held_up or (line.kind == "challenge.passed" and shows_another):
            self.stopped[side].add(attempt)
