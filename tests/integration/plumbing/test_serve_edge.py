"""A service as a process, called by TLS from certified callers alone and behind a balancer: what `serve` is given."""

import socket
import ssl
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.ports import free_port

SERVICE = """
import sys
from ipaddress import ip_network
from pathlib import Path
from plumbing.serve import serve
from plumbing.tls import Identity

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["client"][0].encode()})

port, certificate, key, authority = sys.argv[1:]
serve(app, host="127.0.0.1", port=int(port), balancers=(ip_network("127.0.0.1/32"),),
      tls=Identity(Path(certificate), Path(key)), callers_authority=Path(authority))
"""


def said(port: int, context: ssl.SSLContext, raw: bytes) -> bytes:
    """What is heard until the end, b"" where the connection is refused."""
    heard = b""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            connection.sendall(raw)
            while chunk := connection.recv(65_536):
                heard += chunk
    except (ssl.SSLError, ConnectionError):
        pass
    return heard


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def test_a_process_takes_certified_callers_and_told_addresses(root: Path, tmp_path: Path) -> None:
    """Each of the two is needed, and the address is the one that the balancer told."""
    authority, port = Authority(tmp_path, "ours"), free_port()
    certificate, key = authority.certify("localhost")
    certified = ssl.create_default_context(cafile=str(authority.certificate))
    certified.load_cert_chain(*authority.certify("caller"))
    nobody = ssl.create_default_context(cafile=str(authority.certificate))
    request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    told = b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n" + request
    command = [sys.executable, "-c", SERVICE, str(port), str(certificate), str(key), str(authority.certificate)]
    with subprocess.Popen(command, cwd=root) as process:
        try:
            wait_for(port)
            assert b"203.0.113.5" in said(port, certified, told)
            assert said(port, certified, request) == b""
            assert said(port, nobody, told) == b""
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize(("is_on", "given"), [("true", "(IPv4Network('10.0.0.0/8'),)"), ("false", "None")])
def test_the_gateways_command_hands_its_balancers_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_on: str, given: str
) -> None:
    """PROXY_PROTOCOL is what makes TRUSTED_PROXIES balancers."""
    from auth_gateway.cli import serve as command
    from tests.migrated import migrated

    migrated(tmp_path / "state" / "gateway.db")
    for name, value in {"PROXY_PROTOCOL": is_on, "TRUSTED_PROXIES": "10.0.0.0/8"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(tmp_path / "state"))
    seen: list[str] = []
    monkeypatch.setattr(command, "listening", lambda *_address: nullcontext())
    monkeypatch.setattr(command, "configured", lambda _app, **options: seen.append(repr(options["balancers"])))
    monkeypatch.setattr(command, "serve_on", lambda *_given, **_options: 0)
    monkeypatch.setattr(command, "configure_logging", lambda *_given, **_options: None)
    monkeypatch.setattr(command.gc, "disable", lambda: None)
    command.serve(host=None, port=None)
    assert seen == [given]
