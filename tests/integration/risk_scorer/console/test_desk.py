"""The desk: acts are written down before they are told as done, fresh proofs, the line that the next page shows."""

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from risk_scorer.adapters.erasure import erase_person
from risk_scorer.api.console.desk import Desk, Doing
from risk_scorer.api.console.serving import add_views
from risk_scorer.api.console.views import View
from risk_scorer.api.pages import templates
from tests.integration.risk_scorer.conftest import NOW
from tests.integration.risk_scorer.console.lying_issuer import CLIENT, SECRET
from tests.integration.risk_scorer.console.signing import by_link, code_of, form_token, post
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio
GATEWAY = {"console_issuer": "http://127.0.0.1:9", "console_client_id": CLIENT, "console_client_secret": SECRET}


class Probe:
    """An act that does as it is told, and remembers what was written down while it did."""

    def __init__(self, service: Running) -> None:
        self._service = service
        self.desk: Desk = service.app.state.console.desk
        self.refusal: Exception | None = None
        self.subjects: tuple[str, ...] = ("alice",)
        self.seen: list[tuple[Any, ...]] = []

    async def plain(self, request: Request) -> Response:
        return await self.desk.act(request, "probe.act", self.subjects, effect=self.effect, back="/dashboard")

    async def grave(self, request: Request) -> Response:
        return await self.desk.act(
            request, "probe.grave", "alice", effect=self.effect, back="/dashboard/drift?x=1", sensitive=True
        )

    async def forms(self, request: Request) -> Response:
        shown = '{% import "console/parts.html" as parts with context %}{{ parts.act_form(action, "Do") }}'
        typed = self.desk.typed(request)
        parts = [
            templates.from_string(shown).render(action=action, typed_reason=typed, form_token="")
            for action in ("/dashboard/probe/act", "/dashboard/probe/gra%76e")
        ]
        return HTMLResponse("<hr>".join(parts))

    async def effect(self, doing: Doing) -> str:
        self.seen = audited(self._service)
        if self.refusal is not None:
            raise self.refusal
        return f"Done to <b>{doing.form.one('extra', 'nobody')}</b> by {doing.operator.name}."


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **GATEWAY) as found:
        yield found


@pytest.fixture
def probe(service: Running) -> Probe:
    found = Probe(service)
    views = [
        View(name="plain", path="/dashboard/probe/act", title="", endpoint=found.plain, role="analyst", kind="act"),
        View(name="grave", path="/dashboard/probe/grave", title="", endpoint=found.grave, role="analyst", kind="act"),
        View(name="forms", path="/dashboard/probe/forms", title="", endpoint=found.forms),
    ]
    add_views(service.app, found.desk, views)
    return found


def audited(service: Running) -> list[tuple[Any, ...]]:
    sql = "SELECT operator, role, action, subject, reason, result FROM console_audit ORDER BY id"
    with service.scorer.database.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def row(result: str, subject: str = "alice", action: str = "probe.act") -> tuple[str, ...]:
    return ("link:jane", "analyst", action, subject, "because", result)


async def test_an_act_is_written_down_before_it_is_done(service: Running, probe: Probe) -> None:
    """While it happens the row says "begun", afterwards "done"; the next page shows its line once, as text."""
    await by_link(service, "analyst")
    answer = await post(service, "/dashboard/probe/act", extra="bob")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    assert probe.seen == [row("begun")]
    assert audited(service) == [row("done")]
    page = await service.client.get("/dashboard")
    assert "Done to &lt;b&gt;bob&lt;/b&gt; by link:jane." in page.text
    assert "Done to" not in (await service.client.get("/dashboard")).text


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("called\u00a0her\ttwice\r\nat noon ", "called her twice at noon"),
        ("\ufeffit was\u202e the\u00adft", "it was theft"),
    ],
)
async def test_a_pasted_reason_is_one_line_that_everybody_takes(
    service: Running, probe: Probe, pasted: str, kept: str
) -> None:
    """The gateway takes no second line and no sign that nobody sees; one of nothing else is none."""
    assert probe.desk is not None
    await by_link(service, "analyst")
    assert (await post(service, "/dashboard/probe/act", reason=pasted)).status_code == 303
    assert [reason for *_, reason, _ in audited(service)] == [kept]
    answer = await post(service, "/dashboard/probe/act", reason="\u200b\u2060\u00a0")
    assert (answer.status_code, code_of(answer)) == (422, "reason_required")


async def test_each_subject_has_a_row_of_its_own(service: Running, probe: Probe) -> None:
    """An act on several people is found by each of them."""
    probe.subjects = ("alice", "bob")
    await by_link(service, "analyst")
    await post(service, "/dashboard/probe/act")
    assert audited(service) == [row("done"), row("done", "bob")]


