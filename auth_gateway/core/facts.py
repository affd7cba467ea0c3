"""What is known about one event beside its audit line: enough to tell others of it and to decide it again."""

from typing import Final, Literal

import msgspec

from auth_gateway.core.account import device_digest
from auth_gateway.core.context import LONGEST_USER_AGENT, LoginContext
from risk_scorer.contract.assessment import Reason, RiskScore

OPERATOR: Final = "operator"
"""Whoever has a command line on the machine."""
GATEWAY: Final = "gateway"
"""The gateway of its own accord."""

Path = Literal["login", "refresh", "step_up"]
"""Which of the policy's tables decided."""


class Reported(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report-only rule of the policy document that matched, and what it would have answered."""

    rule: str
    decision: str
    demand: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The circumstances of an event and what the policy had before it. Empty means not known.

    `device` is the hex SHA-256 of the device's id; `new` names what the person's history had never seen; `factors` are
    the kinds that the person could show and `method` the one that they did; `began_as` is the id of the login that an
    answer to a challenge belongs to. Place and operator are the scorer's word where it gave one. `login_score` is that
    of the sign-in that a later request belongs to, `acr` the level of its session, `user_risk` the person's own (0 to
    100); `report_only` are the rules of the policy document that would have answered. `unscored` is why a decision
    had to do without a score (`scorer_timeout`, `breaker_open` …). `by` is who ran
    the gateway: an application's id, or one of the names below; `risk_before` is the person's own risk
    before an event that is about it. `is_known_device` says that the account has used the device before, `leeway`
    by how many points the person's own step-up mark lay higher.
    """

    path: Path | None = None
    username: str = ""
    user_agent: str = ""
    device: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    asn: int | None = None
    ja4: str | None = None
    browser: str = ""
    os: str = ""
    network_kind: str = ""
    is_listed: bool = False
    reasons: tuple[Reason, ...] = ()
    new: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    demand: str = ""
    method: str = ""
    amr: tuple[str, ...] = ()
    challenge_id: str = ""
    began_as: str = ""
    shown_phishing_resistant: bool = False
    is_same_context: bool | None = None
    is_same_client: bool | None = None
    login_score: float | None = None
    acr: str = ""
    user_risk: float = 0.0
    report_only: tuple[Reported, ...] = ()
    unscored: str = ""
    by: str = ""
    risk_before: float | None = None
    is_known_device: bool = False
    leeway: float = 0.0


def facts_of(context: LoginContext, score: RiskScore | None, *, path: Path | None = None, username: str = "") -> Facts:
    """The circumstances of one request, and what the scorer said of them; the policy's own inputs are the caller's to
    add."""
    device = device_digest(context.device_id)
    known = Facts(
        path=path,
        username=username,
        user_agent=context.user_agent[:LONGEST_USER_AGENT],
        device="" if device is None else device.hex(),
        country=context.country,
        region=context.region,
        city=context.city,
        asn=context.asn,
        ja4=context.ja4,
    )
    return known if score is None else scored(known, score)


def scored(known: Facts, score: RiskScore) -> Facts:
    """The same with the scorer's word."""
    explain = score.explain
    return msgspec.structs.replace(
        known,
        country=explain.country,
        region=explain.region,
        city=explain.city,
        asn=explain.asn,
        browser=explain.browser,
        os=explain.os,
        network_kind=explain.network_kind,
        is_listed=explain.is_listed,
        reasons=tuple(score.reasons),
        new=explain.new,
    )
