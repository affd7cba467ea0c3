"""The profile `full` by hand: commands and environment of docker-compose.yml, logins through nginx, and deaths."""

import ssl
import time
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests import redis_server
from tests.nginx.composed import House, full_profile
from tests.postgresql import Server

pytestmark = pytest.mark.nginx

PASSWORD = "a long and unusual password 17"


def attempt(house: House, path: str, **body: object) -> httpx2.Response:
    """One request through nginx, by TLS; a moment's patience, since a connection may have been the dead one's."""
    url = f"https://localhost:{house.ports['edge']}{path}"
    trust = ssl.create_default_context(cafile=str(house.place / "ours.pem"))
    with httpx2.Client(verify=trust, trust_env=False, timeout=20.0) as http:
        for _ in range(20):
            try:
                return http.post(url, **body)  # type: ignore[arg-type]
            except httpx2.TransportError:
                time.sleep(0.2)
    raise AssertionError((house.place / "edge.log").read_text()[-2000:])


def log_in(house: House) -> httpx2.Response:
    return attempt(house, "/login", json={"username": "alice", "password": PASSWORD})


def refreshed(house: House, name: str, token: str) -> str:
    """The next refresh token, asked for at that gateway itself."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    answer = httpx2.post(f"http://127.0.0.1:{house.port(name)}/token", data=form, trust_env=False)
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["refresh_token"]
    return found


def redis_at(house: House, name: str) -> str | None:
    """What that service says at its door of Redis: None when it is well."""
    answer = httpx2.get(f"http://127.0.0.1:{house.port(name + ' door')}/ready", trust_env=False)
    assert answer.status_code == 200, answer.text
    reason: str | None = answer.json()["parts"]["redis"]["reason"]
    return reason


def decisions(server: Server) -> set[tuple[str, str]]:
    """Level and address of every login."""
    url = server.url("riskgate_gateway")
    return {(row[0], row[1]) for row in server.execute("SELECT level, ip FROM audit WHERE kind LIKE 'login.%'", url)}


def test_the_full_profile_by_hand_outlives_a_gateway_and_a_scorer(
    postgresql_server: Server, redis: redis_server.Server, tmp_path: Path
) -> None:
    """Who is known at one gateway is known at the other, either scorer answers, and one of each is enough."""
    with full_profile(tmp_path, postgresql_server, redis) as house:
        url = house.environment("gateway-1")["AUTH_GATEWAY_DATABASE"].replace("/riskgate_gateway?", "/riskgate_scorer?")
        with pytest.raises(psycopg.OperationalError, match="permission denied"):  # a role has one database
            psycopg.connect(url)
        house.run("gateway-1", "users", "add", "alice", "--password-stdin", typed=PASSWORD + "\n")
        first = log_in(house)
        assert first.status_code == 200, first.text
        assert first.json()["allowed"], first.text
        token = first.json()["tokens"]["refresh_token"]
        for name in ("gateway-2", "gateway-1", "gateway-2"):  # each knows what the other gave out
            token = refreshed(house, name, token)
        house.kill("gateway-1")
        house.kill("scorer-1")
        for _ in range(4):
            answer = log_in(house)
            assert answer.status_code == 200, answer.text
            assert answer.json()["allowed"], answer.text
        refreshed(house, "gateway-2", token)
        assert decisions(postgresql_server) == {("low", "127.0.0.1")}  # each had a score, and came through nginx
        house.start("gateway-1")
        house.wait("gateway-1")  # with the key that both have
        assert attempt(house, "/ready").status_code == 403
        assert [redis_at(house, name) for name in ("gateway-1", "gateway-2", "scorer-2")] == [None, None, None]
        redis.kill()
        for _ in range(2):
            answer = log_in(house)
            assert (answer.status_code, answer.json()["allowed"]) == (200, True)
        assert redis_at(house, "gateway-2") == "redis_unreachable"
