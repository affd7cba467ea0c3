"""What is reported back about logins: how they ended, which histories learn from, and what people found out later."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from risk_scorer.contract.decisions import Decision, EventId, Moment
from risk_scorer.contract.events import LoginEvent, Name

OutcomeKind = Literal["success", "mfa_passed", "mfa_failed", "failure"]
VerdictKind = Literal["confirmed_compromised", "confirmed_safe", "dismissed"]
VerdictSource = Literal["analyst", "owner", "shared_signals", "gateway"]
"""Who says it: somebody who looked into it, the person themselves, another provider, or the gateway's own finding."""
BY_OWNER = "account-owner"
"""The name that gateways give for the person themselves, from before verdicts had a source."""
MAX_FEEDBACK = 1000
MAX_FEEDBACK_BYTES = 8 * 1024 * 1024
"""Room for as many with the longest texts they may have."""

MAX_DECISIONS_EACH = 4
"""Of one outcome: about the login that asked for a factor, and about the answer."""


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one login ended. `success` and `mfa_passed` teach that the context is the person's own.

    The others count as failures and nothing else, so an attacker teaches nothing.
    `event_id` makes reporting it twice harmless; `ts` is when it ended, epoch seconds UTC. `event.event_id` is the id
    that the login was scored with, where that is another one. `decisions` were made at that moment: each is about a
    scored login of its own id, which ended as this one did.
    """

    event_id: EventId
    event: LoginEvent
    outcome: OutcomeKind
    ts: Moment
    decisions: Annotated[tuple[Decision, ...], Meta(max_length=MAX_DECISIONS_EACH)] = ()


class Feedback(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody found out about a login. `event_id` is the one it was scored with.

    `confirmed_compromised`: it was not the person; what it taught is taken back and its context speaks against whoever
    comes with it. `confirmed_safe`: it was the person; its context is pardoned and learned. `dismissed`: looked at, and
    nothing changes. A later verdict replaces the one before it. `by` says who found it, `ts` when (epoch seconds UTC,
    None: now). `source` weighs it in training; without one it is the owner's when `by` is `BY_OWNER`, or an analyst's.
    """

    event_id: EventId
    verdict: VerdictKind
    by: Annotated[str, Meta(min_length=1, max_length=256)]
    reason: Annotated[str, Meta(max_length=1024)] = ""
    ts: Moment | None = None
    source: VerdictSource | None = None


def source_of(by: str, source: VerdictSource | None) -> VerdictSource:
    """Whose word it is, also where the source was not said."""
    return source or ("owner" if by == BY_OWNER else "analyst")


class Erasure(Struct, frozen=True, kw_only=True):
    """A person of whom nothing may be left."""

    user_id: Name
