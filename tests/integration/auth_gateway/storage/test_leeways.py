"""People's leeway in both databases: with the line that gives it or takes it away, read with the login, once a day."""

import threading
from typing import Any

import pytest

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.leeways import StoredLeeways
from auth_gateway.adapters.storage.user_risks import StoredUserRisks
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import Facts
from auth_gateway.core.leeway import EVERY_SECONDS, NO_LEEWAY, Leeway
from auth_gateway.flows.leeway import LeewayFollower
from auth_gateway.flows.user_risk import RiskFollower
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

NOW = 1_700_000_000.0
FOLLOWER = LeewayFollower(book=StoredLeeways())
TRAIL = StoredAuditTrail([RiskFollower(book=StoredUserRisks(), audit=StoredAuditTrail([FOLLOWER])), FOLLOWER])
ANSWER = Facts(
    path="step_up", login_score=63.0, demand="any", method="totp", is_known_device=True, is_same_context=True
)


def line(kind: Any, ts: float = NOW, **more: Any) -> AuditEvent:
    return AuditEvent(**{"event_id": f"evt_{kind}_{ts}", "ts": ts, "kind": kind, "user_id": "alice", **more})


def answer(ts: float) -> AuditEvent:
    return line("challenge.passed", ts, level="low", facts=ANSWER)


def record(database: Database, *lines: AuditEvent) -> None:
    database.write_sync(lambda tx: [TRAIL.record(tx, each) for each in lines])


def leeway(database: Database) -> Leeway:
    facts = database.read(lambda tx: StoredUsers().login_facts(tx, "alice", None, now=NOW))
    assert facts is not None
    return facts.leeway


def test_an_answer_is_there_at_the_next_login(database: Database) -> None:
    """One look-up tells of it, and of nobody else's."""
    assert leeway(database) == NO_LEEWAY
    record(database, answer(NOW))
    assert leeway(database) == Leeway(passed=1.0, at=NOW)


def test_answers_that_are_undone_gave_nothing(database: Database) -> None:
    """They are one with the decision."""

    def job(tx: Transaction) -> None:
        TRAIL.record(tx, answer(NOW))
        raise Refused("busy", "", status=503)

    with pytest.raises(Refused):
        database.write_sync(job)
    assert leeway(database) == NO_LEEWAY


@pytest.mark.parametrize(
    "ending",
    [
        line("token.reused", NOW + 5, session_id="s"),
        line("login.denied", NOW + 5, level="high", rule="high"),
        line("sign_in.reported", NOW + 5),
        line("user.frozen", NOW + 5),
        line("user.password_changed", NOW + 5),
        line("factor.enrolled", NOW + 5),
        line("factor.removed", NOW + 5),
        line("password.breached", NOW + 5),
    ],
    ids=lambda ending: ending.kind,
)
def test_what_speaks_against_the_person_takes_it_away(database: Database, ending: AuditEvent) -> None:
    """In the same transaction; what is answered later begins anew."""
    record(database, answer(NOW))
    record(database, ending)
    assert leeway(database) == NO_LEEWAY


@pytest.mark.parametrize("kind", ["login.allowed", "login.challenged", "token.refreshed", "sign_in.confirmed"])
def test_other_lines_touch_nothing(database: Database, kind: Any) -> None:
    """Most of what is written down."""
    record(database, answer(NOW), line(kind, NOW + 5, level="medium"))
    assert leeway(database).passed == 1.0


def test_answers_at_once_count_once(database: Database) -> None:
    """Eight of them by as many hands, on the first day and on the next."""
    for day, expected in ((0.0, 1.0), (2 * EVERY_SECONDS, 2.0)):
        hands = [threading.Thread(target=record, args=(database, answer(NOW + day))) for _ in range(8)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        assert expected - 0.1 < leeway(database).passed <= expected
