"""How much of a person leaves: an event as a destination has asked for it, whatever form it is written in."""

import hashlib
import hmac
from ipaddress import IPv4Address, ip_address, ip_network

import msgspec

from auth_gateway.core.destination import AddressForm, Privacy, UserForm
from auth_gateway.core.event import Event
from auth_gateway.core.facts import Facts
from auth_gateway.core.user_risk import without_words

_WITH_WORDS = ("risk.", "account.frozen", "account.unfrozen", "session.reset")
"""Events to which somebody may have said something."""
PREFIX_V4, PREFIX_V6 = 24, 48
"""Bits of an address that are told as its prefix: those of a network, not of a household."""


def veiled(event: Event, privacy: Privacy, key: bytes) -> Event:
    """The event without what the destination did not ask for. `key` is the destination's own and known to nobody else:
    two of them cannot join what they got, and none can try all addresses against it."""
    return msgspec.structs.replace(
        event,
        **_address(event.ip, privacy.ip, key),
        **_user(event, privacy.user, key),
        detail=_detail(event, privacy),
        facts=_facts(event.facts, privacy, key),
    )


def keyed_hash(value: str, key: bytes) -> str:
    """A name for the value that only the holder of the key can make: hex HMAC-SHA256."""
    return hmac.digest(key, value.encode(), hashlib.sha256).hex()


def _address(ip: str | None, form: AddressForm, key: bytes) -> dict[str, str | None]:
    if not ip or form == "full":
        return {}
    if form == "keyed_hash":
        return {"ip": None, "ip_hash": keyed_hash(f"ip:{ip}", key)}
    return {"ip": None, "ip_prefix": network_of(ip) if form == "prefix" else None}


def network_of(ip: str) -> str | None:
    """The network that is told in place of an address; nothing of what is no address."""
    try:
        address = ip_address(ip)
    except ValueError:
        return None
    bits = PREFIX_V4 if isinstance(address, IPv4Address) else PREFIX_V6
    return str(ip_network(f"{address}/{bits}", strict=False))


def _user(event: Event, form: UserForm, key: bytes) -> dict[str, str | None]:
    if form == "name":
        return {}
    if form == "id" or event.user_id is None:
        return {"username": ""}
    return {"username": "", "user_id": None, "user_hash": keyed_hash(f"user:{event.user_id}", key)}


def _detail(event: Event, privacy: Privacy) -> str | None:
    """An analyst writes what they like, names and addresses too: told to whoever may know both."""
    if event.detail is None or not event.type.startswith(_WITH_WORDS) or (privacy.user, privacy.ip) == ("name", "full"):
        return event.detail
    return without_words(event.detail)


def _facts(facts: Facts, privacy: Privacy, key: bytes) -> Facts:
    """Finer than a country is told to whoever may know the network; reasons quote addresses and devices."""
    hidden: dict[str, object] = {"username": ""} if privacy.user != "name" else {}
    if not privacy.user_agent:
        hidden["user_agent"] = ""
    if privacy.user == "keyed_hash" and facts.device:
        hidden["device"] = keyed_hash(f"device:{facts.device}", key)
    if privacy.ip in {"keyed_hash", "none"}:
        hidden |= {"city": "", "region": ""}
    if privacy.ip != "full":
        hidden["reasons"] = tuple(
            msgspec.structs.replace(reason, observed="", usual="", text="") for reason in facts.reasons
        )
    return msgspec.structs.replace(facts, **hidden)
