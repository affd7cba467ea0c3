"""The engine as a library: what its examples promise, and that it stays within its bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from plumbing.clock import FixedClock
from risk_scorer.core.observation import BadEvent
from risk_scorer.engine import ActivityEvent, EngineConfig, IdentityContext, PrivilegeChange, RiskEngine

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def engine(**config: Any) -> RiskEngine:
    return RiskEngine(EngineConfig(**config), clock=FixedClock(NOON.timestamp()))


def alice(**facts: Any) -> IdentityContext:
    usual = {
        "user_id": "alice", "device_id": "device-123", "ip": "198.51.100.10", "geo": "US", "user_agent": FIREFOX,
        "session_id": "sess-1", "roles": {"user"}, "privileges": {"read"}, "timestamp": NOON,
    }  # fmt: skip
    return IdentityContext(**{**usual, **facts})


def transfer(**facts: Any) -> ActivityEvent:
    usual = {
        "timestamp": NOON, "endpoint": "/payments/transfer", "method": "POST", "status_code": 200, "latency_ms": 240,
        "bytes_in": 800, "bytes_out": 2048, "service": "payments", "trace_id": "trace-abc", "metadata": {"a": 1},
    }  # fmt: skip
    return ActivityEvent(**{**usual, **facts})


def test_an_event_is_assessed_and_its_person_summed_up() -> None:
    """A first event is allowed, what is not known yet is named, and the summary knows the session."""
    risk = engine()
    assessment = risk.assess_event(alice(), transfer())
    assert (assessment.total_score, assessment.action) == (2.0, "allow")
    assert "traffic" in assessment.unknown
    summary = risk.summary("alice")
    assert summary.is_known
    assert summary.usual.endpoints == {"/payments/transfer": 1}
    assert [each.session_id for each in summary.sessions] == ["sess-1"]


@pytest.mark.parametrize(
    "moment",
    [NOON, NOON.replace(tzinfo=None), NOON.isoformat(), "2026-03-02T12:00:00Z", NOON.timestamp(), None],
)
def test_a_moment_may_be_a_date_a_text_a_number_or_now(moment: Any) -> None:
    """All of these are the same noon, and the event's own outranks the identity's."""
    risk = engine()
    risk.assess_event(alice(timestamp="2001-01-01"), transfer(timestamp=moment or NOON))
    risk.assess_event(alice(timestamp=None, session_id="s2"), transfer(timestamp=moment))
    assert risk.summary("alice").usual.hours == [12]


@pytest.mark.parametrize("kind", [set, frozenset, tuple, list, sorted])
def test_roles_may_come_in_any_collection(kind: Any) -> None:
    """A set has no order, and the groups of people are the same."""
    risk = engine()
    risk.assess_event(alice(roles=kind(["user", "clerk"])), transfer())
    assert ("peers", "clerk+user") in risk._groups


def test_a_stolen_session_is_to_be_reset_and_its_owner_is_asked_once() -> None:
    """Another browser on another network rises, with reasons that add up; after a factor the same is left alone."""
    risk = engine()
    for turn in range(20):
        risk.assess_event(alice(), transfer(timestamp=NOON + timedelta(seconds=9 * turn)))
    thief = alice(ip="203.0.113.77", user_agent="curl/8.4", device_id="other")
    taken = transfer(endpoint="/export", bytes_out=50_000_000, timestamp=NOON + timedelta(minutes=5))
    assessment = risk.assess_event(thief, taken)
    assert assessment.action != "allow"
    assert round(sum(signal.points for signal in assessment.signals), 2) == assessment.total_score
    assert risk.summary("alice").score == assessment.total_score
    risk.answered_a_factor("alice", "sess-1")
    assert risk.assess_event(thief, taken).action == "allow"


def test_a_role_that_appears_is_seen() -> None:
    """A privilege change goes through to the detectors."""
    risk = engine()
    for number in range(40):
        risk.assess_event(alice(user_id=f"u{number}", session_id=f"s{number}"), transfer(timestamp=NOON))
    change = PrivilegeChange(previous_roles={"user"}, new_roles={"user", "admin"}, new_privileges={"read", "write"})
    quiet = risk.assess_event(alice(session_id="s2"), transfer())
    raised = risk.assess_event(alice(session_id="s2", roles={"user", "admin"}), transfer(endpoint="/admin"), change)
    assert raised.total_score > quiet.total_score


def test_a_session_belongs_to_its_person() -> None:
    """Somebody else's session of the same name is another one."""
    risk = engine()
    risk.assess_event(alice(), transfer())
    risk.assess_event(alice(user_id="mallory"), transfer())
    assert len(risk.summary("alice").sessions) == len(risk.summary("mallory").sessions) == 1
    assert not risk.summary("nobody").is_known


def test_what_is_remembered_is_bounded() -> None:
    """The people, sessions and traces seen longest ago leave."""
    risk = engine(people=3, sessions=4, groups=5)
    for number in range(20):
        risk.assess_event(alice(user_id=f"u{number}", session_id=f"s{number}"), transfer(trace_id=f"t{number}"))
    assert (len(risk._people), len(risk._sessions), len(risk._groups)) == (3, 4, 5)
    assert risk.summary("u19").is_known


@pytest.mark.parametrize(
    ("identity", "event", "error"),
    [
        ({"user_id": ""}, {}, msgspec.ValidationError),
        ({"roles": ["r"] * 65}, {}, msgspec.ValidationError),
        ({}, {"endpoint": "x" * 1025}, msgspec.ValidationError),
        ({}, {"bytes_out": -1}, msgspec.ValidationError),
        ({"ip": "300.1.1.1"}, {}, BadEvent),
        ({}, {"timestamp": "yesterday"}, BadEvent),
    ],
)
def test_what_cannot_be_is_refused(identity: dict[str, Any], event: dict[str, Any], error: type[Exception]) -> None:
    """The bounds of the wire hold for the library, too."""
    with pytest.raises(error):
        engine().assess_event(alice(**identity), transfer(**event))
