"""A scored login as the console shows it, one row; and how what is said of it later changes the row."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from risk_scorer.contract.assessment import Reason, RiskScore
from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.lessons import OWN
from risk_scorer.core.observation import BadEvent, canonical_address, prefix_of
from risk_scorer.core.reasons import BASELINE


class SignIn(Struct, frozen=True, kw_only=True, gc=False):
    """One scored login; "" and 0 are unknown, or not yet said.

    `seq` grows in the order in which they were taken from the log; `ts` is when it was scored (epoch seconds). `prefix`
    is the /24 or /48 of the address, `reasons` are their codes with spaces between, `dominant` the heaviest of them.
    """

    seq: int = 0
    ts: float
    event_id: str
    user_id: str
    client_id: str = ""
    kind: str
    level: str
    score: float
    decision: str = ""
    rule: str = ""
    factor: str = ""
    outcome: str = ""
    verdict: str = ""
    ip: str
    prefix: str
    asn: int
    asn_name: str
    country: str
    region: str
    city: str
    device_id: str
    browser: str
    os: str
    ja4: str
    reasons: str
    model_version: str
    dominant: str


class Word(Struct, frozen=True, kw_only=True, gc=False):
    """Something that was said of the login which was scored with that id; an empty text says nothing."""

    event_id: str
    decision: str = ""
    rule: str = ""
    factor: str = ""
    client_id: str = ""
    outcome: str = ""
    verdict: str = ""


SAID: Final = ("client_id", "decision", "rule", "factor", "outcome", "verdict")
"""What of a row words change."""


def sign_in_of(event: LoginEvent, score: RiskScore) -> SignIn:
    """The row of a login as it stands in the log."""
    explain = score.explain
    told = [reason for reason in score.reasons if reason.code != BASELINE]
    ip, prefix = _where(event.ip)
    return SignIn(
        ts=score.ts_scored,
        event_id=score.event_id,
        user_id=event.user_id,
        kind=event.kind,
        level=score.risk_level,
        score=score.risk_score,
        ip=ip,
        prefix=prefix,
        asn=explain.asn or 0,
        asn_name=explain.asn_name or "",
        country=explain.country,
        region=explain.region,
        city=explain.city,
        device_id=event.device_id,
        browser=explain.browser,
        os=explain.os,
        ja4=event.ja4 or "",
        reasons=" ".join(reason.code for reason in told),
        model_version=score.model_version,
        dominant=max(told, key=_points).code if told else "",
    )


def said_of(before: Word, word: Word) -> Word:
    """What is said of a login once this was said, too. One that went well did so for good: a failure that comes to be
    known later was before it."""
    keeps = before.outcome in OWN and word.outcome not in OWN
    return Word(
        event_id=before.event_id,
        decision=word.decision or before.decision,
        rule=word.rule or before.rule,
        factor=word.factor or before.factor,
        client_id=word.client_id or before.client_id,
        outcome=before.outcome if keeps else word.outcome or before.outcome,
        verdict=word.verdict or before.verdict,
    )


def _where(address: str) -> tuple[str, str]:
    try:
        ip = canonical_address(address)
    except BadEvent:
        return address, ""
    return ip, prefix_of(ip)


def _points(reason: Reason) -> float:
    return reason.points
