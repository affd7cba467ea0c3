"""The invented log as others read it: the body of `POST /assess`, or one flat row with columns of session windows."""

import time
from functools import lru_cache
from typing import Any

from training.activity.calendar import DAY_SECONDS, weekday
from training.activity.event import Change, Event, Session

TEXTS = (
    "event_id", "timestamp", "user_id", "session_id", "device_id", "device_type", "ip", "geo", "user_agent", "ja4",
    "roles", "privileges", "service", "method", "endpoint", "event_type", "trace_id", "session_started",
    "new_roles", "new_privileges", "previous_roles", "previous_privileges",
)  # fmt: skip
WHOLE = ("asn", "status_code", "bytes_in", "bytes_out", "events_in_session", "hour_of_day", "day_of_week")
FRACTIONS = ("latency_ms", "session_duration_sec")
COLUMNS = (*TEXTS, *WHOLE, *FRACTIONS)


def assess_body(event: Event) -> dict[str, Any]:
    """What an application would send of this event to `POST /assess`."""
    at = iso(event.moment)
    body: dict[str, Any] = {
        "identity": {
            "user_id": event.user_id, "device_id": event.device_id, "ip": event.ip, "geo": event.country,
            "user_agent": event.user_agent, "session_id": event.session_id, "ja4": event.ja4, "roles": event.roles,
            "privileges": event.privileges, "timestamp": at,
        },
        "event": {
            "timestamp": at, "endpoint": event.endpoint, "method": event.method, "status_code": event.status,
            "latency_ms": event.latency_ms, "bytes_in": event.bytes_in, "bytes_out": event.bytes_out,
            "service": event.service, "trace_id": event.trace_id, "event_type": event.event_type,
        },
        "event_id": event.event_id,
    }  # fmt: skip
    if event.change is not None:
        body["privilege_change"] = {**event.change._asdict(), "timestamp": at}
    return body


def flat(event: Event) -> dict[str, Any]:
    """One row: lists as words with blanks between; duration and number are those of the session so far. UTC."""
    day, second = divmod(event.moment, DAY_SECONDS)
    change = event.change or Change((), (), (), ())
    return {
        "event_id": event.event_id, "timestamp": iso(event.moment), "user_id": event.user_id,
        "session_id": event.session_id, "device_id": event.device_id, "device_type": event.device_type,
        "ip": event.ip, "geo": event.country, "user_agent": event.user_agent, "ja4": event.ja4,
        "roles": " ".join(event.roles), "privileges": " ".join(event.privileges), "service": event.service,
        "method": event.method, "endpoint": event.endpoint, "event_type": event.event_type,
        "trace_id": event.trace_id, "session_started": iso(event.started),
        "new_roles": " ".join(change.new_roles), "new_privileges": " ".join(change.new_privileges),
        "previous_roles": " ".join(change.previous_roles),
        "previous_privileges": " ".join(change.previous_privileges),
        "asn": event.asn, "status_code": event.status, "bytes_in": event.bytes_in, "bytes_out": event.bytes_out,
        "events_in_session": event.number, "hour_of_day": int(second // 3600), "day_of_week": weekday(int(day)),
        "latency_ms": event.latency_ms, "session_duration_sec": round(event.moment - event.started, 3),
    }  # fmt: skip


def label(session: Session) -> dict[str, Any] | None:
    """What is true of a session: of an attack or a look-alike; None for an ordinary one, which no file names."""
    if not session.kind:
        return None
    return {
        "session_id": session.session_id,
        "user_id": session.user_id,
        "label": "attack" if session.is_attack else "benign",
        "kind": session.kind,
        "case": session.case,
        "started_at": iso(session.events[0].moment),
        "hostile": [event.event_id for event in session.events if event.hostile],
        "synthetic": True,
    }


def iso(moment: float) -> str:
    """A moment as ISO 8601 in UTC, with milliseconds."""
    thousandths = round(moment * 1000)
    seconds, rest = divmod(thousandths, 1000)
    day, second = divmod(seconds, DAY_SECONDS)
    return f"{_date(day)}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{rest:03}Z"


@lru_cache(1024)
def _date(epoch_day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(epoch_day * DAY_SECONDS))
