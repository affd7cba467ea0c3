"""What the gateway tells the scorer of its decisions, so that whoever looks at a scored login sees what became of it.

Only shapes and sizes are here. Scores and histories do not depend on any of it. Unknown fields are ignored.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from risk_scorer.contract.events import Text128, Text256

MAX_DECISIONS: Final = 500
MAX_DECISIONS_BYTES: Final = 512 * 1024

EventId = Annotated[str, Meta(min_length=1, max_length=128)]
Moment = Annotated[float, Meta(ge=0, lt=2**33)]
DecisionKind = Literal["allow", "challenge", "deny"]


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was decided about the login that was scored with that id, by which rule, at that moment (epoch seconds).

    `factor` is what its person showed beside the password, or what they tried to. An empty text says nothing and
    replaces nothing that was said before; telling the same twice is harmless.
    """

    event_id: EventId
    decision: DecisionKind
    rule: Text128 = ""
    factor: Text128 = ""
    client_id: Text256 = ""
    at: Moment


class DecisionsHeard(Struct, frozen=True, kw_only=True):
    """How many decisions were taken."""

    heard: int
