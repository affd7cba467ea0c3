"""The three answers that policy can give, each with the rule that gave it. Values only; the table is in `policy`."""

from typing import Literal

import msgspec

from auth_gateway.core.factor import Demand


class Allow(msgspec.Struct, frozen=True):
    """Let the person in."""

    rule: str
    reasons: tuple[str, ...] = ()
    name: Literal["allow"] = "allow"


class Challenge(msgspec.Struct, frozen=True):
    """Ask for a second factor, of those that `demand` takes, before anything is issued."""

    rule: str
    reasons: tuple[str, ...] = ()
    name: Literal["challenge"] = "challenge"
    demand: Demand = "any"


class Deny(msgspec.Struct, frozen=True):
    """Refuse, with an incident id for the person and the rule for the operator."""

    rule: str
    reasons: tuple[str, ...] = ()
    name: Literal["deny"] = "deny"


Decision = Allow | Challenge | Deny
