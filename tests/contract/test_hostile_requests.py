"""1,500 hostile requests against every endpoint of both services, over real sockets: no 500, nothing echoed."""

import socket
from collections.abc import Sequence

import httpx2
import pytest

from tests.contract.hostile import CANARY_PASSWORD, CANARY_TOKEN, Endpoint, hostile_requests
from tests.house import RunningHouse

TOTAL = 1_500
EVENT: dict[str, object] = {
    "timestamp": "2025-08-09T12:00:00Z", "user_id": "u1", "ip": "198.51.100.9", "user_agent": "Mozilla/5.0",
    "device_id": "dev-9", "success": True, "country": "US", "region": "CA", "city": "San Jose",
    "ja4": "t13d1516h2_8daaf6152771_02713d6af862", "ja4h": "a", "ja4s": "b",
}  # fmt: skip
LOGIN: dict[str, object] = {
    "username": "alice", "password": CANARY_PASSWORD, "ip": "198.51.100.9", "user_agent": "Mozilla/5.0",
    "device_id": "d", "country": "US", "ja4": "x",
}  # fmt: skip
FEEDBACK: dict[str, object] = {"event_id": CANARY_TOKEN, "verdict": "dismissed", "by": "soc", "reason": "r", "ts": 1.0}
OUTCOME: dict[str, object] = {"event_id": "evt_1", "event": EVENT, "outcome": "success", "ts": 1.0}
DECISION: dict[str, object] = {"event_id": "evt_1", "decision": "deny", "rule": CANARY_TOKEN, "at": 1.0}


def doors_of_the_scorer(bearer: str) -> list[Endpoint]:
    return [
        Endpoint("POST", "/score", EVENT, bearer),
        Endpoint("POST", "/score", EVENT),
        Endpoint("POST", "/bulk_score", {"events": [EVENT], "announce": False}, bearer),
        Endpoint("POST", "/outcomes", OUTCOME, bearer),
        Endpoint("POST", "/decisions", DECISION, bearer),
        Endpoint("POST", "/feedback", FEEDBACK, bearer),
        Endpoint("GET", "/recent", {}, bearer),
        Endpoint("GET", "/shadow", {}, bearer),
        Endpoint("GET", "/health", {}),
        Endpoint("GET", "/ready", {}),
        Endpoint("GET", "/dashboard", {}),
        Endpoint("GET", "/dashboard/events", {}),
        Endpoint("GET", "/events/evt_1/narrative", {}, bearer),
        Endpoint("GET", "/dashboard/narrative", {"event": CANARY_TOKEN}),
        Endpoint("GET", "/operator/sign-in", {"token": CANARY_TOKEN}),
        Endpoint("POST", "/operator/sign-in", {"token": CANARY_TOKEN}, is_form=True),
        Endpoint("GET", "/docs", {}),
        Endpoint("GET", "/openapi.json", {}),
    ]


def doors_of_the_gateway() -> list[Endpoint]:
    return [
        Endpoint("POST", "/login", LOGIN),
        Endpoint("POST", "/login", LOGIN, "Basic Y2FuYXJ5OmNhbmFyeQ=="),
        Endpoint("POST", "/login/complete", {"challenge_id": CANARY_TOKEN, "code": "123456"}),
        Endpoint("POST", "/token", {"grant_type": "refresh_token", "refresh_token": CANARY_TOKEN}),
        Endpoint("GET", "/.well-known/jwks.json", {}),
        Endpoint("GET", "/health", {}),
        Endpoint("GET", "/ready", {}),
        Endpoint("GET", "/docs", {}),
        Endpoint("GET", "/openapi.json", {}),
    ]


def exchange(port: int, request: bytes) -> bytes:
    """Everything the server answers before it closes; empty when it hangs up on a request that is no HTTP."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(request)
            while chunk := connection.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer


def trouble(port: int, endpoint: Endpoint, count: int, seed: int) -> list[str]:
    """What went wrong, one line each."""
    wrong = []
    for number, request in enumerate(hostile_requests(endpoint, count, seed)):
        answer = exchange(port, request)
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
        where = f"{endpoint.method} {endpoint.path} #{number} seed {seed}"
        if status >= 500 and status != 503:
            wrong.append(f"{where}: {status} for {request[:300]!r}")
        echoed = [canary for canary in (CANARY_PASSWORD, CANARY_TOKEN) if canary.encode() in answer]
        wrong.extend(f"{where}: echoed {canary} in {body[:300]!r}" for canary in echoed)
    return wrong


def assert_calm(port: int, endpoints: Sequence[Endpoint], seed: int) -> None:
    count = TOTAL // (len(doors_of_the_scorer("")) + len(doors_of_the_gateway())) + 1
    wrong = [
        line for number, endpoint in enumerate(endpoints) for line in trouble(port, endpoint, count, seed + number)
    ]
    assert wrong == []
    health = httpx2.get(f"http://127.0.0.1:{port}/health", trust_env=False)
    assert health.status_code == 200


def test_the_scorer_survives_strangers(house: RunningHouse) -> None:
    """Every door of the scorer answers hostile bytes with a 4xx and echoes nothing."""
    assert_calm(house.ports.scorer, doors_of_the_scorer(f"Bearer {house.credential}"), seed=1)


def test_the_gateway_survives_strangers(house: RunningHouse) -> None:
    """Every door of the gateway answers hostile bytes with a 4xx and echoes nothing."""
    assert_calm(house.ports.gateway, doors_of_the_gateway(), seed=1000)


@pytest.mark.parametrize("path", ["/score", "/bulk_score", "/outcomes", "/feedback", "/recent"])
def test_every_working_door_of_the_scorer_is_locked(house: RunningHouse, path: str) -> None:
    """Without a service credential nothing is scored, learned or shown."""
    method = "GET" if path == "/recent" else "POST"
    answer = httpx2.request(method, f"http://127.0.0.1:{house.ports.scorer}{path}", json=EVENT, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
