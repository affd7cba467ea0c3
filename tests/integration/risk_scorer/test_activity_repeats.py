"""Events that are sent again: their answers are read out of the events' rows."""

import pytest

from risk_scorer.adapters.activity.answers import answer_key
from risk_scorer.adapters.activity.event_rows import APPEND
from risk_scorer.adapters.tables import activity_events
from tests.integration.risk_scorer import test_activity
from tests.integration.risk_scorer.service import Running
from tests.integration.risk_scorer.test_activity import NOW, event, known_person, rows, stolen

pytestmark = pytest.mark.anyio
service = test_activity.service


async def test_the_answers_of_a_stolen_session_are_the_same_again(service: Running) -> None:
    """Score, action, signals with their points, and all that stands in no column of its own."""
    await known_person(service)
    first = await stolen(service)
    assert {each["action"] for each in first} != {"allow"}
    assert await stolen(service) == first
    assert rows(service, "SELECT count(*) FROM activity_events WHERE answered IS NOT NULL") == [(len(first),)]


def test_keys_of_one_person_stand_together() -> None:
    """Sixteen bits are the person's, the others the event's: a batch writes few pages of the index."""
    keys = [answer_key("alice", f"e{number}") for number in range(1000)]
    assert len(set(keys)) == 1000
    assert {key >> 48 for key in keys} == {answer_key("alice", "other") >> 48} != {answer_key("bob", "other") >> 48}
    assert all(-(2**63) <= key < 2**63 for key in keys)


def test_an_events_values_stand_in_the_order_of_its_columns() -> None:
    """They are handed over without names, for both databases."""
    columns = tuple(column.name for column in activity_events.columns if column.name != "id")
    assert [APPEND.compiled(name).names for name in ("sqlite", "postgresql")] == [columns, columns]


async def test_every_column_of_an_event_has_its_own_value(service: Running) -> None:
    """What was reported is found where the views look for it."""
    done = {"method": "PUT", "latency_ms": 12.5, "bytes_in": 3, "bytes_out": 4, "trace_id": "t-1", "event_type": "view"}
    body = event(7, event_id="e7", **done)
    body["identity"] |= {"device_id": "dev-1", "ja4": "t13d1516_8daaf6152771_02713d6af862", "geo": "NL"}
    assert (await service.client.post("/assess", json=body)).status_code == 200
    kept = (
        "SELECT event_id, ts, ip, country, device_id, ja4, endpoint, method, status, latency_ms, bytes_in, bytes_out,"
        " trace_id, event_type, signals FROM activity_events"
    )
    assert rows(service, kept) == [
        ("e7", NOW - 43, "198.51.100.9", "NL", "dev-1", body["identity"]["ja4"], "/orders/{id}", "PUT", 200, 12.5, 3, 4,
         "t-1", "view", "[]")
    ]  # fmt: skip
