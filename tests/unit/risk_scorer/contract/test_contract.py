"""What goes in and what comes out: names and bounds that others rely on."""

import json
from typing import Any

import msgspec
import pytest

from risk_scorer.contract.assessment import Explain, RiskScore, risk_level
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import Outcome

EVENT = msgspec.json.Decoder(LoginEvent)
REFERENCE_EVENT = {
    "timestamp": "2025-08-09T12:00:00Z",
    "user_id": "u1",
    "ip": "198.51.100.9",
    "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X)",
    "device_id": "dev-1",
    "success": True,
    "country": "US",
    "region": "CA",
    "city": "San Jose",
    "ja4": "t13d301000_1234_5678",
    "ja4h": "ge11nn100000_9999",
    "ja4s": "654321",
    "asn": 64500,
    "ip_rep": 5.0,
}


def test_the_reference_event_is_accepted_field_by_field() -> None:
    """No name of the published schema is lost."""
    event = EVENT.decode(json.dumps(REFERENCE_EVENT))
    assert {name: getattr(event, name) for name in REFERENCE_EVENT} == REFERENCE_EVENT


def test_a_user_and_an_address_are_enough() -> None:
    """Everything else is unknown by default; unknown fields are ignored."""
    event = EVENT.decode(b'{"user_id": "u1", "ip": "198.51.100.9", "shoe_size": 44}')
    assert (event.timestamp, event.device_id, event.asn, event.success) == (None, "", None, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", ""),
        ("user_id", "x" * 257),
        ("ip", ""),
        ("ip", "x" * 65),
        ("user_agent", "x" * 2049),
        ("device_id", "x" * 257),
        ("ja4", "x" * 257),
        ("country", "x" * 129),
        ("asn", -1),
        ("asn", 2**32),
        ("ip_rep", -0.1),
        ("ip_rep", 100.1),
        ("success", 1),
        ("timestamp", True),
        ("event_id", "x" * 129),
    ],
)
def test_what_is_past_a_bound_is_refused(field: str, value: Any) -> None:
    """Sizes and ranges hold before anything is looked up."""
    with pytest.raises(msgspec.ValidationError):
        EVENT.decode(json.dumps({**REFERENCE_EVENT, field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "x" * 256),
        ("ip", "x" * 64),
        ("user_agent", "x" * 2048),
        ("asn", 0),
        ("asn", 2**32 - 1),
        ("ip_rep", 0),
        ("ip_rep", 100),
        ("ja4", None),
        ("timestamp", 1754740800),
        ("timestamp", 1754740800.25),
    ],
)
def test_what_is_on_a_bound_is_accepted(field: str, value: Any) -> None:
    """The bound itself is allowed."""
    assert getattr(EVENT.decode(json.dumps({**REFERENCE_EVENT, field: value})), field) == value


@pytest.mark.parametrize(
    ("score", "level"), [(0, "low"), (59.99, "low"), (60, "medium"), (79.99, "medium"), (80, "high"), (100, "high")]
)
def test_levels_begin_at_their_marks(score: float, level: str) -> None:
    """low < 60 <= medium < 80 <= high."""
    assert risk_level(score) == level


def test_the_answer_has_the_names_that_the_reference_promises() -> None:
    """Clients written for the reference find what they look for."""
    assert {"risk_score", "risk_level", "model_label", "explain", "ts_scored"} <= set(RiskScore.__struct_fields__)
    promised = {"hour", "day_of_week", "success", "ip_rep", "asn", "asn_name", "geo_distance_km"}
    frequencies = {f"{name}_freq" for name in ("user", "ip", "device", "ua", "ja4", "ja4h", "ja4s")}
    assert promised | frequencies <= set(Explain.__struct_fields__)


@pytest.mark.parametrize("outcome", ["succeeded", "", "SUCCESS"])
def test_an_outcome_is_one_of_four_words(outcome: str) -> None:
    """A word that means nothing teaches nothing."""
    body = {"event_id": "e", "event": REFERENCE_EVENT, "outcome": outcome, "ts": 1.0}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(body), type=Outcome)
