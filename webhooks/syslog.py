"""Messages to a syslog server, in the frames of its transport. What a message says is its sender's matter.

Syslog knows no answer. What we call delivered over TLS and TCP is what the server's own machine has acknowledged while
the connection stood; a datagram is delivered when it has left. Sources: RFC 5425 (TLS), RFC 6587, section 3.4.1
(octet counting), RFC 5426 (UDP).
"""

import asyncio
import fcntl
import socket
import ssl
import struct
import termios
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from plumbing.clock import Clock
from webhooks.endpoint import Carrier, Merge
from webhooks.syslog_server import SyslogServer
from webhooks.targets import Resolver, TargetRefused
from webhooks.transport import Attempt

TAKEN: Final = 200
MOST_IN_A_DATAGRAM: Final = 65_507
"""Octets; source: RFC 768 and RFC 791, what is left of 65,535 behind both heads."""
ACKNOWLEDGED_LOOK_SECONDS: Final = 0.002
_ESTABLISHED: Final = 1
"""Source: linux/tcp.h, TCP_ESTABLISHED; the first octet of TCP_INFO is the connection's state."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SyslogReceiver:
    """The outbox's endpoint for one syslog server: one connection, in the order of the outbox."""

    name: str
    server: SyslogServer
    concurrency: int = 1
    linger_seconds: float = 0.0

    @property
    def merge(self) -> Merge | None:
        """Several frames travel together where there are frames."""
        return None if self.server.transport == "udp" else framed

    @asynccontextmanager
    async def opened(self, *, clock: Clock, resolver: Resolver, deadline_seconds: float) -> AsyncIterator[Carrier]:
        """What carries its messages; connected when there is the first of them."""
        carrier: StreamCarrier | DatagramCarrier
        if self.server.transport == "udp":
            carrier = DatagramCarrier(self.server, resolver, deadline_seconds)
        else:
            carrier = StreamCarrier(self.server, resolver, deadline_seconds)
        try:
            yield carrier
        finally:
            await carrier.close()


def framed(messages: Sequence[bytes]) -> bytes:
    """Each message behind the count of its octets and a space."""
    return b"".join(b"%d %s" % (len(message), message) for message in messages)


class StreamCarrier:
    """Keeps one connection and writes whole frames to it; one that broke is made anew at the next attempt."""

    def __init__(self, server: SyslogServer, resolver: Resolver, deadline_seconds: float) -> None:
        self._server = server
        self._resolver = resolver
        self._deadline_seconds = deadline_seconds
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        """One attempt at the frames in `body`. Whoever misses the acknowledgement sends them again."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._sent(body)
        except TargetRefused as refused:
            return self._failed(f"target_{refused.code}")
        except TimeoutError:
            return self._failed("timeout")
        except ssl.SSLCertVerificationError:
            return self._failed("certificate_refused")
        except ssl.SSLError:
            return self._failed("tls_failed")
        except ConnectionRefusedError:
            return self._failed("connect_failed")
        except ConnectionError:
            return self._failed("connection_lost")
        except OSError as error:
            return self._failed(type(error).__name__)
        return Attempt(status=TAKEN)

    async def close(self) -> None:
        """End the connection in good order (RFC 5425, section 4.4), or drop it when the server does not play along."""
        if self._stream is None:
            return
        (_, writer), self._stream = self._stream, None
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await writer.wait_closed()

    def _failed(self, problem: str) -> Attempt:
        """A connection on which something went wrong may have lost a part of a frame: it is used no more."""
        if self._stream is not None:
            self._stream[1].transport.abort()
            self._stream = None
        return Attempt(problem=problem)

    async def _sent(self, body: bytes) -> None:
        if self._stream is not None and not _is_up(*self._stream):  # the server went while there was nothing to say
            await self.close()
        if self._stream is None:
            self._stream = await self._connected()
        reader, writer = self._stream
        writer.write(body)
        await writer.drain()
        await _acknowledged(reader, writer)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        server = self._server
        addresses = await server.addresses(self._resolver)
        context = (server.tls or ssl.create_default_context()) if server.transport == "tls" else None
        name = server.target.host if context is not None else None
        for address in addresses[:-1]:
            with suppress(ConnectionError):
                return await asyncio.open_connection(address, server.target.port, ssl=context, server_hostname=name)
        return await asyncio.open_connection(addresses[-1], server.target.port, ssl=context, server_hostname=name)


async def _acknowledged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Back when the other machine has everything and the connection still stands.

    Raises: ConnectionError when it does not stand any more. A server that closed reads nothing that comes after.
    """
    connection: socket.socket = writer.get_extra_info("socket")
    while True:
        # First what is on the way, then whether the connection stands: a reset throws away what was on the way.
        on_the_way = writer.transport.get_write_buffer_size() or _unacknowledged(connection)
        if not _is_up(reader, writer):
            raise ConnectionResetError
        if not on_the_way:
            return
        await asyncio.sleep(ACKNOWLEDGED_LOOK_SECONDS)


def _unacknowledged(connection: socket.socket) -> int:
    """Octets that the other side has not acknowledged (Linux: SIOCOUTQ, which has the number of TIOCOUTQ)."""
    answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    (octets,) = struct.unpack("i", answer)
    return int(octets)


def _is_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether neither side has ended the connection, as far as this machine knows."""
    if reader.at_eof() or writer.transport.is_closing():
        return False
    connection: socket.socket = writer.get_extra_info("socket")
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED


class DatagramCarrier:
    """Sends each message as one datagram. Nobody says whether it came; that nobody listens is sometimes told."""

    def __init__(self, server: SyslogServer, resolver: Resolver, deadline_seconds: float) -> None:
        self._server = server
        self._resolver = resolver
        self._deadline_seconds = deadline_seconds

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        """One attempt. What no datagram can hold is final."""
        if len(body) > MOST_IN_A_DATAGRAM:
            return Attempt(problem="too_long", is_final=True)
        try:
            async with asyncio.timeout(self._deadline_seconds):
                addresses = await self._server.addresses(self._resolver)
            _send(addresses[0], self._server.target.port, body)
        except TargetRefused as refused:
            return Attempt(problem=f"target_{refused.code}")
        except TimeoutError:
            return Attempt(problem="timeout")
        except ConnectionRefusedError:
            return Attempt(problem="connect_failed")
        except OSError as error:
            return Attempt(problem=type(error).__name__)
        return Attempt(status=TAKEN)

    async def close(self) -> None:
        """Nothing is kept between datagrams."""


def _send(address: str, port: int, body: bytes) -> None:
    """Hand the datagram to the network; a machine that at once says that nobody listens raises
    ConnectionRefusedError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        out.setblocking(False)
        out.connect((address, port))
        out.send(body)
        refusal = out.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if refusal:
            raise ConnectionRefusedError(refusal)
