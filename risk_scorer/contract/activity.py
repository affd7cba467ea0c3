"""What people do after the login, as applications report it, and what is answered: shapes and sizes.

What the values mean is decided in `core.activity`; who somebody is comes from the session that the gateway issued.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from risk_scorer.contract.assessment import RiskLevel
from risk_scorer.contract.events import Agent, Name, Text128, Text256

MAX_ROLES, MAX_PRIVILEGES, MAX_METADATA = 64, 256, 64
STEP_UP_FROM, RESET_FROM, LOGOUT_FROM, FREEZE_FROM = 60.0, 80.0, 90.0, 97.0
"""Marks on the shared scale from which an action is recommended. The gateway's policy decides."""

When = str | float | int | None
"""ISO 8601 (UTC without an offset) or epoch seconds; None is the moment it arrives."""
Roles = Annotated[tuple[Text128, ...], Meta(max_length=MAX_ROLES)]
Privileges = Annotated[tuple[Text128, ...], Meta(max_length=MAX_PRIVILEGES)]
Endpoint = Annotated[str, Meta(min_length=1, max_length=1024)]
Bytes = Annotated[int, Meta(ge=0, lt=2**53)]
Action = Literal["allow", "step_up", "reset_session", "logout", "freeze"]
HowKnown = Literal["session", "token", "vouched"]
"""Whose word the identity is: the session's, its access token's, or that of a caller who may vouch."""


class IdentityContext(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who acts, from where, in which session. `token`, the person's access token, may stand for `session_id`.

    Roles and privileges count only where the session does not say its own.
    """

    user_id: Name
    device_id: Text256 = ""
    ip: Annotated[str, Meta(max_length=64)] = ""
    geo: Text128 = ""
    user_agent: Agent = ""
    session_id: Text256 = ""
    token: Annotated[str, Meta(max_length=8192)] = ""
    ja4: Text256 | None = None
    roles: Roles = ()
    privileges: Privileges = ()
    timestamp: When = None


class ActivityEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was done; its time outranks the identity's. `metadata` is accepted and not read."""

    endpoint: Endpoint
    timestamp: When = None
    method: Annotated[str, Meta(max_length=16)] = "GET"
    status_code: Annotated[int, Meta(ge=100, le=599)] | None = None
    latency_ms: Annotated[float, Meta(ge=0)] | None = None
    bytes_in: Bytes = 0
    bytes_out: Bytes = 0
    service: Text128 = ""
    trace_id: Text128 = ""
    event_type: Annotated[str, Meta(max_length=32)] = ""
    metadata: Annotated[dict[Text128, Any], Meta(max_length=MAX_METADATA)] = {}


class PrivilegeChange(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What somebody may do from `timestamp` on, and what they might before."""

    previous_roles: Roles = ()
    new_roles: Roles = ()
    previous_privileges: Privileges = ()
    new_privileges: Privileges = ()
    timestamp: When = None


class AssessRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One event to judge. Sent again with the same `event_id` it has the answer that it had, and counts once."""

    identity: IdentityContext
    event: ActivityEvent
    privilege_change: PrivilegeChange | None = None
    event_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None


class Signal(Struct, frozen=True, kw_only=True, gc=False):
    """One cause of the score: the `points` of all signals add up to the score, `nats` is the evidence behind them."""

    code: str
    points: float
    nats: float
    observed: str
    usual: str
    text: str


class Assessment(Struct, frozen=True, kw_only=True, gc=False):
    """The risk of the session after this event, 0-100.

    `action` is what is recommended; `unknown` names the detectors that have not seen enough to say anything.
    """

    event_id: str
    user_id: str
    session_id: str
    total_score: float
    risk_level: RiskLevel
    action: Action
    signals: list[Signal]
    unknown: list[str]
    attack_likelihood: float | None
    identity: HowKnown
    model_version: str
    ts_scored: float


class SessionScore(Struct, frozen=True, kw_only=True, gc=False):
    """How a session stands. `reasons` are the sentences of its signals, `recommended_response` is for an analyst."""

    session_id: str
    score: float
    risk_level: RiskLevel
    signals: list[Signal]
    reasons: list[str]
    attack_likelihood: float | None
    recommended_response: str
    events: int
    started_at: float


class TaskState(Struct, frozen=True, kw_only=True):
    """How far an assessment is that was asked for without waiting."""

    task_id: str
    status: Literal["pending", "running", "done", "failed"]
    result: Assessment | None = None
    problem: str | None = None


def recommended(score: float) -> Action:
    """What is recommended for a session of this score."""
    if score < STEP_UP_FROM:
        return "allow"
    if score < RESET_FROM:
        return "step_up"
    if score < LOGOUT_FROM:
        return "reset_session"
    return "logout" if score < FREEZE_FROM else "freeze"
