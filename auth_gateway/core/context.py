"""What is known of one login attempt. Nothing here judges."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

import msgspec

from risk_scorer.contract.events import EventKind, LoginEvent, SessionContext

PUBLIC_CLIENT_ID = "public"
# Longer than any address with a zone; what a stranger writes must not fill the memory of addresses read lately.
LONGEST_ADDRESS = 128
LONGEST_USER_AGENT = 2048  # what the scorer takes; a longer header is cut, never refused


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """An application that logs people in; what it is trusted with is said by the operator, never by the request."""

    client_id: str
    may_vouch: bool = False
    may_see_scores: bool = False


class LoginContext(msgspec.Struct, frozen=True, kw_only=True):
    """The circumstances of one attempt. Empty text means "not known", which is a value of its own and never safe.

    `ip` comes from the socket or a configured proxy; everything a client could invent about itself is here only
    when `is_vouched` (an authenticated first-party client, or the demo profile) or set by the trusted edge.
    `timestamp` is epoch seconds of our clock, or the vouched time of the event. `trusted_digest` is the digest of the
    cookie by which a browser of ours says that it is trusted; whose, and whether still, is looked up.
    """

    ip: str
    timestamp: float
    client_id: str = PUBLIC_CLIENT_ID
    user_agent: str = ""
    device_id: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    ja4: str | None = None
    ja4h: str | None = None
    ja4s: str | None = None
    asn: int | None = None
    ip_rep: float | None = None
    is_vouched: bool = False
    is_known_device: bool = False
    trusted_digest: bytes | None = None


def login_event(
    context: LoginContext,
    *,
    event_id: str,
    user_id: str,
    success: bool,
    kind: EventKind = "login",
    session: SessionContext | None = None,
) -> LoginEvent:
    """The attempt in the scorer's own words; `session` is what a later request is held against."""
    return LoginEvent(
        event_id=event_id,
        user_id=user_id,
        ip=context.ip,
        timestamp=context.timestamp,
        user_agent=context.user_agent[:LONGEST_USER_AGENT],
        device_id=context.device_id,
        success=success,
        country=context.country,
        region=context.region,
        city=context.city,
        ja4=context.ja4,
        ja4h=context.ja4h,
        ja4s=context.ja4s,
        asn=context.asn,
        ip_rep=context.ip_rep,
        kind=kind,
        session=session,
    )


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in its one canonical form: no zone, and an IPv4 address inside IPv6 is that IPv4 address."""
    return _parsed(text) if len(text) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        return parsed.ipv4_mapped or parsed
    return parsed
