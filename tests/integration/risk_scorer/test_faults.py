"""What the service does when something it needs is missing, damaged or held by somebody else."""

import sqlite3
from pathlib import Path

import pytest

from tests.integration.risk_scorer.published import LOUD, publish_model
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio
NOWHERE = "http://127.0.0.1:1/hooks"


def hold(place: Path) -> sqlite3.Connection:
    """Keep the database's write lock, as a backup tool or a stuck process would."""
    holder = sqlite3.connect(place / "scorer" / "scorer.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def impatient(service: Running) -> None:
    """The writer waits five seconds for a lock; a test need not."""
    service.scorer.database.write_sync(lambda tx: tx._connection.execute("PRAGMA busy_timeout=20") and None)


async def test_without_a_model_the_service_runs_and_says_so(tmp_path: Path) -> None:
    """Live but not ready; scoring is a 503 with a time to come back, never a guess."""
    async with running(tmp_path, with_model=False) as service:
        assert (await service.client.get("/health")).json()["status"] == "ok"
        ready = await service.client.get("/ready")
        assert (ready.status_code, ready.json()["error"]) == (503, "model_missing")
        for path, body in (("/score", EVENT), ("/bulk_score", [EVENT])):
            answer = await service.client.post(path, json=body)
            assert (answer.status_code, answer.json()["error"]) == (503, "model_unavailable")
            assert int(answer.headers["retry-after"]) > 0


async def test_a_model_that_is_published_later_is_picked_up(tmp_path: Path) -> None:
    """Training while the service runs is enough: no restart."""
    async with running(tmp_path, with_model=False) as service:
        publish_model(tmp_path / "models")
        assert service.models.reload()
        assert (await service.client.post("/score", json=EVENT)).status_code == 200
        ready = await service.client.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")


async def test_a_damaged_new_model_leaves_the_service_ready(tmp_path: Path) -> None:
    """The last good model answers, and /ready says what was wrong with the new one."""
    async with running(tmp_path) as service:
        (tmp_path / "models" / "encoders.json").write_bytes(b"{}")
        assert not service.models.reload()
        ready = await service.client.get("/ready")
        assert (ready.status_code, ready.json()["model_problem"]) == (200, "hash_mismatch")
        assert (await service.client.post("/score", json=EVENT)).status_code == 200


async def test_with_a_held_database_quiet_logins_are_scored_and_loud_ones_refused(tmp_path: Path) -> None:
    """A low-risk answer needs no storage; a high-risk one is not given without its announcement."""
    async with running(tmp_path, webhook_url=NOWHERE) as service:
        impatient(service)
        holder = hold(tmp_path)
        try:
            quiet = await service.client.post("/score", json=EVENT)
            loud = await service.client.post("/score", json={**EVENT, **LOUD})
            told = await service.client.post(
                "/outcomes", json={"event_id": "e1", "event": EVENT, "outcome": "success", "ts": 1754740800.0}
            )
            ready = await service.client.get("/ready")
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        assert quiet.status_code == 200
        assert (ready.status_code, ready.json()["database"]) == (200, "not_writable")
        assert (loud.status_code, loud.json()["error"]) == (503, "storage_unavailable")
        assert told.status_code == 503
        assert "retry-after" in loud.headers


async def test_without_a_receiver_loud_logins_need_no_storage(tmp_path: Path) -> None:
    """Nobody is promised an announcement where none is configured."""
    async with running(tmp_path) as service:
        impatient(service)
        holder = hold(tmp_path)
        try:
            loud = await service.client.post("/score", json={**EVENT, **LOUD})
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        assert (loud.status_code, loud.json()["risk_level"]) == (200, "high")


async def test_a_bug_in_scoring_is_a_500_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incident id for the log and no word of what broke; the guards stand around the way past the router too."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    async with running(tmp_path) as service:
        monkeypatch.setattr(service.scorer.profiles, "get_many", broken)
        for path, body in (("/score", EVENT), ("/bulk_score", [EVENT])):
            answer = await service.client.post(path, json=body)
            assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
            assert answer.json()["incident_id"].startswith("inc_")
            assert "secret" not in answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_health_and_docs_say_what_they_should(tmp_path: Path) -> None:
    """Without a broker there is no stream; the reference documents bodies, scopes and answers without any script."""
    async with running(tmp_path) as service:
        health = (await service.client.get("/health")).json()
        assert health["kafka_enabled"] is False
        assert "kafka" not in health
        assert health["version"]
        spec = (await service.client.get("/openapi.json")).json()
        score = spec["paths"]["/score"]["post"]
        assert score["requestBody"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/LoginEvent"
        }
        assert {"user_id", "ip", "ja4", "asn"} <= spec["components"]["schemas"]["LoginEvent"]["properties"].keys()
        assert {"200", "401", "422", "503"} <= score["responses"].keys()
        page = await service.client.get("/docs")
        assert "/bulk_score" in page.text
        assert "<script" not in page.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/score", 405), ("PUT", "/recent", 405)]
)
async def test_wrong_doors_answer_in_the_same_form(tmp_path: Path, method: str, path: str, status: int) -> None:
    """Unknown paths and methods get JSON like everything else."""
    async with running(tmp_path, with_model=False) as service:
        answer = await service.client.request(method, path)
        assert answer.status_code == status
        assert answer.json()["error"]
        assert answer.headers["x-content-type-options"] == "nosniff"
