"""POST /decisions and the decisions of outcomes: they come to the rows of their logins, through the running service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.core.console.sign_in import SignIn
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio
ASKED = {"event_id": "e1", "decision": "challenge", "rule": "medium", "client_id": "shop", "at": 1_760_000_000.0}


@pytest.fixture
async def service(tmp_path: Path, scorer_url: str) -> AsyncIterator[Running]:
    shared = {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}
    async with running(tmp_path, **shared) as found:
        yield found


async def until(service: Running, so: Callable[[SignIn], bool]) -> SignIn:
    """The row of the login, once it is so."""
    rows = SignInRows(service.scorer.database)
    async with asyncio.timeout(20):
        while True:
            row = await rows.one("e1")
            if row is not None and so(row):
                return row
            await asyncio.sleep(0.02)


async def test_a_login_has_its_row_its_decision_its_outcome_and_its_verdict(service: Running) -> None:
    """In the order in which a challenge goes; the decision may be there before the login is."""
    assert (await service.client.post("/decisions", json=[ASKED, ASKED])).json() == {"heard": 2}
    assert (await service.client.post("/score", json={**EVENT, "event_id": "e1"})).status_code == 200
    row = await until(service, lambda row: row.decision != "")
    assert (row.decision, row.rule, row.factor, row.client_id, row.outcome) == ("challenge", "medium", "", "shop", "")
    answer = {**EVENT, "event_id": "e2", "kind": "step_up"}
    decided = {"event_id": "e1", "decision": "challenge", "factor": "totp", "at": 1_760_000_009.0}
    for outcome in ("mfa_failed", "mfa_passed"):
        ended = {"event_id": f"{outcome}-1", "event": answer, "outcome": outcome, "ts": 1_760_000_009.0,
                 "decisions": [decided]}  # fmt: skip
        assert (await service.client.post("/outcomes", json=ended)).json() == {"learned": 1, "known_before": 0}
    verdict = {"event_id": "e1", "verdict": "confirmed_safe", "by": "soc"}
    assert (await service.client.post("/feedback", json=verdict)).status_code == 200
    row = await until(service, lambda row: row.verdict != "")
    assert (row.decision, row.rule, row.factor, row.outcome) == ("challenge", "medium", "totp", "mfa_passed")
    assert row.verdict == "confirmed_safe"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**ASKED, "decision": "perhaps"}, 422, "invalid_request"),
        ({**ASKED, "event_id": ""}, 422, "invalid_request"),
        ({**ASKED, "rule": "a\x00b"}, 422, "invalid_request"),
        ({**ASKED, "at": -1}, 422, "invalid_request"),
        ([ASKED] * 501, 413, "too_many_decisions"),
    ],
)
async def test_a_body_that_is_no_decision_is_refused(tmp_path: Path, body: Any, status: int, code: str) -> None:
    """With a stable code, and none of a list is kept."""
    async with running(tmp_path, with_model=False) as service:
        answer = await service.client.post("/decisions", json=body)
        assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_whoever_may_only_score_tells_no_decisions(tmp_path: Path) -> None:
    """It is the gateway's word, as outcomes are."""
    async with running(tmp_path, with_model=False) as service:
        lesser = service.scorer.credentials.add("lesser", ["score"])
        answer = await service.client.post("/decisions", json=ASKED, headers={"authorization": f"Bearer {lesser}"})
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
