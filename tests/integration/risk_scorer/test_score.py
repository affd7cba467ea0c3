"""POST /score and /bulk_score over real ASGI: what is answered, recorded, announced and refused."""

import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from risk_scorer.adapters.tables import outbox as outbox_rows
from tests.integration.risk_scorer.published import LOUD
from tests.integration.risk_scorer.service import EVENT, Running, running
from webhooks.outbox import Outbox

pytestmark = pytest.mark.anyio
NOWHERE = "http://127.0.0.1:1/hooks"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """A scorer that announces to a receiver that is never there."""
    async with running(tmp_path, webhook_url=NOWHERE) as found:
        yield found


def waiting(service: Running) -> int:
    return service.scorer.database.read(Outbox(outbox_rows).depth)


async def test_a_score_has_every_promised_field(service: Running) -> None:
    """The fields that callers rely on, with their types."""
    answer = await service.client.post("/score", json={**EVENT, "timestamp": "2025-08-09T12:00:00Z"})
    assert answer.status_code == 200
    score = answer.json()
    assert (score["risk_score"], score["risk_level"], score["model_label"]) == (10.0, "low", 1)
    assert score["model_version"] == service.models.current().version  # type: ignore[union-attr]
    promised = {"hour", "day_of_week", "success", "ip_rep", "asn", "asn_name", "geo_distance_km"}
    counts = {f"{name}_freq" for name in ("user", "ip", "device", "ua", "ja4", "ja4h", "ja4s")}
    assert promised | counts <= score["explain"].keys()
    assert (score["explain"]["hour"], score["explain"]["day_of_week"], score["explain"]["user_freq"]) == (12, 5, 7)
    assert math.isclose(sum(reason["points"] for reason in score["reasons"]), score["risk_score"])
    assert score["event_id"].startswith("evt_")
    assert score["ts_scored"] > 1_700_000_000


@pytest.mark.parametrize(("ip_rep", "level", "label"), [(0, "low", 1), (86, "medium", -1), (100, "high", -1)])
async def test_level_and_label_follow_the_score(service: Running, ip_rep: float, level: str, label: int) -> None:
    """The caller's own reputation for the address overrides the look-up and moves the decision."""
    score = (await service.client.post("/score", json={**EVENT, "ip_rep": ip_rep})).json()
    assert (score["risk_level"], score["model_label"]) == (level, label)


async def test_bulk_answers_in_kind_and_like_single(service: Running) -> None:
    """A list in, a list out; an object in, an object out; the same numbers as one by one."""
    events = [{**EVENT, "event_id": f"e{rep}", "ip_rep": rep, "timestamp": 1754740800} for rep in range(0, 101, 5)]
    as_list = (await service.client.post("/bulk_score", json=events)).json()
    as_object = (await service.client.post("/bulk_score", json={"events": events})).json()["results"]
    single = [(await service.client.post("/score", json=event)).json() for event in events]
    for one, listed, boxed in zip(single, as_list, as_object, strict=True):
        for answer in (one, listed, boxed):
            del answer["ts_scored"]
        assert one == listed == boxed


async def test_an_empty_bulk_is_an_empty_answer(service: Running) -> None:
    """Nothing in, nothing out, in both forms."""
    assert (await service.client.post("/bulk_score", json=[])).json() == []
    assert (await service.client.post("/bulk_score", json={"events": []})).json() == {"results": []}


@pytest.mark.parametrize(("count", "status"), [(10_000, 200), (10_001, 413)])
async def test_bulk_is_capped(service: Running, count: int, status: int) -> None:
    """Ten thousand events at once, and not one more."""
    answer = await service.client.post("/bulk_score", content=json.dumps([EVENT] * count))
    assert answer.status_code == status
    if status == 200:
        assert len(answer.json()) == count
    else:
        assert answer.json()["error"] == "too_many_events"


async def test_a_live_high_risk_login_is_in_the_outbox_before_the_answer(service: Running) -> None:
    """At or above the threshold the message is durable when the caller hears of it; below it there is none."""
    await service.client.post("/score", json={**EVENT, "ip_rep": 90})
    assert waiting(service) == 0
    answer = await service.client.post("/score", json={**EVENT, **LOUD})
    assert answer.json()["risk_level"] == "high"
    assert waiting(service) == 1


async def test_bulk_announces_only_on_request(service: Running) -> None:
    """Re-scoring the past wakes nobody up unless it is asked to."""
    loud = [{**EVENT, **LOUD, "event_id": f"e{number}"} for number in range(3)]
    await service.client.post("/bulk_score", json=loud)
    await service.client.post("/bulk_score", json={"events": loud})
    assert waiting(service) == 0
    await service.client.post("/bulk_score", json={"events": [*loud, EVENT], "announce": True})
    assert waiting(service) == 3


