"""Connections that a load balancer passes on, each with the client's address written before its first request."""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from plumbing.connection_guard import GuardedProtocol
from plumbing.proxy_preamble import BadPreamble, read_preamble
from plumbing.tally import Tally

REFUSED: Final = Tally("proxy_protocol_refused")
"""Connections to this process that were not used: `untrusted`, from where no balancer of ours is; `malformed`;
`cut_off`, ended or timed out in the midst of a preamble."""


class ProxiedProtocol(GuardedProtocol):
    """The server's HTTP protocol behind a preamble, which must come, whole, within the time for a request's head.

    Fails closed: a connection whose client is not told by one of ours has no answer at all. What follows the preamble
    is the client's own, so the balancer's address counts for nothing afterwards.
    """

    def __init__(self, *args: Any, trusted: Sequence[IPv4Network | IPv6Network], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._trusted = trusted
        self._preamble: bytearray | None = bytearray()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        if not self._is_trusted(host):
            self._preamble = None
            if not _is_loopback(host):  # a look whether the port is open
                REFUSED.add("untrusted")
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._preamble:
            REFUSED.add("cut_off")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._preamble is None:
            super().data_received(data)
            return
        self._preamble += data
        try:
            found = read_preamble(bytes(self._preamble))
        except BadPreamble:
            self._preamble = None
            REFUSED.add("malformed")
            self.transport.abort()
            return
        if found is None:
            return
        rest, self._preamble = bytes(self._preamble[found.size :]), None
        if found.client is not None:
            self.client = found.client
            self.scheme = "https" if found.is_tls else "http"
        if rest:
            super().data_received(rest)

    def _is_trusted(self, host: str) -> bool:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._trusted)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
