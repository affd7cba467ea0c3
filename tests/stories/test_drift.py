"""People change; the model that knew them says so, the next one shadows, is promoted, and the alarm is over.

Invented logs, real parts: training, registry, scorer, database, outbox. Only time is made to pass.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plumbing.clock import FixedClock
from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.registry_places import FolderPlace
from risk_scorer.core.drift_report import DriftReport
from risk_scorer.drifting import drift_watch
from tests.integration.risk_scorer.service import Running, running
from tests.unit.training.logs import START, log, objects
from training.fit import train
from training.lookup_files import open_lookups
from training.publish import public_bytes, signing_key
from training.registry.desk import Desk
from training.registry.gates import GATES
from training.sources import EventTable

pytestmark = pytest.mark.anyio

DAY = 86_400.0
ROWS, PEOPLE, PIECE = 1200, 24, 4
TEXTS = ("user_id", "ip", "user_agent", "device_id", "country", "ja4", "ja4h", "ja4s")
AGENTS = {
    "Chrome": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/84.0"
    " Safari/537.36",
    "Firefox": "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:78.0) Gecko/20100101 Firefox/78.0",
    "Edge": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/84.0 Safari/537.36"
    " Edg/84.0",
    "Safari": "Mozilla/5.0 (iPhone; CPU iPhone OS 13_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/13.1 Mobile/15E148 Safari/604.1",
}
MOVED = {"NO": "JP", "US": "BR", "DE": "IN", "SE": "ZA"}


def two_months(seed: int, after_days: float) -> EventTable:
    """The same two dozen people, sixty days on their own devices, from then on."""
    table = log(ROWS, seed=seed, people=PEOPLE)
    agents = objects([AGENTS[browser.split()[0]] for browser in table.browser])
    return replace(table, timestamp=table.timestamp + after_days * DAY, user_agent=agents)


def elsewhere(table: EventTable) -> EventTable:
    """Other people do the work now: in other countries, by other operators, at other hours, on worse lines."""
    return replace(
        table,
        user_id=objects([f"new-{user}" for user in table.user_id]),
        device_id=objects([f"new-{device}" for device in table.device_id]),
        timestamp=table.timestamp + 9 * 3600.0,
        country=objects([MOVED[country] for country in table.country]),
        asn=table.asn + 5000,
        ip=objects([ip.replace("10.", "11.", 1) for ip in table.ip]),
        ip_rep=table.ip_rep + 20.0,
    )


def trained(table: EventTable, place: Path, name: str) -> Path:
    folder = place / name
    key, silent = place / "keys" / "signing.key", frozenset({"success"})
    train(table, model_dir=folder, key_path=key, seed=7, lookups=open_lookups(), without=silent)
    return folder


class House:
    """A scorer that follows a registry, and who looks after it."""

    def __init__(self, service: Running, desk: Desk, clock: FixedClock) -> None:
        self.service, self.desk, self.clock = service, desk, clock

    async def live_through(self, table: EventTable, first: int, last: int) -> None:
        """These rows of the table, as they come, and how they ended; wrong passwords are never scored."""
        for start in range(first, last, PIECE):
            places = range(start, start + PIECE)
            self.clock.advance(float(table.timestamp[places[-1]]) - self.clock.now())
            own = [self._event(table, place) for place in places if table.success[place]]
            answer = await self.service.client.post("/bulk_score", json={"events": own, "announce": True})
            assert answer.status_code == 200, answer.text
            ends = [self._end(table, place) for place in places]
            assert (await self.service.client.post("/outcomes", json=ends)).status_code == 200

    async def pass_by(self, table: EventTable, first: int, last: int) -> None:
        """These rows were scored somewhere else; the scorer hears how they ended."""
        self.clock.advance(float(table.timestamp[last - 1]) - self.clock.now())
        for start in range(first, last, 350):
            ends = [self._end(table, place) for place in range(start, min(start + 350, last))]
            assert (await self.service.client.post("/outcomes", json=ends)).status_code == 200

    def _end(self, table: EventTable, place: int) -> dict[str, Any]:
        event, outcome = self._event(table, place), "success" if table.success[place] else "failure"
        return {"event_id": str(event["timestamp"]), "event": event, "outcome": outcome, "ts": event["timestamp"]}

    @staticmethod
    def _event(table: EventTable, place: int) -> dict[str, Any]:
        return {
            **{name: getattr(table, name)[place] for name in TEXTS},
            "timestamp": float(table.timestamp[place]),
            "asn": int(table.asn[place]),
            "ip_rep": float(table.ip_rep[place]),
        }

    async def look(self) -> DriftReport:
        found = await drift_watch(self.service.scorer).look()
        assert found is not None
        return found

    def told(self) -> list[dict[str, Any]]:
        sql = "SELECT body FROM outbox WHERE event_type = 'model.drift' ORDER BY created_at"
        with self.service.scorer.database.engine.connect() as connection:
            return [msgspec.json.decode(row[0])["data"] for row in connection.exec_driver_sql(sql)]

    async def until(self, so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not so():  # noqa: ASYNC110 - what is looked for is on the disk
                await asyncio.sleep(0.02)


async def test_other_people_come_and_the_next_model_knows_them(tmp_path: Path) -> None:
    """No alarm; then one; a model of the new people shadows, is promoted, and clears it for good."""
    usual, moved = two_months(1, 0.0), elsewhere(two_months(2, 81.0))
    folders = trained(usual, tmp_path, "first"), trained(moved, tmp_path, "second")
    key = signing_key(tmp_path / "keys" / "signing.key")
    registry = ModelRegistry(FolderPlace(tmp_path / "registry"), [public_bytes(key)])
    desk = Desk(registry=registry, key=key, now=START + 142 * DAY, by="ann")
    first, second = (desk.register(folder)[0] for folder in folders)
    every_gate = {"max_data_age_days": 9999.0, "overridden": GATES, "reason": "a small invented log"}
    desk.promote(first, **every_gate)
    clock = FixedClock(START)
    wishes = {
        "model_registry": str(tmp_path / "registry"),
        "model_public_keys": str(tmp_path / "keys" / "signing.pub"),
        "drift_ip_data_days": 3650,
        "drift_window_days": 30,
        "webhook_url": "http://127.0.0.1:9/in",
        "webhook_risk_threshold": 100.0,
    }
    async with running(tmp_path, with_model=False, clock=clock, **wishes) as service:
        house = House(service, desk, clock)
        await house.until(lambda: service.scorer.model_version() == first)

        await house.live_through(two_months(3, 60.0), 0, 400)
        assert (await house.look()).past == ()

        await house.live_through(moved, 0, 400)
        found = await house.look()
        assert {"features", "unknown_country", "unknown_asn"} <= set(found.past)

        desk.shadow(second)
        await house.until(lambda: service.scorer.shadowing.version == second)
        await house.live_through(moved, 400, 500)
        assert (await house.look()).past, "a shadow decides nothing, and heals nothing"

        desk.promote(second, **every_gate)
        await house.until(lambda: service.scorer.model_version() == second)
        assert (await house.look()).past == ()
        await house.pass_by(moved, 500, ROWS)
        await house.live_through(elsewhere(two_months(4, 142.0)), 0, 400)
        found = await house.look()
        assert (found.past, found.logins > 250) == ((), True)
        assert [(each["state"], each["model_version"]) for each in house.told()] == [
            ("raised", first),
            ("cleared", second),
        ]
