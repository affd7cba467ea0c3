"""One login attempt with everything known about it, checked: what features, histories and reasons are made from.

Reading the wire and looking facts up happen elsewhere; judging happens elsewhere.
"""

import ipaddress
import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from risk_scorer.contract.events import EventKind, LoginEvent, SessionContext
from risk_scorer.core.facts import AgentFacts, FingerprintFacts, IpFacts, SessionFacts

LocalTime = Callable[[str, float | None, float | None, float], tuple[str, int]]
"""From country, latitude, longitude and epoch seconds to the name of the time zone and its seconds ahead of UTC."""

EARLIEST, LATEST = 0.0, 4_102_444_800.0  # 1970 to 2100: outside it a clock or a unit is wrong


class BadEvent(Exception):
    """An event that cannot be scored. `field` names where; the value itself is never carried."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field, message


class Observation(Struct, frozen=True, gc=False):
    """A checked login attempt. "" and 0 mean unknown; what the event says outranks what was looked up.

    `zone` is the time zone of the place (IANA name) and `utc_offset_s` what it is ahead of UTC at the moment; `session`
    is what the session began with, for a refresh.
    """

    event_id: str
    ts: float
    user_id: str
    ip: str
    prefix: str
    asn: int
    asn_key: str
    country: str
    region: str
    city: str
    device_id: str
    user_agent: str
    browser: str
    browser_version: str
    os: str
    device_type: str
    ja4: str
    ja4h: str
    ja4s: str
    success: bool
    ip_rep: float
    network: IpFacts
    agent: AgentFacts
    fingerprint: FingerprintFacts
    zone: str = ""
    kind: EventKind = "login"
    session: SessionFacts | None = None
    utc_offset_s: int = 0


def canonical_address(text: str, field: str = "$.ip") -> str:
    """The one way to write this address. Raises BadEvent for what is not one (leading zeros, zones, names)."""
    address = _canonical(text)
    if address is None:
        raise BadEvent("invalid_address", field, "ip is not an IPv4 or IPv6 address")
    return address


@lru_cache(maxsize=65_536)
def _canonical(text: str) -> str | None:
    if "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


@lru_cache(maxsize=65_536)
def prefix_of(address: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) of a canonical address."""
    if ":" not in address:
        return address[: address.rindex(".")] + ".0/24"
    return str(ipaddress.IPv6Network((address, 48), strict=False))


def moment(timestamp: str | float | int | None, *, now: float, field: str = "$.timestamp") -> float:
    """Epoch seconds of a timestamp; a text without an offset is UTC. Raises BadEvent."""
    if timestamp is None:
        return now
    seconds = _parsed(timestamp) if isinstance(timestamp, str) else _number(timestamp)
    if not EARLIEST <= seconds <= LATEST:
        raise BadEvent("invalid_timestamp", field, "timestamp is neither ISO 8601 nor epoch seconds")
    return seconds


def _number(value: float | int) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond any float
        return math.nan


def _parsed(text: str) -> float:
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return float(text)
    except ValueError:
        return math.nan


def unknown_time(_country: str, _latitude: float | None, _longitude: float | None, _moment: float) -> tuple[str, int]:
    """Where nothing is known of time zones."""
    return "", 0


def session_facts(began: SessionContext, network: IpFacts, agent: AgentFacts) -> SessionFacts:
    """What a session began with; `network` and `agent` are what is known of its address and user agent.

    Raises BadEvent.
    """
    ja4, device = began.ja4 or "", began.device_id
    _check_texts(f"{began.user_agent}{device}{ja4}", "$.session")
    return SessionFacts(
        prefix=network.prefix or (prefix_of(canonical_address(began.ip, "$.session.ip")) if began.ip else ""),
        asn_key=str(network.asn) if network.asn else "",
        country=network.country,
        browser=agent.browser,
        os=agent.os,
        device_type=agent.device_type,
        device_id=device,
        ja4=ja4,
    )


def observe(
    event: LoginEvent,
    *,
    address: str,
    now: float,
    event_id: str,
    network: IpFacts,
    agent: AgentFacts,
    fingerprint: FingerprintFacts,
    local_time: LocalTime = unknown_time,
    session: SessionFacts | None = None,
) -> Observation:
    """The event with its facts; `address` is `canonical_address(event.ip)`. Raises BadEvent."""
    ja4, ja4h, ja4s = event.ja4 or "", event.ja4h or "", event.ja4s or ""
    device, user, user_agent = event.device_id, event.user_id, event.user_agent
    country, region, city = event.country, event.region, event.city
    asn, observed_id = network.asn if event.asn is None else event.asn, event.event_id or event_id
    _check_texts(f"{user}{user_agent}{device}{country}{region}{city}{ja4}{ja4h}{ja4s}{observed_id}", "$")
    ts, country = moment(event.timestamp, now=now), country or network.country
    zone, offset = local_time(country, network.latitude, network.longitude, ts)
    version = f"{agent.browser} {agent.browser_version}" if agent.browser_version else agent.browser
    # By position: so many names would cost as much as all the checks above.
    return Observation(
        observed_id, ts, user, address, network.prefix or prefix_of(address), asn, str(asn) if asn else "",
        country, region, city or network.city, device, user_agent, agent.browser, version, agent.os, agent.device_type,
        ja4, ja4h, ja4s, event.success, network.reputation if event.ip_rep is None else event.ip_rep,
        network, agent, fingerprint, zone, event.kind, session, offset,
    )  # fmt: skip


def _check_texts(joined: str, field: str) -> None:
    if "\0" in joined:
        raise BadEvent("invalid_text", field, "texts must not contain NUL")
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError as error:
            raise BadEvent("invalid_text", field, "texts must be Unicode without lone surrogates") from error
