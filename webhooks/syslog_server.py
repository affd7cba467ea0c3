"""The syslog server that an operator names, read from its address, and where it may be. Connecting is in `syslog`."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from webhooks.targets import Resolver, Target, TargetRefused, is_inside, parse_target, pinned_addresses

Network = IPv4Network | IPv6Network
Transport = Literal["tls", "tcp", "udp"]
_TRANSPORTS: Final[dict[str, Transport]] = {"syslog+tls": "tls", "syslog+tcp": "tcp", "syslog+udp": "udp"}
_PORTS: Final[dict[Transport, int]] = {"tls": 6514, "tcp": 601, "udp": 514}
"""Source: RFC 5425, section 4.1; RFC 3195, section 9.2 (what servers of RFC 6587 are found at); RFC 5426, section
3.3."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SyslogServer:
    """Where messages are handed over. A collector mostly stands inside: `networks` says in which of our own networks
    one may be, and only there it is spoken to without TLS. `tls` replaces the usual trust, for a private authority."""

    transport: Transport
    target: Target
    networks: tuple[Network, ...] = ()
    tls: ssl.SSLContext | None = None

    async def addresses(self, resolver: Resolver) -> Sequence[str]:
        """The addresses to connect to, and only to.

        Raises: TargetRefused with code `unresolved`; `inside` when one is inside and not in `networks`; `not_tls` when
            what we say would cross another network in the clear.
        """
        found = await pinned_addresses(self.target, allow_private=True, resolver=resolver)
        for address in found:
            self.check(address)
        return found

    def check(self, address: str) -> None:
        """Let an address pass that may be connected to.

        Raises: TargetRefused with code `inside` or `not_tls`.
        """
        if any(ip_address(address) in network for network in self.networks):
            return
        if is_inside(address):
            raise TargetRefused("inside")
        if self.transport != "tls":
            raise TargetRefused("not_tls")


def syslog_server(url: str, *, networks: Sequence[Network] = (), tls: ssl.SSLContext | None = None) -> SyslogServer:
    """The server of `syslog+tls://host:port`, `syslog+tcp://…` or `syslog+udp://…`; the port may be left out.

    Raises:
        TargetRefused: with code `bad_url`, `not_tls` or `inside`, as far as this is known without asking for the name.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise TargetRefused("bad_url") from None
    transport = _TRANSPORTS.get(parts.scheme)
    if transport is None or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise TargetRefused("bad_url")
    # The host's form and what it may be are the webhooks' own rules; theirs is the scheme that is named here.
    checked = parse_target(f"https://{parts.netloc}/", allow_private=bool(networks))
    if transport != "tls" and not networks:
        raise TargetRefused("not_tls")
    port = parts.port or _PORTS[transport]
    server = SyslogServer(
        transport=transport, target=Target(transport, checked.host, port), networks=tuple(networks), tls=tls
    )
    if _is_address(checked.host):
        server.check(checked.host)
    return server


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
