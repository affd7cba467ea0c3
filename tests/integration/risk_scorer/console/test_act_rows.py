"""What people did, and who they are, on both databases."""

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from risk_scorer.adapters.console.act_rows import ActRows
from risk_scorer.adapters.console.role_rows import OperatorRoles
from risk_scorer.adapters.operators import Operators
from risk_scorer.flows.console.ports import Act, Proof
from tests.integration.risk_scorer.conftest import NOW

pytestmark = pytest.mark.anyio
PROOF = Proof(subject="id-mara", name="mara", proved_at=NOW, level="aal2", session_id="ses-1", id_token="x.y.z")


def act(*subjects: str, operator: str = "mara") -> Act:
    return Act(operator=operator, role="analyst", action="probe", subjects=subjects, reason="why", request_id="act_1")


async def test_acts_are_paged_from_the_newest_and_forgotten_in_time(database: Database, clock: FixedClock) -> None:
    """Of anybody, of one person, by one operator; those that are old enough go, and no others."""
    rows = ActRows(database, clock=clock)
    first = await rows.begin(act("alice", "bob"))
    await rows.end(first, "done")
    clock.advance(10)
    await rows.begin(act("alice", operator="zoe"))
    newest = await rows.page(before=None, subject="", operator="", limit=2)
    assert [(each.operator, each.subject, each.result) for each in newest] == [
        ("zoe", "alice", "begun"), ("mara", "bob", "done"),
    ]  # fmt: skip
    older = await rows.page(before=newest[-1].id, subject="", operator="", limit=2)
    assert [(each.subject, each.ended_at) for each in older] == [("alice", NOW)]
    assert len(await rows.page(before=None, subject="alice", operator="", limit=9)) == 2
    assert len(await rows.page(before=None, subject="", operator="zoe", limit=9)) == 1
    assert await rows.prune(NOW + 5) == 2
    assert [each.operator for each in await rows.page(before=None, subject="", operator="", limit=9)] == ["zoe"]


async def test_a_session_of_the_gateways_has_the_role_of_now(
    database: Database, clock: FixedClock, randomness: SeededRandomness
) -> None:
    """By name or by subject, the stronger of both; it ends with the gateway's session or with the person's."""
    roles, operators = OperatorRoles(database, clock=clock), Operators(database, clock=clock, randomness=randomness)
    roles.give("mara", "reader")
    roles.give("id-mara", "admin")
    roles.give("mara", "analyst")
    assert roles.listed() == [("id-mara", "admin", NOW), ("mara", "analyst", NOW)]
    assert operators.role_of(PROOF) == "admin"
    session = await operators.open(PROOF)
    await operators.veil(session, is_on=True)
    found = operators.operator(session)
    assert found is not None
    assert (found.name, found.role, found.level, found.is_masked) == ("mara", "admin", "aal2", True)
    assert operators.id_token_of(session) == "x.y.z"
    assert roles.take("id-mara") is True
    assert roles.take("mara") is True
    nobody = operators.operator(session)
    assert nobody is not None
    assert (nobody.role, operators.is_signed_in(session)) == (None, False)
    assert await operators.end_of(session_id="ses-2", subject="id-mara") == 0
    assert await operators.end_of(session_id="ses-1", subject="id-mara") == 1
    again = await operators.open(PROOF)
    assert await operators.end_of(session_id="", subject="id-mara") == 1
    assert operators.operator(session) is operators.operator(again) is None


async def test_a_session_from_before_there_were_roles_is_a_readers(
    database: Database, clock: FixedClock, randomness: SeededRandomness
) -> None:
    """And so is a link; both go on working."""
    operators = Operators(database, clock=clock, randomness=randomness)
    session = await operators.sign_in(operators.new_link_token())
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE operator_sessions SET way = NULL, name = NULL, role = NULL")
    found = operators.operator(session)
    assert found is not None
    assert (found.role, found.way, found.name, found.proved_at) == ("reader", "link", "link:operator", NOW)
    link = operators.new_link_token("admin", "mara")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE operator_links SET role = NULL, name = NULL WHERE used_at IS NULL")
    found = operators.operator(await operators.sign_in(link))
    assert found is not None
    assert (found.role, found.name) == ("reader", "link:operator")
