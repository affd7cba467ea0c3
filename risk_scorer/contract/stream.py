"""What the scorer takes from a stream beside the events of `/score`, and what it says about its stream."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from risk_scorer.contract.events import Address, Agent, LoginEvent, Name, Text128, Text256
from risk_scorer.contract.feedback import OutcomeKind

StreamState = Literal["off", "connecting", "consuming", "waiting", "stopped"]


class StreamedLogin(LoginEvent, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A login as `/score` takes it. With `outcome` it has ended, and its history learns that after it was scored.

    `event_type` other than `login` is something done within a session: it is scored as a refresh is.
    """

    outcome: OutcomeKind | None = None
    event_type: Text128 = "login"


class Identity(Struct, frozen=True, kw_only=True, gc=False):
    """Who acts, and from where, in an activity event. What else it says (roles, privileges, …) is not read."""

    user_id: Name
    ip: Address
    device_id: Text256 = ""
    user_agent: Agent = ""
    geo: Text128 = ""
    timestamp: str | float | int | None = None


class Activity(Struct, frozen=True, kw_only=True, gc=False):
    """What was done; its time outranks the identity's."""

    timestamp: str | float | int | None = None
    status_code: Annotated[int, Meta(ge=100, le=599)] | None = None


class StreamedActivity(Struct, frozen=True, kw_only=True, gc=False):
    """Something done within a session, as detectors of suspicious activity report it."""

    identity: Identity
    event: Activity = Activity()
    event_id: Text128 | None = None


class StreamHealth(Struct, frozen=True, kw_only=True):
    """How the stream stands.

    `lag` is how many records of our partitions wait at the broker, None while that is not known. `problem` is the code
    of what keeps it from going on. The rest are counts since the start: records taken, events scored and kept, records
    known before, records that went to the dead-letter topic, outcomes that were learned.
    """

    state: StreamState = "off"
    problem: str | None = None
    lag: int | None = None
    partitions: int = 0
    taken: int = 0
    scored: int = 0
    known_before: int = 0
    dead: int = 0
    learned: int = 0