async def test_of_an_erased_person_the_audit_keeps_that_something_was_done(service: Running, probe: Probe) -> None:
    """By whom and when, not to whom and why; others' rows stay as they are."""
    probe.subjects = ("alice", "bob")
    await by_link(service, "analyst")
    await post(service, "/dashboard/probe/act")
    erase_person(service.scorer.database, "alice")
    gone = ("link:jane", "analyst", "probe.act", "(erased)", "(erased)", "done")
    assert audited(service) == [gone, row("done", "bob")]


async def test_what_was_refused_is_written_down_as_refused(service: Running, probe: Probe) -> None:
    """The page says the code and nothing is told as done; so it is when the act crashes."""
    probe.refusal = Refused(
        "gateway_unavailable", "The gateway does not answer now.", status=503, retry_after_seconds=5
    )
    await by_link(service, "analyst")
    answer = await post(service, "/dashboard/probe/act")
    assert (answer.status_code, code_of(answer), answer.headers["retry-after"]) == (503, "gateway_unavailable", "5")
    assert "riskgate_flash" not in answer.headers.get("set-cookie", "")
    probe.refusal = RuntimeError("a bug")
    assert (await post(service, "/dashboard/probe/act")).status_code == 500
    assert audited(service) == [row("gateway_unavailable"), row("failed")]


async def test_what_was_typed_is_not_lost_with_a_refusal(service: Running, probe: Probe) -> None:
    """The reason stands in its form again; what came with another session's form is shown, to be copied."""
    await by_link(service, "analyst")
    probe.refusal = Refused("changed_meanwhile", "It changed.", status=409)
    answer = await post(service, "/dashboard/probe/act", reason="I “called” <her>", document="[groups]")
    assert ("I “called”" in answer.text, "[groups]</textarea>" in answer.text) == (False, True)
    same, other = unescape((await service.client.get("/dashboard/probe/forms")).text).split("<hr>")
    assert ("I “called” <her>" in same, "called" in other) == (True, False)
    answer = await post(
        service, "/dashboard/probe/act", reason="</textarea><b>", form_token="another", back="/dashboard/x?a=1"
    )
    assert (answer.status_code, code_of(answer)) == (403, "invalid_form_token")
    assert ("&lt;/textarea&gt;&lt;b&gt;" in answer.text, 'href="/dashboard/x?a=1"' in answer.text) == (True, True)


async def test_what_was_typed_is_not_lost_with_the_session(service: Running, probe: Probe) -> None:
    """Nothing is done, and it is said; the text stands there, and the way in leads back to the page of the act."""
    assert probe.desk is not None
    await by_link(service, "analyst")
    fields = {"form_token": await form_token(service), "reason": "spoke to her", "document": "# <mine>"}
    service.client.cookies.clear()
    answer = await service.client.post("/dashboard/probe/act", data=fields)
    assert (answer.status_code, "Nothing was done" in answer.text) == (401, True)
    assert ("spoke to her" in answer.text, "# &lt;mine&gt;" in answer.text) == (True, True)
    assert "/operator/begin?to=%2Fdashboard%2Fprobe" in answer.text
    foreign = await service.client.post("/dashboard/probe/act", data=fields, headers={"sec-fetch-site": "cross-site"})
    assert (foreign.status_code, "spoke to her" in foreign.text) == (401, False)
    assert (await service.client.post("/dashboard/probe/act", content=b"\xff")).status_code == 401
    assert audited(service) == []


WAYS = (
    ("/dashboard/sign-ins/no%3Fbody", "/dashboard/sign-ins"), ("/dashboard/model/abc?x=1", "/dashboard/model"),
    ("/dashboard/users?from=x", "/dashboard/users"), ("/dashboard/views/none", "/dashboard/views"),
    ("/dashboard/policy?before=1", "/dashboard/policy?before=1"),
)  # fmt: skip


async def test_no_refusal_leads_around_in_a_circle(service: Running, probe: Probe) -> None:
    """From what is not there to the view that lists it, from what is away to itself; an act to its very page."""
    assert probe.desk is not None
    await by_link(service, "analyst")
    for path, onward in WAYS:
        answer = await service.client.get(path)
        assert answer.status_code >= 400
        assert f'<a class="button" href="{onward}">' in answer.text, path
    answer = await post(service, "/dashboard/users/a%3Fb%23c/freeze")
    assert '<a class="button" href="/dashboard/users/a%3Fb%23c">' in answer.text


