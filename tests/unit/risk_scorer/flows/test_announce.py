"""What a high-risk login says to receivers."""

import json

import pytest

from risk_scorer.flows.announce import high_risk_message, message_id
from tests.integration.risk_scorer.observations import scored


def test_the_payload_holds_what_receivers_were_promised() -> None:
    """Score, level, explanation with distance, reputation, network and fingerprints, and the tenant."""
    loud = scored(91.25, "evt_1", ja4="t13d1516h2_8daaf6152771_02713d6af862", ja4h="ge11nn", ja4s="654321")
    payload = json.loads(high_risk_message(loud, tenant="example-tenant").body)
    assert payload["type"] == "login.high_risk"
    assert payload["timestamp"] == "2025-10-09T08:53:20.000Z"
    data = payload["data"]
    assert (data["tenant"], data["risk_score"], data["risk_level"]) == ("example-tenant", 91.25, "high")
    assert {"geo_distance_km", "ip_rep", "asn", "ja4", "ja4h", "ja4s", "ja4_freq"} <= data["explain"].keys()
    assert data["explain"]["ja4h"] == "ge11nn"
    assert (data["user_id"], data["event_id"], data["model_version"]) == ("alice", "evt_1", "test-1")


def test_the_same_event_makes_the_same_message() -> None:
    """A receiver recognises a repetition by its id, and the bytes are the same too."""
    assert high_risk_message(scored(), tenant="t") == high_risk_message(scored(), tenant="t")


def test_the_id_differs_from_the_gateways_id_for_the_same_event() -> None:
    """Decision and score of one login are two messages; equal ids would make the receiver drop one."""
    assert message_id("evt_1") == "msg_evt_1_high_risk"


@pytest.mark.parametrize("event_id", ["a\r\nX-Evil: 1", "a.b", "ü", "x" * 101, "<script>", ""])
def test_an_unusual_event_id_never_reaches_a_header(event_id: str) -> None:
    """The caller chooses event ids freely; the message id stays plain, short and different for different events."""
    made = message_id(event_id)
    assert made.replace("_", "").isalnum()
    assert made.isascii()
    assert len(made) <= 120
    assert made != message_id(event_id + "x")
