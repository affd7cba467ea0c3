"""A login that never was, as somebody types it in the lab: from and to the query of its page, and to the scorer's own
event. Judges nothing, and knows of nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.facts import Pressure

EVENT: Final = ("ip", "user_agent", "device_id", "country", "city", "ja4", "ja4h", "ja4s", "kind")
BEGAN: Final = {"began_ip": "ip", "began_user_agent": "user_agent", "began_device_id": "device_id", "began_ja4": "ja4"}
"""What a session began with, and what an event calls it."""
NUMBERS: Final = {"asn": int, "ip_rep": float, "tried": float, "people": float}
MOST_TRIED: Final = 100_000.0
LONGEST: Final = 2048


class BadSupposition(Exception):
    """A field that holds what no login could; the message is safe to show."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class SupposedLogin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every field as it was typed; "" is not given.

    `past` "invented" holds the login against an invented person's history instead of the user's own. `tried` and
    `people` suppose failed attempts around it, and for how many people; without either what is being tried now counts.
    """

    user: str = ""
    client: str = ""
    past: str = ""
    kind: str = ""
    time: str = ""
    ip: str = ""
    user_agent: str = ""
    device_id: str = ""
    ja4: str = ""
    ja4h: str = ""
    ja4s: str = ""
    country: str = ""
    city: str = ""
    asn: str = ""
    ip_rep: str = ""
    tried: str = ""
    people: str = ""
    began_ip: str = ""
    began_user_agent: str = ""
    began_device_id: str = ""
    began_ja4: str = ""

    @property
    def given(self) -> dict[str, str]:
        """What is typed, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def is_refresh(self) -> bool:
        """Whether it is a session that goes on, and no login."""
        return self.kind == "refresh"


KINDS: Final = ("", "login", "refresh")
"""What begins with a request: an answer to a challenge needs the challenge."""
FIELDS: Final = SupposedLogin.__struct_fields__


def supposed_of(query: Mapping[str, str], prefix: str = "") -> SupposedLogin:
    """What a query gives under names with this prefix. Raises: BadSupposition."""
    given = {name: query.get(prefix + name, "").strip() for name in FIELDS}
    for name, value in given.items():
        if len(value) > LONGEST or "\0" in value:
            raise BadSupposition(name, f"{name} must be a text of at most {LONGEST} signs")
    return SupposedLogin(**given)


def event_of(login: SupposedLogin, *, event_id: str) -> LoginEvent:
    """The login as the scorer would be asked about it. Raises: BadSupposition."""
    if login.kind not in KINDS:
        raise BadSupposition("kind", "What can be tried is a login or a refresh.")
    typed = login.given
    fields: dict[str, Any] = {name: typed[name] for name in EVENT if name in typed}
    fields |= {name: _number(name, typed[name]) for name in ("asn", "ip_rep") if name in typed}
    if "time" in typed:
        fields["timestamp"] = typed["time"]
    began = {name: typed[field] for field, name in BEGAN.items() if field in typed}
    if login.is_refresh:
        fields["session"] = began
    fields |= {"user_id": login.user, "event_id": event_id}
    try:
        return msgspec.convert(fields, LoginEvent)
    except msgspec.ValidationError as error:
        text = str(error)
        raise BadSupposition(_field(text), f"This is no login: {text.partition(' - at')[0]}.") from None


def pressure_of(login: SupposedLogin) -> Pressure | None:
    """What is supposed to be tried around it; None to take what is being tried now. Raises: BadSupposition."""
    typed = login.given
    if not {"tried", "people"} & typed.keys():
        return None
    tried, people = (_number(name, typed.get(name, "0")) for name in ("tried", "people"))
    if max(tried, people) > MOST_TRIED or min(tried, people) < 0.0:
        raise BadSupposition("tried", f"Attempts and people are numbers from 0 to {MOST_TRIED:.0f}.")
    return Pressure(network_failures=max(tried, people), network_people=people)


def _number(name: str, text: str) -> Any:
    try:
        number = NUMBERS[name](text)
        is_number = math.isfinite(number)
    except (ValueError, OverflowError):
        is_number = False
    if not is_number:
        raise BadSupposition(name, f"{name} must be a number")
    return number


def _field(text: str) -> str:
    return text.rpartition("`$.")[2].rstrip("`").partition(".")[0]
