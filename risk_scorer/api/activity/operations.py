"""What each endpoint of activity accepts and answers, as the API reference shows it."""

from __future__ import annotations

from typing import Final

from risk_scorer.api.reference import Schema, operation, ref
from risk_scorer.contract.events import MAX_BULK_EVENTS
from risk_scorer.contract.prediction import MAX_ROWS
from risk_scorer.contract.sessions import MAX_NOTICES

_REFUSALS: Final = ("400", "401", "403", "404", "409", "413", "415", "422", "503")

_EXAMPLE: Final = {
    "identity": {
        "user_id": "alice",
        "device_id": "device-1",
        "ip": "203.0.113.10",
        "geo": "US",
        "user_agent": "Mozilla/5.0",
        "session_id": "sess-1",
        "roles": ["user"],
        "privileges": ["read"],
        "timestamp": "2024-01-01T00:00:00Z",
    },
    "event": {
        "timestamp": "2024-01-01T00:00:00Z",
        "endpoint": "/admin/export",
        "method": "POST",
        "status_code": 200,
        "latency_ms": 120,
        "bytes_in": 256,
        "bytes_out": 4096,
        "service": "admin",
        "trace_id": "trace-1",
        "metadata": {"source": "api-doc"},
    },
    "privilege_change": {
        "previous_roles": ["user"],
        "new_roles": ["user", "admin"],
        "previous_privileges": ["read"],
        "new_privileges": ["read", "write"],
        "timestamp": "2024-01-01T00:00:00Z",
    },
}
_ROW: Final = {
    "user_id": 123,
    "event_type": "login",
    "session_duration_sec": 18000,
    "events_in_session": 190,
    "hour_of_day": 2,
    "day_of_week": 1,
    "device_type": "desktop",
}


def _list_of(name: str, most: int | None = None) -> Schema:
    return {"type": "array", "items": ref(name), **({"maxItems": most} if most else {})}


def _in_path(name: str) -> list[Schema]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 256}}]


ASSESS: Final = operation(
    scope="activity",
    body=ref("AssessRequest"),
    example=_EXAMPLE,
    answers=ref("Assessment"),
    refusals=_REFUSALS,
    description=(
        "The risk of a session after one event, and why. Who acts is what the session says that the gateway issued,"
        " named by its id or by an access token; a credential that also has the scope `vouch` may describe people of"
        " whom the gateway told nothing. An `event_id` makes repeating it harmless."
    ),
)
ASSESS_BULK: Final = operation(
    scope="activity",
    body=_list_of("AssessRequest", MAX_BULK_EVENTS),
    example=[_EXAMPLE],
    answers={"type": "array", "items": {"anyOf": [ref("Assessment"), ref("Refusal")]}},
    refusals=_REFUSALS,
    description="A list in, a list out, in order: an answer for each event, or why that one is refused.",
)
ASSESS_ASYNC: Final = operation(
    scope="activity",
    body=ref("AssessRequest"),
    example=_EXAMPLE,
    answers=ref("TaskAccepted"),
    refusals=(*_REFUSALS, "429"),
    description="Accepted once it is on the disk; it is judged once, whatever restarts. Ask /tasks/{task_id}.",
    done="202",
)
TASK: Final = operation(
    scope="activity",
    parameters=_in_path("task_id"),
    answers=ref("TaskState"),
    refusals=("401", "403", "404", "422", "503"),
    description="`pending`, `running`, `done` with the result, or `failed` with the code of why; for a day.",
)
SESSIONS: Final = operation(
    scope="outcomes",
    body={"anyOf": [ref("SessionNotice"), _list_of("SessionNotice", MAX_NOTICES)]},
    example={"session_id": "ses_1", "user_id": "alice", "state": "started", "at": 1760000000.0, "ip": "203.0.113.10"},
    answers=ref("SessionsHeard"),
    refusals=("400", "401", "403", "413", "415", "422", "503"),
    description=(
        "What the gateway tells of its sessions: started, stepped_up, ended. Repeated notices change nothing, and they"
        " may come in any order. A step-up pardons what was found in the session so far."
    ),
)
SCORE_SESSION: Final = operation(
    scope="activity",
    body=ref("SessionQuery"),
    example={"session_id": "sess-1"},
    answers=ref("SessionScore"),
    refusals=("400", "401", "403", "404", "413", "415", "422", "503"),
    description="How a session stands now, why, and what an analyst should do.",
)
PREDICT: Final = operation(
    scope="activity",
    body={"anyOf": [ref("BehaviourRow"), _list_of("BehaviourRow", MAX_ROWS)]},
    example=_ROW,
    answers={"anyOf": [ref("Anomaly"), _list_of("Anomaly")]},
    refusals=("400", "401", "403", "413", "415", "422", "503"),
    description="How unusual a window of a session is for that person; one in, one out, a list in, a list out.",
)
PERSON: Final = operation(
    scope="read",
    parameters=_in_path("user_id"),
    answers=ref("PersonActivity"),
    refusals=("401", "403", "422", "503"),
    description="A person's running risk, newest sessions and events.",
)