async def test_one_bad_event_refuses_the_whole_bulk_and_names_it(service: Running) -> None:
    """Half-scored batches do not exist: nothing is recorded, and the path says which event was wrong."""
    events: list[dict[str, Any]] = [EVENT] * 700 + [{**EVENT, "ip": "198.01.100.9"}]
    for body, path in ((events, "$[700].ip"), ({"events": events}, "$.events[700].ip")):
        answer = await service.client.post("/bulk_score", json=body)
        assert (answer.status_code, answer.json()["error"]) == (422, "invalid_ip")
        assert answer.json()["field"] == path
    assert (await service.client.get("/recent")).json()["count"] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ip": "198.01.100.9"}, "invalid_ip"),
        ({"ip": "::1%lo"}, "invalid_ip"),
        ({"timestamp": "soon"}, "invalid_timestamp"),
        ({"timestamp": 1754740800000}, "invalid_timestamp"),
        ({"user_id": "a\x00"}, "invalid_text"),
        ({"user_id": ""}, "invalid_request"),
        ({"user_id": None}, "invalid_request"),
        ({"user_id": "u" * 257}, "invalid_request"),
        ({"ip_rep": 100.5}, "invalid_request"),
        ({"ip_rep": "5"}, "invalid_request"),
        ({"asn": -1}, "invalid_request"),
        ({"asn": 2**32}, "invalid_request"),
        ({"asn": True}, "invalid_request"),
        ({"success": "yes"}, "invalid_request"),
        ({"user_agent": "x" * 2049}, "invalid_request"),
    ],
)
async def test_invalid_fields_are_a_422_that_repeats_nothing(
    service: Running, change: dict[str, Any], code: str
) -> None:
    """Every refusal names the field by its path and never the value."""
    answer = await service.client.post("/score", json={**EVENT, **change})
    assert (answer.status_code, answer.json()["error"]) == (422, code)
    [(name, value)] = change.items()
    assert name in answer.json()["field"] or code == "invalid_text"
    assert len(str(value)) < 5 or str(value) not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"user_id":"\xff","ip":"::1"}', 400),
        (b'{"user_id":"u","ip":"::1","ip_rep":NaN}', 400),
        (b"[" * 60_000, 422),
        (b'{"x":' * 9_000 + b"1" + b"}" * 9_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"user_id":"u","ip":"::1","device_id":"\\ud800"}', 400),
        (b" " * 70_000, 413),
    ],
)
async def test_hostile_bodies_are_refused_calmly(service: Running, body: bytes, status: int) -> None:
    """Malformed, deep, mis-encoded and huge bodies never reach the scoring."""
    answer = await service.client.post("/score", content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_unknown_fields_are_ignored(service: Running) -> None:
    """A newer caller may say more than this version understands."""
    answer = await service.client.post("/score", json={**EVENT, "session_colour": "blue", "is_admin": True})
    assert answer.status_code == 200


async def test_only_json_is_taken(service: Running) -> None:
    """A form or a text is a 415; a missing content type counts as JSON."""
    content = json.dumps(EVENT)
    plain = await service.client.post("/score", content=content, headers={"content-type": "text/plain"})
    assert plain.status_code == 415
    assert (await service.client.post("/score", content=content)).status_code == 200


async def test_recent_lists_the_newest_first(service: Running) -> None:
    """Each entry holds the event and the answer."""
    for number in range(3):
        await service.client.post("/score", json={**EVENT, "event_id": f"e{number}"})
    found = (await service.client.get("/recent", params={"limit": 2})).json()
    assert [entry["event_id"] for entry in found["events"]] == ["e2", "e1"]
    assert found["count"] == 2
    assert {"user_id", "ip", "device_id", "risk_score", "risk_level", "explain"} <= found["events"][0].keys()


@pytest.mark.parametrize("limit", ["0", "-1", "501", "abc", "1.0", "", "1e2", "99999999999999999999", "٣"])
async def test_recents_limit_has_bounds(service: Running, limit: str) -> None:
    """From one to RECENT_MAX, as a whole number."""
    answer = await service.client.get("/recent", params={"limit": limit})
    assert (answer.status_code, answer.json()["field"]) == (422, "query.limit")


async def test_recents_bounds_are_inside(service: Running) -> None:
    """Both ends of the range are taken."""
    for limit in (1, 500):
        assert (await service.client.get("/recent", params={"limit": limit})).status_code == 200
