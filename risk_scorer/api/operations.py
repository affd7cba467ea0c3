"""What each endpoint accepts and answers, as the API reference shows it."""

from __future__ import annotations

from typing import Final

from risk_scorer.api.reference import Schema, operation, ref
from risk_scorer.contract.decisions import MAX_DECISIONS
from risk_scorer.contract.events import MAX_BULK_EVENTS
from risk_scorer.contract.feedback import MAX_FEEDBACK

MAX_OUTCOMES: Final = 500
MAX_LABELS: Final = 1000

_REFUSALS: Final = ("400", "401", "403", "413", "415", "422", "503")
_INTEGER: Final[Schema] = {"type": "integer"}
_EXAMPLE: Final = {
    "timestamp": "2025-08-09T12:00:00Z",
    "user_id": "u1",
    "ip": "198.51.100.9",
    "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
    "device_id": "dev-1",
    "success": True,
    "country": "US",
    "region": "CA",
    "city": "San Jose",
}


def _list_of(name: str, most: int | None = None) -> Schema:
    return {"type": "array", "items": ref(name), **({"maxItems": most} if most else {})}


def _counts(*names: str) -> Schema:
    return {"type": "object", "properties": dict.fromkeys(names, _INTEGER)}


SCORE: Final = operation(
    scope="score",
    body=ref("LoginEvent"),
    example=_EXAMPLE,
    answers=ref("RiskScore"),
    refusals=_REFUSALS,
    description="How risky a login is, and why. Scoring never learns: report how the login ended to /outcomes.",
)
BULK_SCORE: Final = operation(
    scope="score",
    body={"anyOf": [_list_of("LoginEvent", MAX_BULK_EVENTS), ref("BulkRequest")]},
    example={"events": [_EXAMPLE], "announce": False},
    answers={"anyOf": [_list_of("RiskScore"), ref("BulkResponse")]},
    refusals=_REFUSALS,
    description="A list in, a list out; an object in, an object out. Announces nothing unless `announce` is true.",
)
OUTCOMES: Final = operation(
    scope="outcomes",
    body={"anyOf": [ref("Outcome"), _list_of("Outcome", MAX_OUTCOMES)]},
    example={"event_id": "evt_1", "event": _EXAMPLE, "outcome": "success", "ts": 1754740800.0},
    answers=_counts("learned", "known_before"),
    refusals=_REFUSALS,
    description="What histories learn from: each event id once as a success and once as a failure.",
)
FEEDBACK: Final = operation(
    scope="feedback",
    body={"anyOf": [ref("Feedback"), _list_of("Feedback", MAX_FEEDBACK)]},
    example={"event_id": "evt_1", "verdict": "confirmed_compromised", "by": "soc/jane", "reason": "ticket 4711"},
    answers=_counts("recorded", "known_before"),
    refusals=(*_REFUSALS, "404"),
    description=(
        "What was found out about logins, by the id they were scored with. A compromise is unlearned and its context"
        " counts against that person's account when it comes again; a safe login is learned and its context pardoned;"
        " `dismissed` changes nothing. A later verdict replaces the one before it. All of a list is recorded, or"
        " nothing."
    ),
)
DECISIONS: Final = operation(
    scope="outcomes",
    body={"anyOf": [ref("Decision"), _list_of("Decision", MAX_DECISIONS)]},
    example={"event_id": "evt_1", "decision": "challenge", "rule": "medium", "client_id": "shop", "at": 1754740800.0},
    answers=ref("DecisionsHeard"),
    refusals=_REFUSALS,
    description=(
        "What was decided about scored logins, for whoever looks at them; scores and histories do not depend on it. It"
        " may come before its login is in the list, and telling it twice changes nothing. What is decided when a login"
        " ends may travel with its outcome instead."
    ),
)
LABELS: Final = operation(
    scope="read",
    parameters=[
        {"name": "after", "in": "query", "schema": {"type": "string", "maxLength": 128, "default": ""}},
        {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LABELS, "default": MAX_LABELS},
        },
    ],
    answers={
        "type": "object",
        "required": ["labels", "next"],
        "properties": {
            "labels": {"type": "array", "items": {"type": "object"}},
            "next": {"type": ["string", "null"], "description": "`after` of the next page; null at the end."},
        },
    },
    refusals=("401", "403", "422", "503"),
    description=(
        "The labels of training, in the order of the logins' ids: each login's fields, what was found, whose word that"
        " is, and every word that was said of it. `risk-training export-labels` reads it."
    ),
)

ERASE: Final = operation(
    scope="erase",
    body=ref("Erasure"),
    example={"user_id": "u1"},
    answers=_counts("histories", "verdicts", "events", "lessons", "messages", "shadow_scores", "activity"),
    refusals=_REFUSALS,
    description=(
        "Deletes a person's history, verdicts and labels, scored logins, lessons, announcements, shadow scores and"
        " activity, and says how much there was. Saying it again changes nothing."
    ),
)
RULES: Final = operation(
    scope="read",
    answers=ref("RuleReport"),
    refusals=("401", "403", "503"),
    description="Every rule with its weight, its match rate in training and its matches since this process started.",
)


def recent_operation(*, default: int, most: int) -> Schema:
    """The entry of /recent for this many events."""
    limit = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    listed = {"count": _INTEGER, "events": {"type": "array", "items": {"type": "object"}}}
    return operation(
        scope="read",
        parameters=[{"name": "limit", "in": "query", "schema": limit}],
        answers={"type": "object", "properties": listed},
        refusals=("401", "403", "422", "503"),
        description="Newest first; each entry has the event's fields and the answer's.",
    )
