"""Live logins are counted as they are scored; a look at them raises an alarm once, and clears it once."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plumbing import connections
from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from risk_scorer.core.drift_report import DriftReport
from risk_scorer.core.manifest import Span
from risk_scorer.core.reference import FORMAT, Reference, Spread, width
from risk_scorer.drifting import DriftGauges, drift_rows, drift_watch, keep_the_rest
from tests.integration.risk_scorer.conftest import NOW
from tests.integration.risk_scorer.published import LOUD, publish_model
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio

HOURS = 24.0
REFERENCE = Reference(
    format=FORMAT,
    span=Span(first=0.0, last=1.0),
    logins=2000,
    prompted=0,
    denied=0,
    unknown={"ip": 1000},
    spreads={
        "ip_rep": Spread(edges=(25.0,), counts=(2000, 0, 0)),
        "user_freq": Spread(edges=(1.0,), counts=(1000, 1000, 0)),
        "score": Spread(edges=(1.0, 7.0), counts=(2000, 0, 0, 0)),
    },
)
"""Alice and strangers in turn, from one known address and many others, none of them of bad repute."""
TOLD = {"webhook_url": "http://127.0.0.1:9/in", "webhook_risk_threshold": 100.0}


def logins(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [
        {**EVENT, "user_id": ("alice", "mallory")[n % 2], "ip": ("198.51.100.9", "198.51.100.10")[n % 2], **changes}
        for n in range(count)
    ]


async def score(service: Running, events: list[dict[str, Any]], *, announce: bool = True) -> None:
    answer = await service.client.post("/bulk_score", json={"events": events, "announce": announce})
    assert answer.status_code == 200


async def counted(service: Running) -> int:
    model = service.models.current()
    assert model is not None
    await drift_watch(service.scorer).keep()
    rows = drift_rows(service.scorer)
    assert model.reference is not None
    return int((await rows.summed(model.version, 0, width(model.reference)))[0])


async def look(service: Running) -> DriftReport:
    found = await drift_watch(service.scorer).look()
    assert found is not None
    return found


def messages(service: Running) -> list[dict[str, Any]]:
    sql = "SELECT body FROM outbox WHERE event_type = 'model.drift' ORDER BY created_at"
    with service.scorer.database.engine.connect() as connection:
        return [msgspec.json.decode(row[0])["data"] for row in connection.exec_driver_sql(sql)]


async def test_live_logins_are_counted_and_questions_are_not(tmp_path: Path) -> None:
    """One by one and in bulk where it is announced; failures, refreshes and what is scored again are no people."""
    publish_model(tmp_path / "models", reference=REFERENCE)
    async with running(tmp_path, with_model=False) as service:
        await service.client.post("/score", json=EVENT)
        await score(service, logins(5))
        assert await counted(service) == 6
        await score(service, logins(5), announce=False)
        await service.client.post("/score", json={**EVENT, "success": False})
        await service.client.post("/score", json={**EVENT, "kind": "refresh"})
        await service.client.post("/score", json={**EVENT, "kind": "step_up"})
        assert await counted(service) == 6


async def test_what_was_counted_outlives_the_process(tmp_path: Path) -> None:
    """A stop keeps what the last minute counted."""
    publish_model(tmp_path / "models", reference=REFERENCE)
    async with running(tmp_path, with_model=False) as service:
        await score(service, logins(3))
        credential = service.credential
    async with running(tmp_path, with_model=False, credential=credential) as again:
        assert await counted(again) == 3


async def test_what_the_database_does_not_take_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost and nothing counted twice while it is locked; scoring goes on."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 300)
    publish_model(tmp_path / "models", reference=REFERENCE)
    async with running(tmp_path, with_model=False) as service:
        await score(service, logins(4))
        with closing(sqlite3.connect(tmp_path / "scorer" / "scorer.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Refused):
                await drift_watch(service.scorer).keep()
            await keep_the_rest(service.scorer)
            other.execute("ROLLBACK")
        await score(service, logins(1))
        assert await counted(service) == 5


async def test_an_alarm_is_raised_once_and_cleared_once(tmp_path: Path) -> None:
    """People come through a network of bad repute: one message; they go home again, a week passes: another one."""
    publish_model(tmp_path / "models", reference=REFERENCE)
    clock = FixedClock(NOW)
    async with running(tmp_path, with_model=False, clock=clock, drift_ip_data_days=3650, **TOLD) as service:
        await score(service, logins(300))
        assert (await look(service)).past == ()
        assert messages(service) == []

        await score(service, logins(300, **LOUD))
        first = await look(service)
        assert {"score", "step_up_budget", "deny_budget"} <= set(first.past)
        await look(service)
        [raised] = messages(service)
        assert (raised["state"], raised["because"], raised["logins"]) == ("raised", None, 600)
        assert raised["past"] == list(first.past)

        clock.advance(7 * 86_400.0)
        assert (await look(service)).past == first.past, "nobody logged in: no recovery"
        await score(service, logins(300))
        assert (await look(service)).past == ()
        assert [each["state"] for each in messages(service)] == ["raised", "cleared"]
        assert messages(service)[-1]["because"] == "recovered"


async def test_another_model_clears_the_alarm_of_the_one_before(tmp_path: Path) -> None:
    """It has counts of its own, and begins with none."""
    publish_model(tmp_path / "models", reference=REFERENCE)
    async with running(tmp_path, with_model=False, drift_ip_data_days=3650, **TOLD) as service:
        await score(service, logins(300, **LOUD))
        assert (await look(service)).past
        publish_model(tmp_path / "models", seed=2, reference=REFERENCE)
        assert await asyncio.to_thread(service.models.reload)
        found = await look(service)
        assert (found.past, found.logins) == ((), 0)
        assert messages(service)[-1]["because"] == "another_model"
        assert messages(service)[-1]["past_before"]


async def test_a_model_without_a_reference_is_not_watched(tmp_path: Path) -> None:
    """Its logins are scored as ever, and nothing is said of them."""
    async with running(tmp_path) as service:
        await score(service, logins(3))
        assert await drift_watch(service.scorer).look() is None
        assert (await service.client.get("/drift")).status_code == 404


async def test_verdicts_are_held_against_the_scores(tmp_path: Path) -> None:
    """Compromises that were let in are what a model is for."""
    publish_model(tmp_path / "models", reference=REFERENCE)
    async with running(tmp_path, with_model=False, drift_ip_data_days=3650) as service:
        told = [{**each, "event_id": f"e{n}"} for n, each in enumerate(logins(12))]
        await score(service, told)
        verdicts = [
            {"event_id": f"e{n}", "verdict": "confirmed_safe" if n == 11 else "confirmed_compromised", "by": "soc"}
            for n in range(12)
        ]
        assert (await service.client.post("/feedback", json=verdicts)).status_code == 200
        found = await look(service)
        assert (found.feedback.compromised, found.feedback.caught, found.feedback.safe) == (11, 0, 1)
        assert found.past == ("missed_compromises",)


async def test_what_was_found_is_told_by_address_page_and_metrics(tmp_path: Path) -> None:
    """The same numbers everywhere; before the first look there are none."""
    publish_model(tmp_path / "models", reference=REFERENCE)
    async with running(tmp_path, with_model=False) as service:
        assert (await service.client.get("/drift")).status_code == 404
        await score(service, logins(300, **LOUD))
        found = await look(service)
        told = (await service.client.get("/drift")).json()
        assert (told["past"], told["logins"], told["model_version"]) == (list(found.past), 300, found.model_version)
        gauges = DriftGauges(service.scorer)
        await gauges.look()
        lines = service.scorer.meters.exposition().decode()
        assert f'riskgate_drift_alarm{{model="{found.model_version}"}} 1.0' in lines
        assert 'riskgate_drift_past{what="score"} 1.0' in lines
        assert 'riskgate_drift_ratio{limit="share",what="step_up_budget"} 1.0' in lines


async def test_an_operator_reads_what_is_wrong_in_words(tmp_path: Path) -> None:
    """First that nobody looked, then the alarm with its reasons; nothing on the page is styled or scripted inline."""
    publish_model(tmp_path / "models", reference=REFERENCE)
    async with running(tmp_path, with_model=False, drift_ip_data_days=3650) as service:
        token = service.scorer.operators.new_link_token()
        await service.client.post("/operator/sign-in", params={"token": token})
        assert "Nobody has looked yet" in (await service.client.get("/dashboard/drift")).text
        events = [{**each, "event_id": f"e{n}"} for n, each in enumerate(logins(300, **LOUD))]
        await score(service, events)
        verdict = {"event_id": "e1", "verdict": "confirmed_compromised", "by": "soc"}
        await service.client.post("/feedback", json=verdict)
        await look(service)
        text = (await service.client.get("/dashboard/drift")).text
        assert "Alarm" in text
        assert "More people are asked for a second factor than the budget allows." in text
        assert "1 of 1 confirmed compromises had reached 60" in text
        assert "ip rep" in text
        alarm, _, _ = text.partition("Age of the address tables")
        assert alarm.count('class="high"') == 1, "what else stands beside the alarm keeps its own colour"
        assert alarm.rindex("</h2>") > alarm.index('<h2 class="high">')
        assert " style=" not in text
        assert all("src=" in each.partition(">")[0] for each in text.split("<script")[1:])
        assert 'href="/dashboard/drift"' in (await service.client.get("/dashboard")).text


async def test_only_those_who_may_read_are_told(tmp_path: Path) -> None:
    """A credential with the scope `read`, or an operator who signed in."""
    async with running(tmp_path) as service:
        service.client.headers.pop("authorization")
        assert (await service.client.get("/drift")).status_code == 401
        assert (await service.client.get("/dashboard/drift")).status_code == 401
