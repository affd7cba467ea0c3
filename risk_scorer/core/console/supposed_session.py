"""A session that never was, as somebody types it in the lab: who it began with, who else has its token, and what is
asked in it, a request a line. Judges nothing, and knows of nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from risk_scorer.contract.activity import ActivityEvent, AssessRequest, IdentityContext
from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.core.console.supposed_login import LONGEST, BadSupposition

SUPPOSED_SESSION: Final = "ses_supposed"
MOST_ASKS: Final = 40
LONGEST_ASKS: Final = 4096
"""Forty lines of a hundred signs; all of it stands in the page's address."""
LONGEST_SECONDS: Final = 7 * 86_400.0
Kind = TypeVar("Kind")
Who = Literal["owner", "other"]
LINE: Final = "SECONDS owner|other METHOD ENDPOINT [STATUS [BYTES [SERVICE]]]"
FEWEST_WORDS, MOST_WORDS = 4, 7


class SupposedSession(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every field as it was typed; "" is not given.

    `past` "invented" holds the session against an invented person's habits instead of the user's own. `time` is when it
    begins; where that is not given, its last request is made now.
    """

    user: str = ""
    past: str = ""
    time: str = ""
    ip: str = ""
    user_agent: str = ""
    device_id: str = ""
    ja4: str = ""
    other_ip: str = ""
    other_user_agent: str = ""
    other_device_id: str = ""
    other_ja4: str = ""
    asks: str = ""

    @property
    def given(self) -> dict[str, str]:
        """What is typed, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    def client_of(self, who: Who) -> dict[str, str]:
        """Where from and with what they come, as an identity names it."""
        prefix = "" if who == "owner" else "other_"
        return {name: getattr(self, prefix + name) for name in ("ip", "user_agent", "device_id", "ja4")}


FIELDS: Final = SupposedSession.__struct_fields__


class Ask(Struct, frozen=True, kw_only=True):
    """One request: so many seconds after the session began, by whom, and what. `status` 0 and a service "" are not
    given."""

    seconds: float
    who: Who
    method: str
    endpoint: str
    status: int = 0
    bytes_out: int = 0
    service: str = ""

    def __str__(self) -> str:
        said = f"{self.seconds:g} {self.who} {self.method} {self.endpoint}"
        if self.status or self.bytes_out or self.service:
            said += f" {self.status} {self.bytes_out}"
        return f"{said} {self.service}".rstrip()


def supposed_session_of(query: Mapping[str, str]) -> SupposedSession:
    """What a query gives. Raises: BadSupposition."""
    given = {name: query.get(name, "").strip() for name in FIELDS}
    for name, value in given.items():
        most = LONGEST_ASKS if name == "asks" else LONGEST
        if len(value) > most or "\0" in value:
            raise BadSupposition(name, f"{name} must be a text of at most {most} signs")
    return SupposedSession(**given)


def asks_of(text: str) -> tuple[Ask, ...]:
    """The requests, in their order. Raises: BadSupposition, with the line that is none."""
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise BadSupposition("asks", f"What is asked? A request a line: {LINE}.")
    if len(lines) > MOST_ASKS:
        raise BadSupposition("asks", f"At most {MOST_ASKS} requests.")
    asks = tuple(_ask(number, words) for number, words in lines)
    for (number, _), before, ask in zip(lines[1:], asks, asks[1:], strict=False):
        if ask.seconds < before.seconds:
            raise BadSupposition("asks", f"Line {number} is before the one above it.")
    return asks


def _ask(number: int, words: list[str]) -> Ask:
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS:
        raise BadSupposition("asks", f"Line {number} is not {LINE}.")
    if words[1] not in get_args(Who):
        raise BadSupposition("asks", f"Line {number}: it is the owner or the other who asks.")
    seconds, status, sent, *rest = (*_numbers(number, words), *words[6:])
    return Ask(
        seconds=float(seconds),
        who=words[1],  # type: ignore[arg-type] # one of them
        method=words[2],
        endpoint=words[3],
        status=int(status),
        bytes_out=int(sent),
        service=str(rest[0]) if rest else "",
    )


def _numbers(number: int, words: list[str]) -> tuple[float, int, int]:
    try:
        seconds, status, sent = float(words[0]), int([*words, "0"][4]), int([*words, "0", "0"][5])
    except ValueError:
        raise BadSupposition("asks", f"Line {number}: seconds, status and bytes are numbers.") from None
    if not (math.isfinite(seconds) and 0.0 <= seconds <= LONGEST_SECONDS):
        raise BadSupposition("asks", f"Line {number}: seconds are from 0 to {LONGEST_SECONDS:.0f}.")
    return seconds, status, sent


def request_of(session: SupposedSession, ask: Ask, *, began: float, session_id: str, event_id: str) -> AssessRequest:
    """The request as an application would report it. Raises: BadSupposition."""
    event: dict[str, Any] = {
        "timestamp": began + ask.seconds,
        "method": ask.method,
        "endpoint": ask.endpoint,
        "status_code": ask.status or None,
        "bytes_out": ask.bytes_out,
        "service": ask.service,
    }
    client = session.client_of(ask.who)
    identity = {"user_id": session.user, "session_id": session_id, **client, "ja4": client["ja4"] or None}
    return AssessRequest(
        identity=_converted(identity, IdentityContext, ask),
        event=_converted(event, ActivityEvent, ask),
        event_id=event_id,
    )


def notice_of(session: SupposedSession, *, began: float, session_id: str, **told: Any) -> SessionNotice:
    """The gateway's word that it began, by its owner. `told` are its owner's roles and privileges. Raises:
    BadSupposition."""
    owner = session.client_of("owner")
    said = {"session_id": session_id, "user_id": session.user, "state": "started", "at": began, **owner, **told}
    return _converted({**said, "ja4": owner["ja4"] or None}, SessionNotice, None)


def _converted(fields: dict[str, Any], kind: type[Kind], ask: Ask | None) -> Kind:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        what, _, field = str(error).partition(" - at `$.")
        about = "This is no session" if ask is None else f"“{ask}” is no request"
        raise BadSupposition(field.rstrip("`"), f"{about}: {field.rstrip('`')}: {what}.") from None
