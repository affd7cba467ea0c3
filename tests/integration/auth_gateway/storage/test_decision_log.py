"""The record of decisions on both databases."""

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.decision_log import StoredDecisions
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import Facts, Reported
from plumbing.database import Database

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
