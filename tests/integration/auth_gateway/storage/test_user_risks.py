"""People's risks in both databases: with the line that they follow from, or not at all, and none is lost."""

import threading
from typing import Any

import pytest

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.tables import metadata
from auth_gateway.adapters.storage.user_risks import StoredUserRisks
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.detections import REFRESH_REUSED, WRONG_FACTORS
from auth_gateway.core.user_risk import NO_RISK, UserRisk
from auth_gateway.flows.ports.user_risk import NotedChange
from auth_gateway.flows.user_risk import RiskFollower, RisksNow
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

NOW = 1_700_000_000.0
BOOK = StoredUserRisks()
TRAIL = StoredAuditTrail([RiskFollower(book=BOOK, audit=StoredAuditTrail())])


def line(kind: Any, event_id: str = "evt_1", **more: Any) -> AuditEvent:
    return AuditEvent(**{"event_id": event_id, "ts": NOW, "kind": kind, "user_id": "alice", **more})


def record(database: Database, *lines: AuditEvent) -> None:
    database.write_sync(lambda tx: [TRAIL.record(tx, each) for each in lines])


def risk(database: Database) -> UserRisk:
    return database.read(lambda tx: BOOK.find(tx, "alice"))


def history(database: Database, *, before: int = 2**62, limit: int = 100) -> list[NotedChange]:
    return database.read(lambda tx: BOOK.history(tx, "alice", before=before, limit=limit))


def test_a_line_raises_its_person_and_says_so(database: Database) -> None:
    """The number, its history, and a line that others are told of, under the id of the first."""
    record(database, line("token.reused", session_id="s", ip="198.51.100.9"))
    assert risk(database).value == REFRESH_REUSED.weight
    (noted,) = history(database)
    assert (noted.change.before, noted.change.after, noted.change.event_id) == (0.0, 70.0, "evt_1")
    told, first = database.read(lambda tx: TRAIL.recent(tx, 10))
    assert (told.event_id, told.kind, told.rule) == ("evt_1.risk", "risk.user_raised", "refresh_token_reused")
    assert (told.score, told.level, told.session_id, told.ip) == (70.0, "medium", "s", "198.51.100.9")
    assert first.kind == "token.reused"


def test_a_decision_that_is_undone_raises_nobody(database: Database) -> None:
    """They are one."""

    def job(tx: Transaction) -> None:
        TRAIL.record(tx, line("token.reused"))
        raise Refused("busy", "", status=503)

    with pytest.raises(Refused):
        database.write_sync(job)
    assert (risk(database), history(database)) == (NO_RISK, [])


def test_what_changes_nothing_leaves_no_line(database: Database) -> None:
    """A relief of nothing, and a line of nobody's."""
    record(database, line("account.recovered"), line("token.reused", user_id=None))
    assert (risk(database), history(database)) == (NO_RISK, [])
    assert len(database.read(lambda tx: TRAIL.recent(tx, 10))) == 2


def test_wrong_codes_count_from_the_third_within_an_hour(database: Database) -> None:
    """Two are a slip."""
    for number in range(WRONG_FACTORS - 1):
        record(database, line("challenge.failed", f"evt_{number}", ts=NOW - 3601 + number))
    record(database, line("challenge.failed", "evt_late"))
    assert risk(database) == NO_RISK
    record(database, line("challenge.failed", "evt_later"))
    assert risk(database).value == 25.0


def test_the_history_is_read_page_by_page(database: Database) -> None:
    """The newest first, none twice."""
    record(database, *(line("code.reused", f"evt_{number}") for number in range(5)))
    first = history(database, limit=2)
    rest = history(database, before=first[-1].place)
    assert [noted.change.event_id for noted in first + rest] == [f"evt_{number}" for number in (4, 3, 2, 1, 0)]


def test_of_detections_at_once_none_is_lost(database: Database, database_url: str) -> None:
    """Each adds to what the others left, whichever process saw it."""
    writers = [Database.open(database_url, metadata=metadata) for _ in range(4)]

    def write(number: int) -> None:
        record(writers[number], *(line("code.reused", f"evt_{number}_{turn}") for turn in range(3)))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.close()
    assert risk(database).value == pytest.approx(100 * (1 - 0.6**12))
    changes = [noted.change for noted in reversed(history(database))]
    assert [change.before for change in changes[1:]] == [change.after for change in changes[:-1]]


def test_a_login_knows_it_by_one_look(database: Database) -> None:
    """And whoever comes back by its primary key."""
    record(database, line("sign_in.reported"))
    facts = database.read(lambda tx: StoredUsers().login_facts(tx, "alice", None))
    assert facts is not None
    assert facts.risk == risk(database) == UserRisk(value=95.0, at=NOW, is_held=True)
    assert RisksNow(database=database, book=BOOK).value_of("alice", NOW + 10**9) == 95.0
    assert RisksNow(database=database, book=BOOK).value_of("nobody", NOW) == 0.0
