"""What sign-ins have in common: an address or its network, an ASN, a device, a TLS fingerprint, a country. Each has a
page, and this is its address."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from msgspec import Struct

from risk_scorer.contract.ja4 import parse
from risk_scorer.core.console.addresses import path_part
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import LONGEST, BadFilter, SignInFilter, filter_of

Kind = Literal["address", "asn", "device", "fingerprint", "country"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
HOME: Final = "/dashboard/entities"
FILTERS: Final[dict[Kind, str]] = {
    "address": "ip",
    "asn": "asn",
    "device": "device",
    "fingerprint": "ja4",
    "country": "country",
}
"""The name of each kind in a filter of sign-ins."""
HEADINGS: Final[dict[Kind, str]] = {
    "address": "Address",
    "asn": "ASN",
    "device": "Device",
    "fingerprint": "TLS fingerprint",
    "country": "Country",
}
DOTS: Final = frozenset({".", ".."})
"""Parts of a path that browsers take away, however they are quoted."""


class Entity(Struct, frozen=True, kw_only=True):
    """One of them; `value` is the one way to write it, and `wanted` asks for its sign-ins."""

    kind: Kind
    value: str
    wanted: SignInFilter

    @property
    def is_network(self) -> bool:
        return self.kind == "address" and "/" in self.value

    @property
    def path(self) -> str:
        """The address of its page."""
        return path_of(self.kind, self.value)


def entity_of(kind: str, value: str) -> Entity:
    """The one of that kind. Raises: BadFilter for a kind or a value that is none."""
    for known in KINDS:
        if kind == known:
            wanted = filter_of({FILTERS[known]: value}, now=0.0)
            found = wanted.asked.get(FILTERS[known])
            if found is None:
                raise BadFilter(known, f"{HEADINGS[known]}: a value is needed")
            return Entity(kind=known, value=str(found), wanted=wanted)
    raise BadFilter("kind", f"kind must be one of {', '.join(KINDS)}")


def guessed(text: str) -> Entity:
    """What somebody means who typed only a value; what looks like nothing else is a device. Raises: BadFilter."""
    value = text.strip()
    if re.fullmatch(r"(?:AS)?[0-9]{1,10}", value, re.ASCII | re.IGNORECASE):
        return entity_of("asn", value)
    if re.fullmatch(r"[A-Za-z]{2}", value):
        return entity_of("country", value)
    if parse(value) is not None:
        return entity_of("fingerprint", value)
    if re.fullmatch(r"[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?", value) and any(sign in value for sign in ".:"):
        return entity_of("address", value)
    return entity_of("device", value)


def path_of(kind: Kind, value: str) -> str:
    """The address of the page of that value, quoted as one part of a path."""
    if value in DOTS:
        return f"{HOME}/{kind}/?value={value}"
    return f"{HOME}/{kind}/{path_part(value)}"


def can_be_asked(value: str) -> bool:
    """Whether there can be a page of it: what holds signs that nobody sees, or too many, is no filter's value."""
    return bool(value) and value == value.strip() and value.isprintable() and len(value) <= LONGEST


def value_in(row: SignIn, kind: Kind) -> str:
    """What the sign-in has of that kind; "" for the unknown."""
    if kind == "asn":
        return str(row.asn) if row.asn else ""
    fields: dict[Kind, str] = {
        "address": row.ip,
        "device": row.device_id,
        "fingerprint": row.ja4,
        "country": row.country,
    }
    return fields[kind]
