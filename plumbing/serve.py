"""Starting a service on a port, the same way for all of them."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Sequence
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import uvicorn
from starlette.types import ASGIApp

from plumbing.connection_guard import GuardedProtocol
from plumbing.draining import CUT_SHORT, SHUTDOWN_SECONDS, DrainingServer
from plumbing.proxied_connection import ProxiedProtocol
from plumbing.tls import Identity, answering

Networks = Sequence[IPv4Network | IPv6Network]

PORT_TAKEN: Final = 2
"""Exit status when the port belongs to somebody else."""
DID_NOT_START: Final = 3
"""Exit status when the application could not begin."""


def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    balancers: Networks | None = None,
    tls: Identity | None = None,
    callers_authority: Path | None = None,
    drain_seconds: float = 0.0,
) -> None:
    """Serve until told to stop, finishing the answers in progress.

    A taken port ends the process with exit status 2 and one clear line; `draining` says what its other ends mean. With
    `balancers`, connections come from there alone, each with the PROXY protocol's preamble. With `tls`, by TLS alone,
    and with `callers_authority` from those alone whose certificates lead there.
    """
    config = configured(app, balancers=balancers, tls=tls, callers_authority=callers_authority)
    status = serve_on(listening(host, port), config, drain_seconds=drain_seconds)
    if status:
        sys.exit(status)


def configured(
    app: ASGIApp,
    *,
    balancers: Networks | None = None,
    tls: Identity | None = None,
    callers_authority: Path | None = None,
) -> uvicorn.Config:
    """How that application is served."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=_protocol(balancers),
        ws="none",
        # The address of the client is decided by us, from proxies that are configured, never by a header alone.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ssl_context_factory=None if tls is None else partial(_tls, tls, callers_authority),
    )


def serve_on(
    listener: socket.socket, config: uvicorn.Config, *, drain_seconds: float = 0.0, is_worker: bool = False
) -> int:
    """Serve on that listener until told to stop, and close it; the exit status."""
    server = DrainingServer(config, drain_seconds=drain_seconds, heeds_one=is_worker)
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()
    if not server.started:
        return DID_NOT_START
    return CUT_SHORT if server.is_cut_short else 0


def _protocol(balancers: Networks | None) -> type[asyncio.Protocol]:
    if balancers is None:
        return GuardedProtocol
    # uvicorn asks for a class and calls whatever it gets.
    return cast(type[asyncio.Protocol], partial(ProxiedProtocol, trusted=balancers))


def _tls(identity: Identity, callers_authority: Path | None, *_: object) -> ssl.SSLContext:
    return answering(identity, callers_authority=callers_authority)


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to that address, which listens once it is served on; ends the process where that cannot be."""
    family, _, _, _, address = _resolved(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        _give_up(f"cannot listen on {host} port {port}: {error.strerror}. Choose another port, or stop what uses it.")
    return listener


def _resolved(host: str, port: int) -> Any:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        _give_up(f"cannot listen on {host}: {error.strerror}.")


def _give_up(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    sys.exit(PORT_TAKEN)
