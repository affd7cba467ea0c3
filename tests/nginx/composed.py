"""What the profile `full` of docker-compose.yml starts, as processes: its commands and its environment, read from it,
with an own port on this machine in place of each container's name and address."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from auth_gateway.settings import Settings as GatewaySettings
from risk_scorer.settings import Settings as ScorerSettings
from tests import redis_server
from tests.certificates import Authority
from tests.compose import ROOT, document, filled, made_env
from tests.house import PATIENCE_MS
from tests.integration.risk_scorer.published import PUBLIC_KEY, publish_model
from tests.ports import free_port
from tests.postgresql import Server
from tests.unpacked import GEO_CACHE

NGINX = "/usr/sbin/nginx"
PATIENCE_SECONDS = 120.0
PROGRAMS = {
    "gateway": "from auth_gateway.cli import main; main()",
    "scorer": "from risk_scorer.cli import main; main()",
}
LISTENS = {
    "gateway": ("AUTH_GATEWAY_HOST", "AUTH_GATEWAY_PORT", "AUTH_GATEWAY_STATE", "AUTH_GATEWAY_METRICS_LISTEN"),
    "scorer": ("RISK_SCORER_HOST", "RISK_SCORER_PORT", "RISK_SCORER_STATE", "RISK_SCORER_METRICS_LISTEN"),
}
OURS = {name.upper() for kind in (GatewaySettings, ScorerSettings) for name in kind.model_fields}
LEFT_OUT = {"KAFKA_BROKER", "KAFKA_TOPIC_OUTCOMES"}
"""The stories about Kafka have a real one."""


@dataclass
class House:
    """Where everything is, and the processes by the names of their services."""

    place: Path
    server: Server
    redis: redis_server.Server
    env: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def port(self, name: str) -> int:
        return self.ports.setdefault(name, free_port())

    def environment(self, name: str) -> dict[str, str]:
        """That service's, with hosts of this machine."""
        kind = name.partition("-")[0]
        given = filled(document()["services"][name]["environment"], self.env)
        given = {key: value for key, value in given.items() if value and key not in LEFT_OUT}
        for key in ("AUTH_GATEWAY_DATABASE", "RISK_SCORER_DATABASE"):
            if key in given:
                given[key] = given[key].replace("@postgresql/", "@/") + f"&host={self.server.place}"
        given["REDIS_URL"] = given["REDIS_URL"] and self.redis.url
        host, port, state, door = LISTENS[kind]
        given |= {host: "127.0.0.1", port: str(self.port(name)), door: f"127.0.0.1:{self.port(name + ' door')}"}
        # As the volumes have it: one place for both gateways, one for each scorer.
        given[state] = str(self.place / (name if kind == "scorer" else "gateways"))
        if kind == "gateway":
            given |= {"RISK_API_URL": f"http://127.0.0.1:{self.port('balancer')}", "TRUSTED_PROXIES": "127.0.0.1/32"}
            given["SCORER_DEADLINE_MS"] = PATIENCE_MS
        else:
            given |= {"MODEL_DIR": str(self.place / "models"), "MODEL_PUBLIC_KEYS": str(self.place / "signing.pub")}
            given["RISK_SCORER_GEO_CACHE"] = str(GEO_CACHE)
        return {key: value for key, value in os.environ.items() if key not in OURS} | given

    def run(self, name: str, *arguments: str, typed: str = "") -> str:
        """A command in the place of that service; what it printed."""
        command = [sys.executable, "-c", PROGRAMS[name.partition("-")[0]], *arguments]
        done = subprocess.run(
            command, env=self.environment(name), input=typed, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str) -> None:
        with (self.place / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-c", PROGRAMS[name.partition("-")[0]], "serve"]
            self.running[name] = subprocess.Popen(command, env=self.environment(name), stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """As a power cut would."""
        self.running[name].kill()
        self.running.pop(name).wait(10)

    def wait(self, name: str) -> None:
        """Until it says at its door that it is ready."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.running[name].poll() is None:
            try:
                if httpx2.get(f"http://127.0.0.1:{self.port(name + ' door')}/ready", trust_env=False).is_success:
                    return
            except httpx2.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError((self.place / f"{name}.log").read_text()[-3000:])

    def start_nginx(self, name: str) -> None:
        """nginx with that service's own configuration, in which only places and ports are others."""
        place = self.place / name
        place.mkdir()
        for text in document()["services"][name]["volumes"]:
            source, _, rest = text.partition(":/etc/nginx/")
            if source.startswith("./deploy/"):
                (place / rest.removesuffix(":ro")).write_text(self._moved((ROOT / source).read_text(), place))
        config = place / "nginx.conf"
        log = (self.place / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            [NGINX, "-c", str(config), "-p", str(place), "-g", "daemon off;"], stderr=log
        )
        log.close()

    def _moved(self, text: str, place: Path) -> str:
        for service, each in document()["services"].items():
            for network in (each.get("networks") or {}) if isinstance(each.get("networks"), dict) else {}:
                address = (each["networks"][network] or {}).get("ipv4_address")
                if address:
                    text = re.sub(rf"server {re.escape(address)}:\d+", f"server 127.0.0.1:{self.port(service)}", text)
        text = text.replace("listen 8000;", f"listen 127.0.0.1:{self.port('balancer')};")
        text = text.replace("listen 80;", f"listen 127.0.0.1:{self.port('plain')};")
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{self.port('edge')} ssl")
        for old in ("/tmp/", "/run/", "/var/log/nginx"):  # noqa: S108 # nginx's own, in a container
            text = text.replace(old, f"{place}/" if old.endswith("/") else str(place))
        return text.replace("/etc/nginx/tls/login.example.com", str(self.place / "ours-localhost"))


def _make_databases(house: House) -> None:
    """By the script that the PostgreSQL image runs."""
    programs = house.server._programs
    given = {"POSTGRES_USER": "postgres", "POSTGRES_DB": "postgres", "PGHOST": str(house.server.place)}
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    script = ROOT / "deploy" / "compose" / "databases.sh"
    subprocess.run(["sh", str(script)], env={**os.environ, **house.env, **given, **path}, check=True, timeout=60)


@contextmanager
def full_profile(place: Path, server: Server, redis: redis_server.Server) -> Iterator[House]:
    """Everything up, until the block ends."""
    house = House(place, server, redis, made_env(place / "checkout", "full"))
    authority = Authority(place, "ours")
    authority.certify("localhost")
    publish_model(place / "models")
    (place / "signing.pub").write_bytes(PUBLIC_KEY)
    _make_databases(house)
    with ExitStack() as stack:
        stack.callback(lambda: [house.kill(name) for name in list(house.running)])
        command = document()["services"]["credential"]["command"][0].replace("$$", "$")
        arguments = re.search(r"risk-scorer (.+)", command)
        assert arguments
        house.run("scorer-1", *arguments[1].split(), typed=house.env["RISK_API_CREDENTIAL"])
        for name in ("scorer-1", "scorer-2", "gateway-1", "gateway-2"):
            house.start(name)
        house.start_nginx("balancer")
        for name in ("scorer-1", "scorer-2", "gateway-1", "gateway-2"):
            house.wait(name)
        house.start_nginx("edge")
        yield house
