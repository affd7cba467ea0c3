"""Both services and a receiver, started as the demo starts them, for tests that need the real thing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from demo.house import House, Ports, Workplace
from tests.scorer_commands import new_credential, new_operator_link
from tests.unpacked import GEO_CACHE

PATIENCE_MS = "5000"
"""For a score: on a busy machine it takes longer than the gateway waits by itself, and policy answers without one."""


@dataclass
class RunningHouse:
    """A house that is up: `credential` opens /score, `totp_secret` is Alice's."""

    house: House
    credential: str
    totp_secret: str

    @property
    def ports(self) -> Ports:
        return self.house.ports

    def gateway(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.house.gateway_url, trust_env=False, timeout=20.0)

    def denials(self) -> dict[str, float | None]:
        """Event id → score of every denial that the gateway's own database knows."""
        return dict(self.gateway_rows("SELECT event_id, score FROM audit WHERE kind = 'login.denied'"))

    def gateway_rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the gateway's own database says, whichever kind it is."""
        server = self.house.gateway.environment.get("AUTH_GATEWAY_DATABASE")
        if server is not None:
            with psycopg.connect(server) as connection:
                return connection.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return] # ours
        file = self.house.workplace.state / "gateway" / "gateway.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def operator_link(self) -> str:
        """Opens the scorer's dashboard once."""
        return new_operator_link(self.house.scorer_environment())

    def forgive(self) -> None:
        """Nothing is held against anybody any more: what one test did to a person does not reach the next."""
        file = self.house.workplace.state / "gateway" / "gateway.db"
        with closing(sqlite3.connect(file, timeout=10)) as connection, connection:
            connection.execute("DELETE FROM user_risk")

    def scorer(self) -> httpx2.Client:
        bearer = {"authorization": f"Bearer {self.credential}"}
        return httpx2.Client(base_url=self.house.scorer_url, headers=bearer, trust_env=False, timeout=20.0)


def share_tables(state: Path) -> None:
    """Where the demo unpacks tables of addresses they already are."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    GEO_CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / "geo").symlink_to(GEO_CACHE)


@contextmanager
def running_house(state: Path, models: Path) -> Iterator[RunningHouse]:
    """Up until the block ends; `models` must hold a trained model, its key beside `state` as the demo keeps it."""
    workplace = Workplace(state, models)
    workplace.clean()
    share_tables(state)
    house = House(workplace, Ports.choose(0, 0, 0))
    try:
        house.scorer.start()
        house.receiver.start()
        credential = house.make_credential("gateway", "score,outcomes,feedback,erase,read")
        house.gateway.environment = house.gateway_environment(credential) | {"SCORER_DEADLINE_MS": PATIENCE_MS}
        house.gateway.start()
        credential = new_credential(house.scorer_environment(), "tests", "score,read,outcomes,feedback")
        house.scorer.wait_until_ready(f"{house.scorer_url}/ready")
        house.gateway.wait_until_ready(f"{house.gateway_url}/ready")
        yield RunningHouse(house, credential, house.enrol_alice())
    finally:
        house.stop()
