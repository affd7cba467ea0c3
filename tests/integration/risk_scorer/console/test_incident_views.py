"""The queue of incidents, one incident, and the audit of what people do with it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from risk_scorer.core.incidents.incident import Evidence, Sighting
from risk_scorer.incident_desk import incident_rows
from tests.integration.risk_scorer.console.signing import by_link, code_of, form_token
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio
QUEUE = "/dashboard/incidents"
HOSTILE = '"><img src=x onerror=alert(1)>'


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as found:
        del found.client.headers["authorization"]
        yield found


async def opened(service: Running, user: str) -> str:
    """An incident of that person; its id."""
    now = service.scorer.clock.now()
    cause = Evidence(code="several_actors", text="two browsers at 203.0.113.7", points=40.0, at=now, session_id="ses-1")
    seen = Sighting(kind="user", subject=user, at=now, score=85.0, evidence=(cause,), members=(user,))
    return await incident_rows(service.scorer).see(seen)


async def change(service: Running, incident_id: str, does: str, version: int, reason: str = "Called them") -> str:
    """What became of it: where the answer leads, or its code."""
    form = {"form_token": await form_token(service), "does": does, "version": str(version), "reason": reason}
    answer = await service.client.post(f"{QUEUE}/{incident_id}/change", data=form)
    return answer.headers["location"] if answer.status_code == 303 else f"{answer.status_code} {code_of(answer)}"


async def test_an_incident_is_taken_and_closed_and_every_step_is_written_down(service: Running) -> None:
    """Owner, timeline and audit say who and why; the menu counts what is open."""
    incident_id = await opened(service, "alice")
    await by_link(service, "analyst")
    queue = (await service.client.get(QUEUE)).text
    assert "alice" in queue
    assert 'class="count"' in queue
    assert await change(service, incident_id, "take", 1) == f"{QUEUE}/{incident_id}"
    assert await change(service, incident_id, "close", 2, "It was a test") == f"{QUEUE}/{incident_id}"
    page = (await service.client.get(f"{QUEUE}/{incident_id}")).text
    for part in ("several actors", "two browsers at 203.0.113.7", "It was a test", "closed and stays so"):
        assert part in page
    audit = (await service.client.get(f"/dashboard/audit?subject={incident_id}")).text
    assert "incident.close" in audit
    assert "It was a test" in audit
    assert 'class="count"' not in (await service.client.get(QUEUE)).text


async def test_of_two_who_change_one_incident_the_second_is_told(service: Running) -> None:
    """A change says which version it saw; nonsense changes nothing."""
    incident_id = await opened(service, "alice")
    await by_link(service, "analyst")
    assert await change(service, incident_id, "acknowledge", 1) == f"{QUEUE}/{incident_id}"
    assert await change(service, incident_id, "close", 1) == "409 incident_changed"
    assert await change(service, incident_id, "delete", 2) == "422 invalid_change"
    assert await change(service, "inc_nobody", "close", 1) == "404 unknown_incident"
    assert "Open again" in (await service.client.get(f"{QUEUE}/{incident_id}")).text
    assert await change(service, incident_id, "reopen", 2) == f"{QUEUE}/{incident_id}"
    await change(service, incident_id, "close", 3)
    assert "Open again" not in (await service.client.get(f"{QUEUE}/{incident_id}")).text
    assert await change(service, incident_id, "reopen", 4) == "409 incident_closed"


async def test_what_a_stranger_is_called_is_text(service: Running) -> None:
    """In the queue, on the page and in links; veiled addresses stay veiled."""
    incident_id = await opened(service, HOSTILE)
    await by_link(service, "reader")
    for path in (QUEUE, f"{QUEUE}?state=open", f"{QUEUE}/{incident_id}"):
        html = (await service.client.get(path)).text
        assert "<img" not in html
        assert "&lt;img" in html
    form = {"form_token": await form_token(service), "mask": "1", "back": QUEUE}
    await service.client.post("/dashboard/mask", data=form)
    html = (await service.client.get(f"{QUEUE}/{incident_id}")).text
    assert "203.0.113.7" not in html


async def test_a_filter_that_is_none_says_so(service: Running) -> None:
    """On a page, with its code."""
    await by_link(service, "analyst")
    for path in (f"{QUEUE}?state=lost", "/dashboard/audit?before=x"):
        answer = await service.client.get(path)
        assert (answer.status_code, code_of(answer)) == (422, "invalid_filter")
    for path in (f"{QUEUE}?owner=me", "/dashboard/audit"):
        assert "No incident" in (text := (await service.client.get(path)).text) or "Nobody has done" in text
