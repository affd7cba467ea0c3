"""One request of the invented log, and what is known of the session that it belongs to."""

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple


class Change(NamedTuple):
    """Roles and privileges before and after, as a service tells that they changed."""

    previous_roles: tuple[str, ...]
    new_roles: tuple[str, ...]
    previous_privileges: tuple[str, ...]
    new_privileges: tuple[str, ...]


class Event(NamedTuple):
    """A request. `moment` is epoch seconds, rounded to milliseconds; `number` counts from 1 in the session."""

    moment: float
    session_id: str
    number: int
    user_id: str
    device_id: str
    device_type: str
    ip: str
    asn: int
    country: str
    user_agent: str
    ja4: str
    roles: tuple[str, ...]
    privileges: tuple[str, ...]
    service: str
    method: str
    endpoint: str
    event_type: str
    status: int
    latency_ms: float
    bytes_in: int
    bytes_out: int
    trace_id: str
    started: float
    change: Change | None = None
    hostile: bool = False

    @property
    def event_id(self) -> str:
        return f"{self.session_id}-{self.number}"


@dataclass(slots=True)
class Session:
    """A whole session. `kind` is an attack's or a look-alike's, else ""; `case` joins what one actor did."""

    session_id: str
    user_id: str
    events: list[Event] = field(default_factory=list)
    kind: str = ""
    is_attack: bool = False
    case: str = ""


def opaque(*names: object) -> str:
    """An id that says nothing, the same for the same names."""
    return hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=8).hexdigest()
