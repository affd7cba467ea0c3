"""What is believed of a request's circumstances, and from whom: the place where a caller cannot talk its risk down."""

import re
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

from auth_gateway.api.bodies import VOUCHED_FIELDS, Timestamp, VouchedFacts, vouches
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.forwarded import NO_HEADER, X_FORWARDED_FOR, client_address, is_trusted_peer
from plumbing.bodies import refuse_unsafe_text
from plumbing.refusals import Refused
from plumbing.tally import Tally
from risk_scorer.contract import ja4

LONGEST_USER_AGENT = 2048
LONGEST_FINGERPRINT = 256
JA4_HEADER, JA4H_HEADER, JA4S_HEADER = "x-ja4", "x-ja4h", "x-ja4s"
# From 2000 to 2100, as the scorer takes it: a time outside is a clock that was never set, or a slip in units.
EARLIEST_TIMESTAMP, LATEST_TIMESTAMP = 946_684_800.0, 4_102_444_800.0

_PRINTABLE = re.compile(r"[\x20-\x7e]*")


class Edge:
    """Builds the context of a login from its connection, its trusted proxies and, where allowed, its body."""

    def __init__(
        self,
        *,
        trusted_networks: tuple[IPv4Network | IPv6Network, ...],
        anyone_may_vouch: bool,
        forwarded_header: str = X_FORWARDED_FOR,
        ja4_header: str = JA4_HEADER,
        unbelieved: Tally | None = None,
    ) -> None:
        """`unbelieved` counts what our own proxies say and nobody can read: a proxy that is set up wrong."""
        self._trusted_networks = trusted_networks
        self._anyone_may_vouch = anyone_may_vouch
        self._forwarded_header = forwarded_header
        self._ja4_header = ja4_header
        # An edge with a header of its own sets these not, so it does not strip a stranger's either.
        self._has_companions = ja4_header == JA4_HEADER
        self._unbelieved = unbelieved or Tally("edge_unbelieved")

    def context(
        self, request: Request, body: VouchedFacts, *, client: Client, device_id: str, now: float
    ) -> LoginContext:
        """The circumstances of this login.

        Raises: Refused `context_not_allowed` (400) when the body tells a context and its sender may not vouch for it;
        `invalid_ip` or `invalid_timestamp` (422).
        """
        seen = self._seen(request, client=client, device_id=device_id, now=now)
        if not vouches(body):
            return seen
        if not (client.may_vouch or self._anyone_may_vouch):
            raise Refused(
                "context_not_allowed",
                "Only a registered client that may vouch for it can send login context.",
                status=400,
                evidence={"fields": [field for field in VOUCHED_FIELDS if getattr(body, field) is not None]},
            )
        return _vouched(seen, body)

    def address(self, request: Request) -> str:
        """The address of whoever really called, "" when the connection has none."""
        peer = request.client.host if request.client else ""
        told = request.headers.getlist(self._forwarded_header)
        seen = client_address(peer, told, self._trusted_networks, header=self._forwarded_header)
        if seen.problem:
            self._unbelieved.add(f"address_{seen.problem}")
        return seen.address

    def _seen(self, request: Request, *, client: Client, device_id: str, now: float) -> LoginContext:
        """The context as the connection shows it; fingerprints count only when our own proxy wrote them."""
        headers = request.headers
        is_proxied = self._comes_from_proxy(request)
        return LoginContext(
            ip=self.address(request),
            timestamp=now,
            client_id=client.client_id,
            user_agent=_cleaned(headers.get("user-agent", ""), LONGEST_USER_AGENT),
            device_id=device_id,
            ja4=self._ja4(headers.getlist(self._ja4_header)) if is_proxied and self._ja4_header != NO_HEADER else None,
            ja4h=_fingerprint(headers.getlist(JA4H_HEADER)) if is_proxied and self._has_companions else None,
            ja4s=_fingerprint(headers.getlist(JA4S_HEADER)) if is_proxied and self._has_companions else None,
        )

    def _ja4(self, told: list[str]) -> str | None:
        """A JA4 by its form, which it has alone: a placeholder for "none" would be one fingerprint of all clients."""
        found = _fingerprint(told)
        if found is not None and ja4.parse(found) is not None:
            return found
        if any(told):
            self._unbelieved.add("ja4_malformed")
        return None

    def _comes_from_proxy(self, request: Request) -> bool:
        return is_trusted_peer(request.client.host if request.client else "", self._trusted_networks)


def _vouched(seen: LoginContext, body: VouchedFacts) -> LoginContext:
    """What a trusted client says replaces what we see: we see the client itself, not the person behind it."""
    for field in ("user_agent", "device_id", "country", "region", "city", "ja4", "ja4h", "ja4s"):
        refuse_unsafe_text(getattr(body, field) or "", f"$.{field}")
    return LoginContext(
        ip=seen.ip if body.ip is None else _strict_address(body.ip),
        timestamp=seen.timestamp if body.timestamp is None else _epoch_seconds(body.timestamp),
        client_id=seen.client_id,
        user_agent=seen.user_agent if body.user_agent is None else body.user_agent,
        device_id=seen.device_id if body.device_id is None else body.device_id,
        country=body.country or "",
        region=body.region or "",
        city=body.city or "",
        ja4=seen.ja4 if body.ja4 is None else body.ja4,
        ja4h=seen.ja4h if body.ja4h is None else body.ja4h,
        ja4s=seen.ja4s if body.ja4s is None else body.ja4s,
        asn=body.asn,
        ip_rep=body.ip_rep,
        is_vouched=True,
    )


def _strict_address(text: str) -> str:
    """The address in its one canonical form.

    `198.01.100.9` is two addresses, decimal and octal, depending on who reads it; guessing would let a caller show one
    to us and another to the next reader.
    """
    try:
        parsed = ip_address(text)
    except ValueError:
        parsed = None
    if parsed is None or (isinstance(parsed, IPv6Address) and parsed.scope_id is not None):
        raise Refused("invalid_ip", "This is not an IP address.", status=422, evidence={"field": "$.ip"})
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


def _epoch_seconds(value: Timestamp) -> float:
    """ISO 8601 (UTC unless it says otherwise) or epoch seconds, as seconds since the epoch."""
    try:
        seconds = _parsed_iso(value) if isinstance(value, str) else float(value)
    except (ValueError, OverflowError):
        seconds = -1.0
    if not EARLIEST_TIMESTAMP <= seconds < LATEST_TIMESTAMP:
        raise Refused(
            "invalid_timestamp",
            "This is neither an ISO 8601 time nor epoch seconds.",
            status=422,
            evidence={"field": "$.timestamp"},
        )
    return seconds


def _parsed_iso(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _fingerprint(sent: list[str]) -> str | None:
    """A header of our own proxy; one that is over-long or not plain text is no fingerprint.

    Nor is one of several: a proxy that appends would leave the stranger's own word first.
    """
    text = sent[0] if len(sent) == 1 else ""
    if not text or len(text) > LONGEST_FINGERPRINT or not _PRINTABLE.fullmatch(text):
        return None
    return text


def _cleaned(text: str, longest: int) -> str:
    """A header as text that can be stored and shown; control characters have no place in any honest one."""
    cut = text[:longest]
    return cut if cut.isprintable() else "".join(character for character in cut if character.isprintable())
