"""Debian's nginx with our samples, and a gateway behind it: one process of nginx, the gateway in this one."""

import asyncio
import os
import ssl
import subprocess
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import uvicorn
from uvicorn.server import ServerState

from auth_gateway.settings import Settings
from plumbing.connection_guard import GuardedProtocol
from plumbing.proxied_connection import ProxiedProtocol
from tests.certificates import Authority
from tests.ports import free_port
from tests.stories.gateway.story import Story, running_story

NGINX = "/usr/sbin/nginx"
STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
SAMPLES = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
NAMES = ("riskgate.conf", "riskgate-gateways.conf", "riskgate-stream.conf")
PATIENCE_SECONDS = 20.0
MAIN = """daemon off;
master_process off;
pid @PLACE@/nginx.pid;
error_log @PLACE@/error.log warn;
load_module @STREAM@;
events { worker_connections 512; }
http {
    client_body_temp_path @PLACE@/body;
    proxy_temp_path @PLACE@/proxy;
    fastcgi_temp_path @PLACE@/fastcgi;
    uwsgi_temp_path @PLACE@/uwsgi;
    scgi_temp_path @PLACE@/scgi;
    include @PLACE@/riskgate.conf;
    server { listen 127.0.0.1:@ECHO@; location / { return 200 "$http_ssl_ja4"; } }
}
stream { include @PLACE@/riskgate-stream.conf; }
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Front:
    """What is up: nginx's ports, and the gateway behind them."""

    story: Story
    place: Path
    trust: ssl.SSLContext
    ports: dict[str, int]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """In the event loop of the gateway."""
        return self.story.runner.run(work)

    def ask(
        self, method: str, path: str, *, port: str = "https", client: str = "127.0.0.7", **options: Any
    ) -> httpx2.Response:
        """One request from that address."""

        async def send() -> httpx2.Response:
            transport = httpx2.AsyncHTTPTransport(verify=self.trust, local_address=client)
            scheme = "http" if port in ("http", "echo") else "https"
            async with httpx2.AsyncClient(transport=transport, timeout=10.0) as http:
                return await http.request(method, f"{scheme}://localhost:{self.ports[port]}{path}", **options)

        return self.run(send())


@contextmanager
def _gateway(state: Path, ports: dict[str, int]) -> Iterator[Story]:
    """A gateway at two ports: one for requests, one for connections that are passed on."""
    trusted = "127.0.0.1/32"
    with running_story(state, risk_api_credential="rgs_test", trusted_proxies=trusted) as story:
        config = uvicorn.Config(story.app, ws="none", lifespan="off", proxy_headers=False, log_config=None)
        given: dict[str, Any] = {"config": config, "server_state": ServerState(), "app_state": {}}
        networks = (ip_network(trusted),)

        async def listen() -> list[asyncio.Server]:
            made = asyncio.get_running_loop().create_server
            return [
                await made(lambda: GuardedProtocol(**given), "127.0.0.1", ports["gateway"]),
                await made(lambda: ProxiedProtocol(**given, trusted=networks), "127.0.0.1", ports["passed_on"]),
            ]

        servers = story.runner.run(listen())
        yield story
        for server in servers:
            server.close()
        for connection in list(given["server_state"].connections):
            connection.transport.abort()
        story.runner.run(asyncio.sleep(0.01))


def _write(place: Path, ports: dict[str, int]) -> None:
    """Our samples as they are, but for ports, places and one time that a test waits for."""
    changes = {
        "listen 80;": f"listen 127.0.0.1:{ports['http']};",
        "listen 443 ssl": f"listen 127.0.0.1:{ports['https']} ssl",
        "listen 8443 ssl": f"listen 127.0.0.1:{ports['stream']} ssl",
        "127.0.0.1:9000": f"127.0.0.1:{ports['gateway']}",
        "127.0.0.1:9001": f"127.0.0.1:{ports['passed_on']}",
        "/etc/nginx/tls/login.example.com.pem": str(place / "ours-localhost.pem"),
        "/etc/nginx/tls/login.example.com.key": str(place / "ours-localhost.key"),
        "/var/log/nginx": str(place),
        "client_header_timeout 10s": "client_header_timeout 1s",
    }
    texts = {name: (SAMPLES / name).read_text() for name in NAMES}
    for old, new in changes.items():
        assert any(old in text for text in texts.values()), f"no sample has {old}"
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    values = {"PLACE": str(place), "STREAM": str(STREAM), "ECHO": str(ports["echo"])}
    texts["nginx.conf"] = MAIN
    for name, value in values.items():
        texts["nginx.conf"] = texts["nginx.conf"].replace(f"@{name}@", value)
    for name, text in texts.items():
        (place / name).write_text(text)


def _wait(process: subprocess.Popen[bytes], port: int, place: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)
            return
        except httpx2.HTTPError:
            time.sleep(0.02)
    log = place / "error.log"
    raise AssertionError(f"nginx did not start: {log.read_text() if log.exists() else 'no log'}")


@pytest.fixture(scope="module")
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One nginx and one gateway for all tests of this folder."""
    assert STREAM.exists(), "nginx with its stream module is not installed: run scripts/test --nginx"
    version = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr.rpartition("/")[2]
    request.config.__dict__.setdefault("riskgate_engines", []).append(f"nginx {version.strip()}")
    for name in {name.upper() for name in Settings.model_fields} | {"AUTH_GATEWAY_CONFIG"}:
        assert name not in os.environ, f"unset {name} to run this"
    place = tmp_path_factory.mktemp("nginx")
    ports = {name: free_port() for name in ("http", "https", "stream", "echo", "gateway", "passed_on")}
    authority = Authority(place, "ours")
    authority.certify("localhost")
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    _write(place, ports)
    with _gateway(tmp_path_factory.mktemp("gateway") / "state", ports) as story:
        process = subprocess.Popen([NGINX, "-c", str(place / "nginx.conf"), "-p", str(place)])
        try:
            _wait(process, ports["echo"], place)
            yield Front(story, place, trust, ports)
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)
