"""A request that never was, with the circumstances that somebody supposes: decided by the very code that decides
recorded lines again, so that nothing here knows a rule.
"""

from typing import Literal

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.backtest import Replayed, replayed
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.facts import Facts

SUPPOSED_ID = "evt_supposed"
TrialPath = Literal["login", "refresh"]
"""What begins with a request. An answered challenge needs the challenge, which nobody was given."""


class Supposed(msgspec.Struct, frozen=True, kw_only=True):
    """A request as somebody supposes it. `score` None is unscored; `is_same_context` and `is_same_client` are of a
    refresh. What stands in `Standing` is the person's own."""

    path: TrialPath
    client_id: str
    ip: str
    country: str
    score: float | None
    reasons: tuple[str, ...]
    model_version: str
    is_same_context: bool
    is_same_client: bool


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What policy knows of the person: kinds of factors they could show, what is held against them (0 to 100), by how
    many points their own step-up mark lies higher."""

    username: str = ""
    factors: tuple[FactorKind, ...] = ()
    user_risk: float = 0.0
    leeway: float = 0.0


def supposed_request(asked: Supposed, standing: Standing, now: float) -> Replayed:
    """The request, ready to be decided under any rules."""
    is_refresh = asked.path == "refresh"
    line = AuditEvent(
        event_id=SUPPOSED_ID,
        ts=now,
        kind="token.refreshed" if is_refresh else "login.allowed",
        client_id=asked.client_id,
        ip=asked.ip,
        decision="allow",
        score=asked.score,
        model_version=asked.model_version,
        detail=" ".join(asked.reasons) or None,
        facts=Facts(
            path=asked.path,
            username=standing.username,
            country=asked.country,
            factors=standing.factors,
            user_risk=standing.user_risk,
            leeway=standing.leeway,
            is_same_context=asked.is_same_context if is_refresh else None,
            is_same_client=asked.is_same_client if is_refresh else None,
        ),
    )
    found = replayed(line, standing.username)
    assert found is not None  # noqa: S101 - a line with facts and a path is one that can be decided again
    return found
