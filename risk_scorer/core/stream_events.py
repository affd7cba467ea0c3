"""From a record of a stream to the login that is scored. Pure: what a record holds was decoded before."""

from hashlib import blake2b

import msgspec

from risk_scorer.contract.stream import StreamedActivity, StreamedLogin

REFUSED_STATUS = frozenset({401, 403})
"""Answers that say that the person was not let through (RFC 9110, sections 15.5.2 and 15.5.4)."""
ID_BYTES = 15


def login_of(activity: StreamedActivity) -> StreamedLogin:
    """The activity as far as it can be scored: as a refresh, which is a question in the middle of a session."""
    who, what = activity.identity, activity.event
    return StreamedLogin(
        user_id=who.user_id,
        ip=who.ip,
        device_id=who.device_id,
        user_agent=who.user_agent,
        country=who.geo,
        timestamp=who.timestamp if what.timestamp is None else what.timestamp,
        success=what.status_code not in REFUSED_STATUS,
        event_id=activity.event_id,
        kind="refresh",
    )


def identified(event: StreamedLogin, coordinates: str) -> StreamedLogin:
    """The event with an id and a kind. Without an id of its own it is known by where it stands in the stream."""
    return msgspec.structs.replace(
        event,
        event_id=event.event_id or derived_id(coordinates),
        kind=event.kind if event.event_type == "login" else "refresh",
        event_type="login",
    )


def derived_id(coordinates: str) -> str:
    """The id of what stands at that place: the same each time it is delivered."""
    return f"stream_{blake2b(coordinates.encode(), digest_size=ID_BYTES).hexdigest()}"
