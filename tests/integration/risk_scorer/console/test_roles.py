"""What holds for every view of the console's table, and for what it does not show through a veil.

A view is covered by being in the table: nothing here names one. Who may open which is held in `test_who_may`.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from starlette.requests import Request

from plumbing.asgi import json_answer
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.api.console.views import View
from risk_scorer.api.veiled import as_seen
from risk_scorer.core.artefact import MANIFEST
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.manifest import decode
from tests.integration.risk_scorer.console.logins import taken
from tests.integration.risk_scorer.console.signing import by_link, code_of, form_token
from tests.integration.risk_scorer.published import model_files
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio
ADDRESS: Final = "203.0.113.77"
EXAMPLES: Final = {
    "side": "scorer",
    "receiver": "announcements",
    "user_id": "alice",
    "event_id": "evt-1",
    "kind": "address",
    "value": ADDRESS,
    "name": "device_reuse",
    "session_id": "ses-1",
    "version": decode(model_files()[MANIFEST]).model_version,
}
"""What stands for a parameter of a path; another one is filled with an id that nobody has."""
OTHER_SITES: Final = ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"})
LISTS: Final = ("/incidents", "/campaigns", "/labels", "/recent", "/shadow", "/views/device_reuse")
TWICE: Final = [("state", "open"), ("state", "closed")]
LOOKS: Final = frozenset({"mask", "theme"})
"""Acts that change how the person's own session looks; they ask for no reason."""


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """One that has scored a login of Alice's."""
    async with running(tmp_path, webhook_url="https://hooks.example/in") as found:
        await found.client.post("/score", json={**EVENT, "event_id": "evt-1", "ip": ADDRESS})
        begun = {"session_id": "ses-1", "user_id": "alice", "state": "started", "at": time.time() - 60, "ip": ADDRESS}
        assert (await found.client.post("/sessions", json=begun)).status_code == 200
        who = {"user_id": "alice", "session_id": "ses-1", "ip": ADDRESS}
        what = {"endpoint": "/orders", "service": "shop", "timestamp": time.time()}
        assert (await found.client.post("/assess", json={"identity": who, "event": what})).status_code == 200
        del found.client.headers["authorization"]
        yield found


def views(service: Running) -> tuple[View, ...]:
    found: tuple[View, ...] = service.app.state.console.views
    assert len(found) >= 6
    return found


def path_of(view: View) -> str:
    return re.sub(r"{(\w+)(?::\w+)?}", lambda name: EXAMPLES.get(name[1], "unknown-1"), view.path)


async def test_no_form_of_another_page_does_anything(service: Running) -> None:
    """Without this session's token, with another session's, or from another site: 403, and nothing is written down."""
    await by_link(service, "admin")
    foreign = await form_token(service)
    await by_link(service, "admin")
    own = await form_token(service)
    assert own != foreign
    for view in (each for each in views(service) if each.kind == "act"):
        for token in ("", foreign, own[:-1]):
            answer = await service.client.post(path_of(view), data={"form_token": token, "reason": "because"})
            assert (view.name, answer.status_code, code_of(answer)) == (view.name, 403, "invalid_form_token")
        for headers in OTHER_SITES:
            fields = {"form_token": own, "reason": "because"}
            answer = await service.client.post(path_of(view), data=fields, headers=headers)
            assert (view.name, answer.status_code, code_of(answer)) == (view.name, 403, "cross_site_form")
    assert audited(service) == []


async def test_nothing_is_asked_twice(service: Running) -> None:
    """Of two values one would be passed over: the page says so, and so does every list of the API."""
    bearer = {"authorization": f"Bearer {service.credential}"}
    for path in LISTS:
        answer = await service.client.get(path, params=TWICE, headers=bearer)
        assert (path, answer.status_code, answer.json()["error"]) == (path, 422, "invalid_request")
        assert answer.json()["field"] == "query.state"
    await by_link(service, "admin")
    for view in (each for each in views(service) if each.method == "GET"):
        answer = await service.client.get(path_of(view), params=TWICE)
        assert (view.name, answer.status_code, code_of(answer)) == (view.name, 422, "invalid_request")


async def test_no_act_is_done_without_a_reason(service: Running) -> None:
    """Neither none, nor blanks, nor a novel; and nothing is written down."""
    await by_link(service, "admin")
    token = await form_token(service)
    for view in (each for each in views(service) if each.kind == "act" and each.name not in LOOKS):
        for reason in ("", "  ", "x" * 501):
            answer = await service.client.post(path_of(view), data={"form_token": token, "reason": reason})
            assert 400 <= answer.status_code < 500, view.name
    assert audited(service) == []


async def test_a_veiled_session_shows_no_address_anywhere(service: Running) -> None:
    """In every view and every fragment of one, and in every file."""
    await by_link(service, "admin")
    assert ADDRESS in (await service.client.get("/dashboard")).text
    fields = {"form_token": await form_token(service), "mask": "1", "back": "/dashboard"}
    assert (await service.client.post("/dashboard/mask", data=fields)).status_code == 303
    for view in (each for each in views(service) if each.kind in ("page", "export")):
        for query in ("", "?fragment=1"):
            path = path_of(view)
            answer = await service.client.get(path + query)
            shown = answer.text.replace(path, "")  # its own address may be in links to itself
            assert ADDRESS not in shown, (view.name, query)
    await service.client.post("/dashboard/mask", data={**fields, "mask": "0"})
    assert ADDRESS in (await service.client.get("/dashboard")).text


async def test_json_that_a_veiled_session_may_read_has_no_address(service: Running) -> None:
    """Neither in values nor behind an escaped line break; a service's credential reads it whole."""
    found = {"why": f"from\n{ADDRESS}", "rows": [[ADDRESS, 1.5, None, {ADDRESS: "2001:db8:7:1::9"}]], "at": "12:30:00"}
    whole = json_answer(found, headers={"cache-control": "no-store"})
    request = Request({"type": "http", "headers": []})
    assert as_seen(request, whole) is whole
    request.state.veil = Veil(is_on=True)
    seen = as_seen(request, whole)
    assert ADDRESS.encode() not in bytes(seen.body)
    assert b"db8:7:1" not in bytes(seen.body)
    assert (b"12:30:00" in bytes(seen.body), seen.headers["cache-control"]) == (True, "no-store")
    for user in ("bob", "cid"):
        event = {**EVENT, "user_id": user, "event_id": user, "ip": ADDRESS}
        await service.client.post("/score", json=event, headers={"authorization": f"Bearer {service.credential}"})
    credential = service.scorer.credentials.add("reads", ["read"])
    path = "/views/shared_addresses?least=2&of=logins"
    bearer = {"authorization": f"Bearer {credential}"}
    async with asyncio.timeout(20.0):
        while ADDRESS not in (await service.client.get(path, headers=bearer)).text:
            await taken(Projection(service.scorer.database, clock=service.scorer.clock))
            await asyncio.sleep(0.01)
    await by_link(service, "reader")
    assert ADDRESS in (await service.client.get(path)).text
    fields = {"form_token": await form_token(service), "mask": "1", "back": "/dashboard"}
    await service.client.post("/dashboard/mask", data=fields)
    answer = await service.client.get(path)
    assert (answer.status_code, ADDRESS in answer.text) == (200, False)
    assert ADDRESS in (await service.client.get(path, headers=bearer)).text


def audited(service: Running) -> list[tuple[object, ...]]:
    with service.scorer.database.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM console_audit")]
