"""Which sign-ins somebody wants to see: from the query string of a page, and back to it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import asdict

from risk_scorer.core.console.chips import code_of
from risk_scorer.core.observation import BadEvent, canonical_address

LONGEST: Final = 256
"""Signs of a value: as long as an id of the contract may be."""
LEVELS: Final = ("low", "medium", "high")
DECISIONS: Final = ("allow", "challenge", "deny")
OUTCOMES: Final = ("success", "mfa_passed", "mfa_failed", "failure")
VERDICTS: Final = ("confirmed_compromised", "confirmed_safe", "dismissed")
KINDS: Final = ("login", "step_up", "refresh")
KEPT_BITS: Final = {4: 24, 6: 48}
"""The networks that rows are found by."""
UNIT_SECONDS: Final = {"m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
LATEST: Final = 4_102_444_800.0
"""The year 2100: beyond it a clock or a unit is wrong."""


class BadFilter(Exception):
    """A value that cannot be asked for; `field` names where, and the message is safe to show."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class SignInFilter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the rows have in common; "" and None ask for nothing.

    `ip` is an address, or a /24 or /48; `least` and `most` bound the score, both included; `since` is included and
    `until` is not (epoch seconds); `text` is what the person's id begins with.
    """

    user: str = ""
    ip: str = ""
    asn: int | None = None
    country: str = ""
    device: str = ""
    ja4: str = ""
    level: str = ""
    decision: str = ""
    outcome: str = ""
    verdict: str = ""
    kind: str = ""
    rule: str = ""
    client: str = ""
    reason: str = ""
    least: float | None = None
    most: float | None = None
    since: float | None = None
    until: float | None = None
    text: str = ""

    @property
    def asked(self) -> dict[str, str | float | int]:
        """What is asked for, by name."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}

    @property
    def query(self) -> str:
        """As a query string, without what is not asked for."""
        return urlencode(self.asked)


def filter_of(query: Mapping[str, str], *, now: float) -> SignInFilter:
    """What a query string asks for; names that are no filter's are somebody else's.

    A time is ISO 8601 (UTC without a zone), epoch seconds, or how long ago, as 30m, 24h, 7d or 4w. Raises: BadFilter.
    """
    given = {name: query[name].strip() for name in SignInFilter.__struct_fields__ if query.get(name, "").strip()}
    for name, value in given.items():
        if len(value) > LONGEST or not value.isprintable():
            raise BadFilter(name, f"{name} must be a text of at most {LONGEST} signs")
    found: dict[str, Any] = {name: _READ[name](name, value) for name, value in given.items() if name in _READ}
    texts: dict[str, Any] = {name: value for name, value in given.items() if name not in _READ}
    times: dict[str, Any] = {name: _moment(name, given[name], now) for name in ("since", "until") if name in given}
    wanted = SignInFilter(**{**texts, **found, **times})
    _refuse_empty_span("least", wanted.least, wanted.most)
    _refuse_empty_span("since", wanted.since, wanted.until)
    return wanted


def _refuse_empty_span(name: str, low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise BadFilter(name, f"{name} lies after the other end")


def _one_of(allowed: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value not in allowed:
            raise BadFilter(name, f"{name} must be one of {', '.join(allowed)}")
        return value

    return read


def _address(name: str, value: str) -> str:
    try:
        if "/" not in value:
            return canonical_address(value)
        network = ipaddress.ip_network(value, strict=False)
    except (BadEvent, ValueError):
        raise BadFilter(name, f"{name} must be an address, or a /24 (IPv4) or /48 (IPv6)") from None
    if network.prefixlen != KEPT_BITS[network.version]:
        raise BadFilter(name, f"{name}: networks are kept as /24 (IPv4) or /48 (IPv6)")
    return str(network)


def _asn(name: str, value: str) -> int:
    digits = re.fullmatch(r"(?:AS)?([0-9]{1,10})", value, re.ASCII | re.IGNORECASE)
    if digits is None or int(digits[1]) >= 2**32:
        raise BadFilter(name, f"{name} must be the number of an autonomous system")
    return int(digits[1])


def _country(name: str, value: str) -> str:
    if re.fullmatch(r"[A-Za-z]{2}", value) is None:
        raise BadFilter(name, f"{name} must be two letters (ISO 3166)")
    return value.upper()


def _code(name: str, value: str) -> str:
    code = code_of(value)
    if re.fullmatch(r"[a-z0-9_]{1,64}", code) is None:
        raise BadFilter(name, f"{name} must be a code or its words, such as new_device or new device")
    return code


def _score(name: str, value: str) -> float:
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,9})?", value) is None or float(value) > 100.0:
        raise BadFilter(name, f"{name} must be a score from 0 to 100")
    return float(value)


def _moment(name: str, value: str, now: float) -> float:
    ago = re.fullmatch(r"([0-9]{1,6})([mhdw])", value)
    if ago is not None:
        return max(0.0, now - int(ago[1]) * UNIT_SECONDS[ago[2]])
    try:
        if re.fullmatch(r"[0-9]{5,12}(?:\.[0-9]{1,9})?", value):
            found = float(value)
        else:
            read = datetime.fromisoformat(value)
            found = read.replace(tzinfo=read.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        found = -1.0
    if not 0.0 <= found <= LATEST:
        raise BadFilter(name, f"{name} must be a moment of ISO 8601, epoch seconds, or how long ago, such as 24h")
    return found


def _untimed(_name: str, _value: str) -> None:
    """Times are read with the clock."""


_READ: Final[dict[str, Callable[[str, str], Any]]] = {
    "ip": _address,
    "asn": _asn,
    "country": _country,
    "level": _one_of(LEVELS),
    "decision": _one_of(DECISIONS),
    "outcome": _one_of(OUTCOMES),
    "verdict": _one_of(VERDICTS),
    "kind": _one_of(KINDS),
    "reason": _code,
    "least": _score,
    "most": _score,
    "since": _untimed,
    "until": _untimed,
}
