"""POST /people/erase and `risk-scorer erase`: nothing of a person is left, and nobody else loses anything."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from plumbing.database import Database
from plumbing.statements import Statement
from risk_scorer.adapters.storage import serve_alone
from risk_scorer.adapters.tables import metadata
from risk_scorer.cli import app
from risk_scorer.settings import Settings
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio
ALICE, BOB = "alice-4711", "bob-0815"
KNOWN = {
    "user_histories", "imported_models", "seen_outcomes", "verdicts", "verdict_words", "scored_events", "event_places",
    "stream_offsets", "shadow_scores", "drift_counts", "drift_looks", "credentials", "operator_links",
    "operator_sessions", "operator_roles", "console_audit", "console_drafts", "outbox",
    "known_sessions", "activity_memory", "activity_events", "activity_answers",
    "session_risk", "activity_tasks", "incidents", "incident_members", "campaigns", "campaign_members",
    "campaign_signals", "account_scores", "campaign_looks", "sign_ins", "sign_in_words", "sign_in_progress",
}  # fmt: skip
"""Every table that erasure was thought through for: whoever adds one thinks of it there, and writes it here."""
NOBODY = {"user_id": "nobody"}


@pytest.fixture
async def service(tmp_path: Path, scorer_url: str) -> AsyncIterator[Running]:
    shared = {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}
    async with running(tmp_path, webhook_url="http://127.0.0.1:9/", webhook_risk_threshold=0.0, **shared) as found:
        yield found


async def lived(service: Running, user: str) -> None:
    """A person who logged in, was reported, and has verdicts and announcements."""
    event = {**EVENT, "user_id": user, "device_id": f"device-of-{user}"}
    for number in range(2):
        named = {**event, "event_id": f"e{number}-{user}"[::-1]}
        assert (await service.client.post("/score", json=named)).status_code == 200
        ended = {"event_id": named["event_id"], "outcome": "success", "ts": 1_760_000_000.0, "event": named}
        assert (await service.client.post("/outcomes", json=ended)).status_code == 200
        failed = {**ended, "outcome": "mfa_failed", "event_id": f"f{number}{user}"[::-1]}
        assert (await service.client.post("/outcomes", json=failed)).status_code == 200
    judged = {"event_id": f"e1-{user}"[::-1], "verdict": "confirmed_safe", "by": "soc"}
    assert (await service.client.post("/feedback", json=judged)).status_code == 200


def places_of(database: Database, text: str) -> set[str]:
    """Every column that says it, of whichever table."""
    found = set()
    for table in metadata.sorted_tables:
        for row in database.read(lambda tx, table=table: tx.all(Statement(select(table)))):  # type: ignore[misc]
            for column, value in zip(table.columns, row, strict=True):
                seen = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                if text.encode() in seen:
                    found.add(f"{table.name}.{column.name}")
    return found


async def test_nothing_of_an_erased_person_is_left_and_everything_of_another(service: Running) -> None:
    """In every table of either database, in memory and in what is told."""
    for user in (ALICE, BOB):
        await lived(service, user)
    database = service.scorer.database
    before = places_of(database, BOB)
    theirs = {
        "user_histories.user_id",
        "verdicts.user_id",
        "verdict_words.user_id",
        "scored_events.body",
        "seen_outcomes.lesson",
    }
    assert theirs <= places_of(database, ALICE)
    assert "outbox.body" in before
    answer = await service.client.post("/people/erase", json={"user_id": ALICE})
    assert answer.status_code == 200
    told = answer.json()
    assert {name: told[name] for name in ("histories", "verdicts", "events", "lessons")} == {
        "histories": 1,
        "verdicts": 1,
        "events": 2,
        "lessons": 4,
    }
    assert places_of(database, ALICE) == set()
    assert places_of(database, BOB) == before
    recent = (await service.client.get("/recent")).json()["events"]
    assert {each["user_id"] for each in recent} == {BOB}
    assert service.scorer.profiles.get_many([ALICE]) == [None]


async def test_erasing_twice_and_erasing_nobody_change_nothing(service: Running) -> None:
    """A delivery that is repeated finds nothing, and says so."""
    await lived(service, ALICE)
    assert (await service.client.post("/people/erase", json={"user_id": ALICE})).status_code == 200
    for user in (ALICE, "nobody"):
        again = await service.client.post("/people/erase", json={"user_id": user})
        assert (again.status_code, set(again.json().values())) == (200, {0})


async def test_an_outcome_that_was_counted_teaches_nothing_after_the_erasure(service: Running) -> None:
    """A report that comes once more does not bring the person back."""
    await lived(service, ALICE)
    await service.client.post("/people/erase", json={"user_id": ALICE})
    named = {**EVENT, "user_id": ALICE, "event_id": f"e0-{ALICE}"[::-1]}
    ended = {"event_id": named["event_id"], "outcome": "success", "ts": 1_760_000_000.0, "event": named}
    assert (await service.client.post("/outcomes", json=ended)).json() == {"learned": 0, "known_before": 1}
    assert service.scorer.profiles.get_many([ALICE]) == [None]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"user_id": ""}, 422, "invalid_request"),
        ({"user_id": "x" * 257}, 422, "invalid_request"),
        ({"user_id": "a\x00b"}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
        ([NOBODY], 422, "invalid_request"),
        ({"user_id": "x" * 9000}, 413, "body_too_large"),
    ],
)
async def test_a_body_that_names_nobody_is_refused(tmp_path: Path, body: Any, status: int, code: str) -> None:
    """With a stable code, and nothing is erased."""
    async with running(tmp_path, with_model=False) as service:
        answer = await service.client.post("/people/erase", json=body)
        assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_a_credential_without_the_scope_erases_nobody(tmp_path: Path) -> None:
    """Whoever may score and teach may not delete."""
    async with running(tmp_path, with_model=False) as service:
        lesser = service.scorer.credentials.add("lesser", ["score", "outcomes", "feedback", "read"])
        bearer = {"authorization": f"Bearer {lesser}"}
        answer = await service.client.post("/people/erase", json=NOBODY, headers=bearer)
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


def test_every_table_was_thought_of() -> None:
    """A table that is new is one where a person may be left."""
    assert {table.name for table in metadata.sorted_tables} == KNOWN


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*Settings.model_fields, "risk_scorer_config"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("RISK_SCORER_STATE", str(tmp_path / "scorer"))
    return tmp_path / "scorer"


async def test_the_command_asks_erases_and_counts(tmp_path: Path, state: Path) -> None:
    """Not beside a running service, which has people in memory; and not without a yes."""
    async with running(tmp_path) as service:
        await lived(service, ALICE)
    refused = CliRunner().invoke(app, ["erase", ALICE], input="n\n")
    assert (refused.exit_code, "nothing was erased" in refused.stderr) == (1, True)
    done = CliRunner().invoke(app, ["erase", ALICE, "--yes"])
    assert (done.exit_code, done.stdout) == (0, "history 1\tverdicts 1\tevents 2\tlessons 4\tmessages 0\n")


async def test_the_command_leaves_a_served_state_alone(state: Path) -> None:
    """It says what to do instead."""
    assert CliRunner().invoke(app, ["credentials", "list"]).exit_code == 0  # makes the state
    serve_alone(state)
    done = CliRunner().invoke(app, ["erase", ALICE, "--yes"])
    assert (done.exit_code, "POST /people/erase" in done.stderr) == (1, True)