async def test_what_cannot_be_written_down_is_not_done(
    service: Running, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage is away: 503, and the effect never began."""

    async def away(_act: object) -> tuple[int, ...]:
        raise Refused("storage_unavailable", "The storage is away.", status=503)

    await by_link(service, "analyst")
    monkeypatch.setattr(probe.desk._acts, "begin", away)
    answer = await post(service, "/dashboard/probe/act", extra="bob")
    assert (answer.status_code, code_of(answer)) == (503, "storage_unavailable")
    assert probe.seen == []


async def test_a_grave_act_wants_a_link_that_is_new(service: Running, probe: Probe) -> None:
    """Both sides of the quarter of an hour; then the page says which command makes another one."""
    await by_link(service, "analyst")
    assert isinstance(service.scorer.clock, FixedClock)
    service.scorer.clock.advance(900.0)
    assert (await post(service, "/dashboard/probe/grave")).status_code == 303
    service.scorer.clock.advance(1.0)
    answer = await post(service, "/dashboard/probe/grave")
    assert (answer.status_code, code_of(answer)) == (403, "fresh_link_required")
    assert audited(service) == [row("done", action="probe.grave")]


async def test_a_grave_act_wants_a_second_factor_that_is_fresh(service: Running, probe: Probe) -> None:
    """Else the person goes on to the gateway for one, and comes back to the page."""
    assert probe.desk is not None
    await by_link(service, "analyst")
    run(service, "INSERT INTO operator_roles VALUES ('mara', 'analyst', 0)")
    run(service, "UPDATE operator_sessions SET way = 'gateway', name = 'mara', subject = 'x'")
    away, done = "/operator/begin?to=%2Fdashboard%2Fdrift%3Fx%3D1&fresh=1", "/dashboard/drift?x=1"
    for level, age, to in (("aal2", 900.0, done), ("phr", 0.0, done), ("aal2", 901.0, away), ("aal1", 0.0, away)):
        run(service, f"UPDATE operator_sessions SET level = '{level}', proved_at = {NOW - age}")  # noqa: S608
        answer = await post(service, "/dashboard/probe/grave")
        assert (level, age, answer.status_code, answer.headers["location"]) == (level, age, 303, to)
    assert len(audited(service)) == 2


def run(service: Running, sql: str) -> None:
    with service.scorer.database.engine.begin() as connection:
        connection.exec_driver_sql(sql)


async def test_a_link_in_a_message_opens_its_page(service: Running, probe: Probe) -> None:
    """The strict cookie does not come along from another site: a page of ours goes on to the same address."""
    assert probe.desk is not None
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = await service.client.get("/dashboard/drift?a=1&b=2", headers=headers)
    assert answer.status_code == 200
    assert 'content="0;url=/dashboard/drift?a=1&amp;b=2"' in answer.text
    assert (await service.client.get("/dashboard/drift")).status_code == 401
    feed = await service.client.get("/dashboard/events", headers={**headers, "sec-fetch-mode": "cors"})
    assert feed.status_code == 401


async def test_a_typed_reason_survives_the_way_to_the_second_factor(service: Running, probe: Probe) -> None:
    """In no address; once, in the same form, for the same operator; signing out forgets it."""
    await by_link(service, "analyst")
    run(service, "INSERT INTO operator_roles VALUES ('mara', 'analyst', 0)")
    run(service, "UPDATE operator_sessions SET way = 'gateway', name = 'mara', subject = 'x', level = 'aal1'")
    said = "the phone was stolen; “call her” – 日本 \U0001f600" * 8
    answer = await post(service, "/dashboard/probe/grave", reason=said)
    assert answer.headers["location"] == "/operator/begin?to=%2Fdashboard%2Fdrift%3Fx%3D1&fresh=1"
    other, same = unescape((await service.client.get("/dashboard/probe/forms")).text).split("<hr>")
    assert (said in other, said in same, " open>" in same) == (False, True, True)
    run(service, "UPDATE operator_sessions SET name = 'zoe'")
    run(service, "INSERT INTO operator_roles VALUES ('zoe', 'analyst', 0)")
    assert said not in unescape((await service.client.get("/dashboard/probe/forms")).text)
    gone = (await service.client.post("/operator/sign-out")).headers.get_list("set-cookie")
    assert any(each.startswith('riskgate_typed=""') for each in gone)


async def test_while_the_database_is_away_people_see_a_page(
    service: Running, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every view, act and door: 503, what to do, and when to come again; programs get JSON as before."""
    assert probe.desk is not None
    await by_link(service, "admin")
    token = await form_token(service)

    def away(*_args: object, **_more: object) -> None:
        raise Refused("storage_unavailable", "The storage is not available now.", status=503, retry_after_seconds=5)

    for name in ("read", "write", "read_in_thread"):
        monkeypatch.setattr(service.scorer.database, name, away)
    asked = [(view.method, view.path) for view in service.app.state.console.views]
    for method, path in [*asked, ("POST", "/operator/sign-out"), ("POST", "/operator/sign-in?token=x")]:
        answer = await service.client.request(method, path, data={"form_token": token, "reason": "because"})
        assert (path, answer.status_code, answer.headers["retry-after"]) == (path, 503, "5")
        assert answer.headers["content-type"].startswith("text/html"), path
        assert (code_of(answer), "Try again" in answer.text) == ("storage_unavailable", True), path
    program = await service.client.get("/incidents")
    assert (program.status_code, program.json()["error"]) == (503, "storage_unavailable")
