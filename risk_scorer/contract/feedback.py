"""What the gateway reports back once a login has ended: the only thing that histories learn from."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from risk_scorer.contract.events import LoginEvent

OutcomeKind = Literal["success", "mfa_passed", "mfa_failed", "failure"]


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one login ended. `success` and `mfa_passed` teach that the context is the person's own.

    The others count as failures and nothing else, so an attacker teaches nothing.
    `event_id` makes reporting it twice harmless; `ts` is when it ended, epoch seconds UTC.
    """

    event_id: Annotated[str, Meta(min_length=1, max_length=128)]
    event: LoginEvent
    outcome: OutcomeKind
    ts: Annotated[float, Meta(ge=0, lt=2**33)]
