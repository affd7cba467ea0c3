"""The record of decisions on both databases."""

import msgspec

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.decision_log import StoredDecisions
from auth_gateway.adapters.storage.user_risks import StoredUserRisks
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import Facts, Reported
from auth_gateway.core.user_risk import RiskChange, UserRisk
from plumbing.database import Database
from tests.integration.auth_gateway.storage.conftest import ALICE

FACTS = Facts(path="refresh", login_score=61.5, user_risk=3.0, report_only=(Reported(rule="r", decision="deny"),))


def record(database: Database, *lines: AuditEvent) -> None:
    for line in lines:
        database.write_sync(lambda tx, line=line: StoredAuditTrail().record(tx, line))


def line(number: int, **known: object) -> AuditEvent:
    return AuditEvent(**{"event_id": f"evt_{number}", "ts": float(number), "kind": "login.allowed", **known})


def test_decisions_come_in_order_piece_by_piece(database: Database) -> None:
    """Those of the span, with their person's name and all that was written; other lines are passed over."""
    record(
        database,
        line(1),
        line(2, user_id="alice", facts=FACTS),
        line(3, kind="mail.sent"),
        line(4, user_id="gone"),
        line(5),
    )
    log, after, found = StoredDecisions(), 0, []
    while piece := database.read(lambda tx, after=after: log.between(tx, after=after, since=2.0, until=5.0, most=1)):
        found += piece
        after = piece[-1].place
    assert [(decided.line.event_id, decided.username) for decided in found] == [("evt_2", "alice"), ("evt_4", "")]
    assert found[0].line.facts == FACTS


def test_reported_sign_ins_are_known_by_what_they_were_scored_as(database: Database) -> None:
    """Since a moment, and nothing that their owner has confirmed."""
    record(
        database,
        line(1, kind="sign_in.reported", detail="evt_a"),
        line(2, kind="sign_in.reported", detail="evt_b"),
        line(3, kind="sign_in.confirmed", detail="evt_c"),
        line(4, kind="sign_in.reported"),
    )
    assert database.read(lambda tx: StoredDecisions().compromised(tx, since=2.0)) == {"evt_b"}


def noted(database: Database, *changes: dict[str, object]) -> None:
    """Changes of people's risks, in order."""
    for change in changes:
        known = {"user_id": "alice", "ts": 1.0, "source": "login", "reason": "x", "before": 0.0, "after": 9.0}
        made = RiskChange(**{**known, "event_id": "evt", **change})
        database.write_sync(lambda tx, made=made: StoredUserRisks().change(tx, UserRisk(), made))


def test_an_analyst_confirms_what_was_scored_since_one_spoke_last(database: Database) -> None:
    """By the sign-in that an answer belongs to; nothing of another person's, and nothing when it was no compromise."""
    bob = msgspec.structs.replace(ALICE, user_id="bob", username="bob")
    database.write_sync(lambda tx: StoredUsers().add(tx, bob))
    said = {"source": "analyst", "reason": "compromised", "by": "carol", "why": "ticket 7"}
    record(database, line(1, user_id="alice", kind="login.denied", facts=Facts(path="step_up", began_as="evt_login")))
    noted(
        database,
        {"scored_as": "evt_before"},
        {**said, "reason": "safe"},
        {"scored_as": "evt_a"},
        {"scored_as": "evt_1"},
        {"reason": "unscored"},
        {"user_id": "bob", "scored_as": "evt_of_another"},
        {**said, "ts": 7.0},
        {"scored_as": "evt_after"},
    )
    log = StoredDecisions()
    assert database.read(lambda tx: log.compromised(tx, since=7.0)) == {"evt_a", "evt_login"}
    assert database.read(lambda tx: log.compromised(tx, since=8.0)) == frozenset()
