"""Nothing of an erased person's activity is left, and nobody else loses anything."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import bindparam, insert

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.activity.answers import answer_key, keep_keys
from risk_scorer.adapters.erasure import erase_person
from risk_scorer.adapters.tables import (
    activity_events,
    activity_memory,
    activity_tasks,
    known_sessions,
    session_risk,
)
from tests.integration.risk_scorer.test_erasure import ALICE, BOB, places_of

NOW = 1_760_000_000.0
MADE_UP = {"TEXT": "x", "FLOAT": NOW, "INTEGER": 1, "BLOB": b"x"}


def row_of(tx: Transaction, table: Any, **given: Any) -> None:
    """A row with something in every column."""
    columns = [each for each in table.columns if each.name != "id"]
    values = {each.name: given.get(each.name, MADE_UP[str(each.type)]) for each in columns}
    tx.run(Statement(insert(table).values({name: bindparam(name) for name in values})), **values)


def lived(tx: Transaction, user: str, number: int) -> None:
    """A person with a session, its risk, memories, an event, an answer and a task."""
    session = f"ses-{number}"
    row_of(tx, known_sessions, session_id=session, user_id=user)
    row_of(tx, session_risk, session_id=session, user_id=user)
    row_of(tx, activity_events, user_id=user, session_id=session, event_id=session)
    keep_keys(tx, [(answer_key(user, session), NOW)])
    row_of(tx, activity_tasks, task_id=f"tsk-{number}", user_id=user)
    for scope, key in (("person", user), ("session", session)):
        row_of(tx, activity_memory, scope=scope, key=key, packed=msgspec.msgpack.encode({"hours": [user]}))


@pytest.fixture
def lives(database: Database) -> Database:
    """Two people, and what everybody's memory has of them."""
    shared = {"relations": [{ALICE: 1.0, BOB: 2.0}, ["device", ALICE]]}

    def job(tx: Transaction) -> None:
        lived(tx, ALICE, 1)
        lived(tx, BOB, 2)
        row_of(tx, activity_memory, scope="world", key="", packed=msgspec.msgpack.encode(shared))

    database.write_sync(job)
    return database


def test_nothing_of_an_erased_person_is_left_and_everything_of_another(lives: Database) -> None:
    """Their rows go, those of their sessions with them, and their name goes from what all share."""
    before = places_of(lives, BOB)
    assert erase_person(lives, ALICE).activity == 7
    assert places_of(lives, ALICE) == places_of(lives, "ses-1") == set()
    assert places_of(lives, BOB) == before
    assert erase_person(lives, ALICE).activity == 0


def test_what_a_shared_memory_has_of_others_stays_as_it_was(lives: Database) -> None:
    """A name that goes leaves every other part in its place."""
    erase_person(lives, ALICE)
    read = Statement(activity_memory.select().where(activity_memory.c.scope == "world"))
    [row] = lives.read(lambda tx: tx.all(read))
    assert msgspec.msgpack.decode(bytes(row[2])) == {"relations": [{BOB: 2.0}, ["device", ""]]}
