"""What those who watch a scorer see."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from plumbing.listening import Address
from risk_scorer.watching import Watching
from tests.collector import running_collector
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio


def watching(service: Running) -> Watching:
    found: Watching = service.app.state.watching
    return found


def told(service: Running) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = parsed(service.scorer.meters.exposition().decode())
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(service: Running, name: str, **labels: str) -> float:
    return told(service).get((name, frozenset(labels.items())), 0.0)


async def test_scores_look_ups_and_the_model_are_told(tmp_path: Path) -> None:
    """Single ones and bulks count alike."""
    async with running(tmp_path) as service:
        await service.client.post("/score", json=EVENT)
        await service.client.post("/bulk_score", json=[EVENT, EVENT])
        levels = sum(value(service, "riskgate_scores_total", level=level) for level in ("low", "medium", "high"))
        assert levels == value(service, "riskgate_score_count") == 3
        assert value(service, "riskgate_history_lookup_seconds_count") == 2
        assert value(service, "riskgate_http_request_seconds_count", route="/score", status="200") == 1
        version = service.scorer.model_version()
        assert value(service, "riskgate_model_info", version=str(version)) == 1
        assert value(service, "riskgate_ip_tables_age_seconds") > 0


async def test_outcomes_are_counted_once_each(tmp_path: Path) -> None:
    """One that is sent again is no news."""
    async with running(tmp_path) as service:
        outcome = {"event_id": "evt_1", "ts": 1_760_000_000, "outcome": "success", "event": EVENT}
        for _ in range(2):
            assert (await service.client.post("/outcomes", json=outcome)).status_code == 200
        assert value(service, "riskgate_outcomes_total", outcome="success") == 1


async def test_what_cannot_be_announced_is_told_with_its_age(tmp_path: Path) -> None:
    """A receiver that is away leaves a message that waits."""
    async with running(tmp_path, webhook_url="http://127.0.0.1:1/hooks", webhook_risk_threshold=0) as service:
        await service.client.post("/score", json=EVENT)
        await watching(service).look()
        assert value(service, "riskgate_outbox_waiting", receiver="webhook") == 1
        for _ in range(200):
            if value(service, "riskgate_deliveries_total", receiver="webhook", result="retried"):
                break
            await asyncio.sleep(0.01)
        assert value(service, "riskgate_deliveries_total", receiver="webhook", result="retried") >= 1


async def test_the_door_tells_metrics_and_reasons(tmp_path: Path) -> None:
    """Without a model the scorer lives and is not ready; in public it has no metrics."""
    listen = Address("127.0.0.1", 0)
    async with running(tmp_path, with_model=False, risk_scorer_metrics_listen=listen) as service:
        door = watching(service).door
        assert door is not None
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{door.port}", trust_env=False) as client:
            assert "riskgate_scores_total" in (await client.get("/metrics")).text
            ready = await client.get("/ready")
        assert ready.status_code == 503
        parts = ready.json()["parts"]
        assert parts["model"] == {"ok": False, "needed": True, "reason": "model_missing"}
        assert parts["database"]["ok"]
        assert (await service.client.get("/metrics")).status_code == 404
        assert (await service.client.get("/live")).json() == {"status": "ok"}


async def test_a_database_that_hangs_makes_ready_late_by_a_second_at_most(tmp_path: Path) -> None:
    """It is named in the answer."""

    async def hangs(*_: Any) -> None:
        await asyncio.Event().wait()

    async with running(tmp_path) as service:
        service.scorer.database.read_in_thread = hangs  # type: ignore[assignment, method-assign]
        async with asyncio.timeout(1.5):
            ready = await service.client.get("/ready")
        assert (ready.status_code, ready.json()["database"]) == (503, "unavailable")


async def test_a_score_joins_the_trace_of_whoever_asks(tmp_path: Path) -> None:
    """The gateway's span is the parent; a header that is no traceparent begins a trace of its own."""
    trace, parent = "a" * 32, "b" * 16
    with running_collector() as collector:
        async with running(tmp_path, otel_exporter_otlp_endpoint=collector.url) as service:
            for header in (f"00-{trace}-{parent}-01", "00-distinctive"):
                await service.client.post("/score", json=EVENT, headers={"traceparent": header})
    joined, own = collector.named("request", "riskgate-scorer")
    assert (joined.trace_id, joined.parent_id) == (trace, parent)
    assert own.trace_id != trace
    assert own.parent_id == ""
    assert joined.attributes["http.route"] == "/score"
    told = b"".join(collector.raw)
    for secret in ("distinctive", service.credential, "alice", "198.51.100"):
        assert secret.encode() not in told
