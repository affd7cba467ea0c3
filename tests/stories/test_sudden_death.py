"""Any process may be killed at any moment: what was committed is announced, and nothing is invented."""

import json
import os
import random
import statistics
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from standardwebhooks import Webhook

from demo.people import LISTED_NETWORK
from demo.processes import Child, command, run
from tests.house import RunningHouse, running_house
from tests.postgresql import Server
from webhooks.endpoint import Endpoint
from webhooks.lane import MOST_UNWRITTEN

A_SECOND = 20
THRESHOLD = 80.0
READY_SECONDS = 5.0
LOGINS = ("login.allowed", "login.challenged", "login.denied", "login.failed")
IN_FLIGHT = Endpoint.__dataclass_fields__["concurrency"].default + MOST_UNWRITTEN
"""Messages that a gateway has sent, and has not yet written down, at the most."""


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.long), "postgresql"])
def own_house(
    request: pytest.FixtureRequest, trained_models: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningHouse]:
    """Services of this test's own, since it kills them; each with a database of its own, on files or on one server."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql_server")
        for name in ("AUTH_GATEWAY_DATABASE", "RISK_SCORER_DATABASE"):
            monkeypatch.setenv(name, server.new_database())
    with running_house(trained_models.parent / "death", trained_models) as running:
        yield running


class Strangers:
    """Twenty denied logins a second, from many addresses of the listed network, whatever becomes of the gateway."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._knock)
        self.incidents = 0

    def __enter__(self) -> "Strangers":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _knock(self) -> None:
        number = 0
        while not self._stop.wait(1 / A_SECOND):
            number += 1
            body = {**LISTED_NETWORK.body(), "ip": f"203.0.113.{129 + number % 120}", "device_id": f"box-{number}"}
            try:
                answer = httpx2.post(f"{self._url}/login", json=body, timeout=5, trust_env=False)
                self.incidents += answer.status_code == 403
            except httpx2.HTTPError:
                continue


def announced(house: RunningHouse) -> set[str]:
    return {
        each["id"].removeprefix("msg_")
        for each in house.house.deliveries()
        if each["message"]["type"] == "login.denied"
    }


class Witness:
    """A healthy destination of events that never dies: keeps every message that verifies, as it came."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.forged = 0
        self._webhook: Webhook | None = None
        witness = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                witness.take(body, {name.lower(): value for name, value in self.headers.items()})
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """What came is kept; there is nothing to print."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        try:
            assert self._webhook is not None
            self._webhook.verify(body, headers)
        except Exception:
            self.forged += 1
            return
        self.heard.append((headers["webhook-id"], body))

    def join(self, house: RunningHouse) -> None:
        """Told of every login from now on, each by itself."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}/events"
        arguments = ["webhooks", "add", "witness", url, "--type", "login.*", "--no-fold"]
        printed = run([command("auth-gateway"), *arguments], environment=house.house.gateway.environment)
        self._webhook = Webhook(printed.strip())

    @property
    def ids(self) -> set[str]:
        return {name for name, _ in self.heard}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def witness(own_house: RunningHouse) -> Iterator[Witness]:
    one = Witness()
    one.join(own_house)
    yield one
    one.close()


def until_one_was_scored(house: RunningHouse) -> None:
    """On a busy machine everybody may be dead again before a first score: then nothing would be due."""
    deadline = time.monotonic() + 30
    while not any((score or 0.0) >= THRESHOLD for score in house.denials().values()):
        assert time.monotonic() < deadline, "nobody was denied for a score"
        time.sleep(0.1)


def decided(house: RunningHouse) -> dict[str, tuple[str, float | None]]:
    """Message id → user and score, of every login that the gateway has written down, as the destination gets it."""
    kinds = ", ".join(f"'{kind}'" for kind in LOGINS)
    found = house.gateway_rows(f"SELECT event_id, user_id, score FROM audit WHERE kind IN ({kinds})")  # noqa: S608
    events = {f"msg_{event_id}": (user, score) for event_id, user, score in found}
    high = {f"{name}.high_risk": known for name, known in events.items() if (known[1] or 0.0) >= THRESHOLD}
    return events | high


def restarted(house: RunningHouse, dying: list[Child], pause: float) -> float | None:
    """Kill them and start them again; what a gateway among them took until it was ready, in seconds of a processor:
    how many others want one at that moment is no matter of ours."""
    for child in dying:
        child.kill()
    time.sleep(pause)
    for child in dying:
        child.start()
    if house.house.gateway not in dying:
        return None
    house.house.gateway.wait_until_ready(f"{house.house.gateway_url}/ready")
    assert house.house.gateway.process is not None
    stat = Path(f"/proc/{house.house.gateway.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def test_kills_at_random_moments_lose_and_invent_nothing(
    own_house: RunningHouse, witness: Witness, is_long: bool
) -> None:
    """The gateway, the scorer, the receiver or all of them die under load; in the end every login was told, as it was
    decided, to a destination of events, and every denial to WEBHOOK_URL; nothing else was, and twice no more than was
    in flight."""
    chance = random.Random(7)
    house = own_house.house
    everybody = [house.gateway, house.scorer, house.receiver]
    waits: list[float] = []
    with Strangers(house.gateway_url) as strangers:
        until_one_was_scored(own_house)
        for number in range(200 if is_long else 3):
            time.sleep(chance.uniform(0.2, 1.2))
            dying = everybody if number % 4 == 2 else [chance.choice([house.gateway, house.gateway, *everybody[1:]])]
            waited = restarted(own_house, dying, chance.uniform(0.0, 0.3))
            waits += [] if waited is None else [waited]
    house.scorer.wait_until_ready(f"{house.scorer_url}/ready")
    denied, logins = own_house.denials(), decided(own_house)
    # Without a score (the scorer was dead) there is none to hold against the threshold of WEBHOOK_URL.
    due = {event_id for event_id, score in denied.items() if score is not None and score >= THRESHOLD}
    deadline = time.monotonic() + 60
    while (announced(own_house) < due or witness.ids < set(logins)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert strangers.incidents > 0
    assert due
    assert len(denied) >= strangers.incidents  # whoever was given an incident id finds it in the audit
    assert announced(own_house) == due
    assert (witness.ids, witness.forged) == (set(logins), 0)
    for name, body in witness.heard:
        data = json.loads(body)["data"]
        assert (f"msg_{data['event_id']}", data.get("user_id"), data.get("risk_score")) == (name, *logins[name])
    assert len(set(witness.heard)) == len(witness.ids)  # one that came twice came with the same bytes
    assert len(witness.heard) - len(witness.ids) <= len(waits) * IN_FLIGHT
    assert statistics.median(waits) < READY_SECONDS
