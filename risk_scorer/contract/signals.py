"""What the scorer tells the gateway when a session, or a person in a campaign, has become risky.

The body of one signed message (Standard Webhooks; its `webhook-id` is the `signal_id`). The scorer recommends, the
gateway decides.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from risk_scorer.contract.assessment import RiskLevel
from risk_scorer.contract.events import Name, Text128

MAX_SIGNAL_BYTES: Final = 32 * 1024
"""Sixteen reasons at their longest are less."""
MAX_SIGNAL_REASONS: Final = 16
SIGNAL_TYPE: Final = "session.risk"
SIGNAL_PATH: Final = "/signals/session-risk"

Recommended = Literal["allow", "step_up", "reset_session", "logout", "freeze"]
SignalSource = Literal["activity", "campaign"]


class SignalReason(Struct, frozen=True, kw_only=True, gc=False):
    """One cause: a code of a closed vocabulary, its points of the score, and a sentence."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    points: Annotated[float, Meta(ge=0, le=100)]
    text: Annotated[str, Meta(max_length=256)] = ""


class SessionRiskSignal(Struct, frozen=True, kw_only=True, gc=False):
    """The risk of a session, or with source `campaign` of a person (then `session_id` may be ""), 0-100.

    The same `signal_id` is one signal, however often it comes. A session gets one for each rise of its recommended
    response, so the strongest one counts and a later weaker one takes nothing back. `observed_at` is in epoch seconds.
    """

    signal_id: Annotated[str, Meta(min_length=8, max_length=128)]
    session_id: Annotated[str, Meta(max_length=256)]
    user_id: Name
    score: Annotated[float, Meta(ge=0, le=100)]
    level: RiskLevel
    recommended: Recommended
    reasons: Annotated[tuple[SignalReason, ...], Meta(max_length=MAX_SIGNAL_REASONS)] = ()
    observed_at: Annotated[float, Meta(ge=0, lt=2**33)]
    source: SignalSource = "activity"
    campaign_id: Text128 | None = None
