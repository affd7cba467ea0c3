"""People for floods: owners with a device of their own, strangers without, and one open-ended way to send them all."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from auth_gateway.assembly import assemble
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.settings import load_settings
from benchmarks.load import Result, request_bytes, run
from plumbing.credentials import new_credential

PASSWORD = "Correct-horse-7-battery"
USUAL_BROWSER = {
    "user_agent": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.5 Mobile/15E148 Safari/604.1"
    ),
    "country": "US",
    "region": "CA",
    "city": "San Jose",
    "ja4": "t13d2014h2_a09f3c656075_14788d8d241b",
    "ja4h": "po20cr15enus_74205f7ebe5a",
    "ja4s": "t130200_1302_a56c5b993250",
}
"""What most people of the sample come by: with a rare one a person of whom nothing is known yet is asked for a second
factor, which these people do not have."""

MOST_CONNECTIONS = 400
INSPECTOR = "inspector"
"""An application that asks about tokens."""


def add_owners(state: Path, names: list[str]) -> str:
    """Accounts in the gateway's own database, before it starts; the secret of an application that asks about tokens.

    The demo's people were imported with bcrypt, and while one such hash is there a name that nobody has takes as long
    as it, ten checks of ours: the capacity of a gateway would be one thing for owners and another for strangers.
    """
    gateway = assemble(load_settings(auth_gateway_state=state / "gateway", auth_gateway_profile="demo"))
    try:
        gateway.add_demo_users()
        for name in ("alice", "bob"):
            gateway.accounts.set_password(name, PASSWORD)
        for name in names:
            gateway.accounts.add(name, PASSWORD)
        secret, stored = new_credential(gateway.randomness, "rgc")
        asking = RegisteredClient(client_id=INSPECTOR, grant_types=("client_credentials",), scopes=("read",))
        gateway.database.write_sync(lambda tx: gateway.clients.add(tx, asking, stored, gateway.clock.now()))
        return secret
    finally:
        gateway.close()


def login_of(name: str, number: int, *, password: str = PASSWORD) -> dict[str, str]:
    """The owner's login from the own device and address."""
    return {
        **USUAL_BROWSER,
        "ip": f"198.51.100.{number % 200 + 20}",
        "device_id": f"own-{name}",
        "username": name,
        "password": password,
    }


def guess_of(name: str, number: int, addresses: int) -> dict[str, str]:
    """A wrong password from one of so many addresses, by a device that nobody knows."""
    at = number % addresses
    ip = f"100.{64 + at // 62_500}.{at // 250 % 250}.{at % 250 + 1}"
    return {**USUAL_BROWSER, "ip": ip, "device_id": f"box-{at}", "username": name, "password": f"guess-{number}"}


def as_request(body: dict[str, str]) -> bytes:
    return request_bytes("POST", "/login", json.dumps(body).encode())


@contextmanager
def client(port: int) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as opened:
        yield opened


async def stream(port: int, bodies: Callable[[int], dict[str, str]], *, rate: float, seconds: float) -> Result:
    """Logins at that rate, each the next of `bodies`, over connections that send one every second."""
    connections = max(1, min(MOST_CONNECTIONS, round(rate)))
    turn = iter(range(10_000_000))

    def following(_status: int, _body: bytes) -> bytes:
        return as_request(bodies(next(turn)))

    return await run(port, [following] * connections, seconds, connections / rate, in_turn=True)


async def by_owners(
    port: int, owners: list[str], *, rate: float, seconds: float, timeout_seconds: float = 10.0
) -> tuple[int, int]:
    """Owners who log in from their own devices, one after the other, and come back when told to, twice at most: how
    many came, and how many of them were let in."""
    limits = httpx2.Limits(max_connections=200)
    came = served = 0
    deadline = time.perf_counter() + seconds
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=timeout_seconds, limits=limits
    ) as http:

        async def come(number: int) -> bool:
            body = login_of(owners[number % len(owners)], number % len(owners))
            for _ in range(3):
                answer = await http.post("/login", json=body)
                if answer.status_code == 200:
                    return bool(answer.json().get("allowed"))
                if answer.status_code not in {429, 503}:
                    return False
                await asyncio.sleep(float(answer.headers["retry-after"]))
            return False

        tasks: list[asyncio.Task[bool]] = []
        while time.perf_counter() < deadline:
            tasks.append(asyncio.create_task(come(came)))
            came += 1
            await asyncio.sleep(1 / rate)
        results = await asyncio.gather(*tasks, return_exceptions=True)
    served = sum(result is True for result in results)
    return came, served
