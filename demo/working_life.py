"""Alice's working life as her company's application tells it: four ordinary weeks, and one night that is none of hers.

Invented. The night is whatever hour it is when the demo runs: her weeks are eight to fourteen hours away from it.
"""

import random
from collections.abc import Iterator
from typing import Any

SEED = 7
DAYS = 20
COLLEAGUES = 24
DAYS_OF_COLLEAGUES = 3
"""What a right is worth that nobody else has is known once twenty people's are."""
ALICE_HOURS = (8, 9, 10, 11, 13, 14)
HOUR, DAY = 3600, 86_400
TICKETS = ("/tickets", "/tickets/17", "/tickets/17/notes", "/customers/4", "/tickets", "/docs/3")
PAUSE_SECONDS, UNEVEN_SECONDS = 420, 200
USUAL_BYTES = 2_500
EXPORTED_BYTES = 60_000_000
SUPPORT = {"roles": ["support"], "privileges": ["read"]}
ADMIN = {"roles": ["support", "admin"], "privileges": ["read", "export"]}


def weeks(now: float, alice: dict[str, str]) -> list[dict[str, Any]]:
    """What everybody did until now, in order; `alice` says what her browser looks like."""
    chance = random.Random(SEED)  # noqa: S311 - an invention, and the same each time
    found = [*_of_alice(now, alice, chance), *_of_colleagues(now, chance)]
    return sorted(found, key=lambda each: each["event"]["timestamp"])


def event(
    identity: dict[str, Any], path: str, at: float, *, sent: int = USUAL_BYTES, change: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One event, as `POST /assess` takes it."""
    told: dict[str, Any] = {
        "identity": identity,
        "event": {
            "timestamp": at,
            "endpoint": path,
            "method": "GET",
            "status_code": 200,
            "latency_ms": 80,
            "bytes_in": 300,
            "bytes_out": sent,
            "service": "desk",
        },
    }
    return told if change is None else {**told, "privilege_change": change}


def escalation() -> dict[str, Any]:
    """Somebody gives Alice rights that nobody of hers has."""
    return {
        "previous_roles": SUPPORT["roles"],
        "new_roles": ADMIN["roles"],
        "previous_privileges": SUPPORT["privileges"],
        "new_privileges": ADMIN["privileges"],
    }


def _of_alice(now: float, alice: dict[str, str], chance: random.Random) -> Iterator[dict[str, Any]]:
    for day in range(DAYS, 0, -1):
        identity = {"user_id": "alice", "session_id": f"past-{day}", **SUPPORT, **alice}
        for hour in ALICE_HOURS:
            yield from _hour(identity, now - (day + 1) * DAY + hour * HOUR, chance)


def _of_colleagues(now: float, chance: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(COLLEAGUES):
        name = f"colleague-{number}"
        known = {"user_id": name, "ip": f"198.51.100.{20 + number}", "user_agent": "Mozilla/5.0", **SUPPORT}
        for day in range(DAYS_OF_COLLEAGUES, 0, -1):
            identity = {**known, "session_id": f"{name}-{day}"}
            yield from _hour(identity, now - (day + 1) * DAY + (9 * HOUR) + 100 * number, chance)


def _hour(identity: dict[str, Any], begins: float, chance: random.Random) -> Iterator[dict[str, Any]]:
    for place, path in enumerate(TICKETS):
        at = begins + place * PAUSE_SECONDS + chance.random() * UNEVEN_SECONDS
        yield event(identity, path, at, sent=int(USUAL_BYTES * chance.lognormvariate(0, 0.3)))
