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
from uvicorn.supervisors import Multiprocess

from plumbing.connection_guard import GuardedProtocol
from plumbing.proxied_connection import ProxiedProtocol
from plumbing.tls import Identity, answering

Networks = Sequence[IPv4Network | IPv6Network]

PORT_TAKEN: Final = 2
"""Exit status when the port belongs to somebody else."""
SHUTDOWN_SECONDS: Final = 5
"""How long answers in progress may take to finish once we are told to stop."""


def serve(
    app: ASGIApp | str,
    *,
    host: str,
    port: int,
    workers: int = 1,
    access_log: bool = False,
    factory: bool = False,
    balancers: Networks | None = None,
    tls: Identity | None = None,
    callers_authority: Path | None = None,
) -> None:
    """Serve until told to stop, finishing the answers in progress.

    More than one worker needs `app` as an import string ("package.module:name"). A taken port ends the process with
    exit status 2 and one clear line. With `balancers`, connections come from there alone, each with the PROXY
    protocol's preamble. With `tls`, by TLS alone, and with `callers_authority` from those alone whose certificates
    lead there.
    """
    if workers > 1 and not isinstance(app, str):
        raise ValueError("several workers each import the application, so give it as an import string")
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        factory=factory,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=_protocol(balancers),
        ws="none",
        # The address of the client is decided by us, from proxies that are configured, never by a header alone.
        proxy_headers=False,
        server_header=False,
        access_log=access_log,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ssl_context_factory=None if tls is None else partial(_tls, tls, callers_authority),
    )
    _run(config, listener)


def _run(config: uvicorn.Config, listener: socket.socket) -> None:
    server = uvicorn.Server(config)
    try:
        if config.workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            server.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn raises it again once it has shut down
        pass
    finally:
        listener.close()
    if config.workers == 1 and not server.started:
        sys.exit(3)


def _protocol(balancers: Networks | None) -> type[asyncio.Protocol]:
    if balancers is None:
        return GuardedProtocol
    # uvicorn asks for a class and calls whatever it gets.
    return cast(type[asyncio.Protocol], partial(ProxiedProtocol, trusted=balancers))


def _tls(identity: Identity, callers_authority: Path | None, *_: object) -> ssl.SSLContext:
    return answering(identity, callers_authority=callers_authority)


def _listen(host: str, port: int) -> socket.socket:
    family, _, _, _, address = _resolved(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        _give_up(f"cannot listen on {host} port {port}: {error.strerror}. Choose another port, or stop what uses it.")
    listener.set_inheritable(True)
    return listener


def _resolved(host: str, port: int) -> Any:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        _give_up(f"cannot listen on {host}: {error.strerror}.")


def _give_up(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    sys.exit(PORT_TAKEN)
