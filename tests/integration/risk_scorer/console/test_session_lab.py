"""The lab's sessions: judged as real ones are, by the engine in use, and nobody's memory notices."""

import hashlib
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any, Final

import pytest

from plumbing.clock import FixedClock
from risk_scorer.console.lab import session_lab_of
from risk_scorer.core.activity.memory import packed
from risk_scorer.core.console.session_answer import SessionTrial
from risk_scorer.core.console.session_scenes import SCENES
from risk_scorer.core.console.supposed_session import SupposedSession
from risk_scorer.flows.console.session_lab import SessionLab
from tests.integration.risk_scorer.conftest import NOW
from tests.integration.risk_scorer.console.signing import by_link
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio
PAGE: Final = "/dashboard/lab/session"
FIREFOX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"
OWNER: Final = {"user_id": "amelie", "ip": "91.0.0.9", "user_agent": FIREFOX, "device_id": "dev-1"}
PATHS: Final = ("/home", "/orders", "/orders/17", "/customers", "/orders/18", "/messages")
DAY: Final = 86_400.0
DAYS: Final = 12


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """One that may tell a gateway, and knows Amelie."""
    async with running(
        tmp_path,
        clock=FixedClock(NOW),
        session_signal_url="http://127.0.0.1:9/",
        session_signal_secret="whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJ",
    ) as found:
        await lived(found)
        yield found


async def lived(service: Running) -> None:
    """Twelve days of hers, one session each."""
    for day in range(DAYS):
        began = NOW - (DAYS - day) * DAY
        notice = {"session_id": f"ses-{day}", "state": "started", "at": began, "roles": ["clerk"], **OWNER}
        assert (await service.client.post("/sessions", json=notice)).status_code == 200
        await asked(service, f"ses-{day}", began)


async def asked(service: Running, session_id: str, began: float, **changes: Any) -> list[dict[str, Any]]:
    """What she does, as an application reports it."""
    events = [
        {
            "event_id": f"{session_id}-{place}",
            "identity": {**OWNER, "session_id": session_id, **changes},
            "event": {
                "endpoint": path, "service": "shop", "status_code": 200, "bytes_out": 4000 + 10 * place,
                "timestamp": began + 20.0 * place,
            },
        }
        for place, path in enumerate(PATHS * 2)
    ]  # fmt: skip
    answer = await service.client.post("/assess/bulk", json=events)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


class Marks:
    """A gateway whose marks are the usual ones."""

    def __init__(self) -> None:
        self.asked: list[list[float]] = []

    async def ask(self, _method: str, path: str, _kind: Any, *, body: dict[str, list[float]]) -> SessionTrial:
        assert path == "/policy/try-sessions"
        self.asked.append(body["scores"])
        marks = ((97.0, "freeze"), (90.0, "logout"), (80.0, "reset"), (60.0, "step_up"))
        found = [next(word for mark, word in marks if score >= mark) for score in body["scores"]]
        return SessionTrial(responses=found, report_only=False)  # type: ignore[arg-type]


def lab(service: Running, gateway: Any = None) -> SessionLab:
    return session_lab_of(service.scorer, service.app.state.acting, gateway or service.app.state.console.gateway)


async def test_a_supposed_session_is_judged_as_the_real_one(service: Running) -> None:
    """The owner's and a thief's, request by request: scores and reasons of the engine, to the bit."""
    thief = {"ip": "126.0.0.1", "user_agent": "python-requests/2.32.3", "device_id": ""}
    for name, changes in (("calm", {}), ("stolen", thief)):
        began = NOW - 500.0
        lines = [f"{20 * place} {'other' if changes else 'owner'} GET {path} 200 {4000 + 10 * place} shop"
                 for place, path in enumerate(PATHS * 2)]  # fmt: skip
        owner = {key: value for key, value in OWNER.items() if key != "user_id"}
        other = {f"other_{key}": value for key, value in changes.items()}
        typed = SupposedSession(user="amelie", time=str(began), asks="\n".join(lines), **owner, **other)
        tried = await lab(service).tried(typed)
        notice = {"session_id": name, "state": "started", "at": began, "roles": ["clerk"], **OWNER}
        assert (await service.client.post("/sessions", json=notice)).status_code == 200
        real = await asked(service, name, began, **changes)
        assert [step.answer.total_score for step in tried.steps] == [each["total_score"] for each in real]
        told = [[each.text for each in step.answer.signals] for step in tried.steps]
        assert told == [[signal["text"] for signal in each["signals"]] for each in real]
        assert (max(step.answer.total_score for step in tried.steps) >= 60.0) is bool(changes)


async def test_every_try_leaves_everything_as_it_was(service: Running) -> None:
    """Every row of every table, what detectors remember, who is in memory and in which order, what is counted and what
    waits to be told; and the same try says the same again."""
    await by_link(service, "reader")
    places = [f"{PAGE}?preset={name}&user={user}" for name in SCENES for user in ("amelie", "nobody")]
    pages = [(await service.client.get(place)).headers["location"] for place in places]
    first = [(await service.client.get(page)).text for page in pages]
    before, remembered = tables(service), memory(service)
    for page, text in zip(pages * 3, first * 3, strict=True):
        answer = await service.client.get(page)
        assert answer.status_code == 200, answer.text
        assert "Risk after it" in answer.text
        assert answer.text == text
    assert tables(service) == before
    assert memory(service) == remembered
    assert "ses_supposed" not in repr(remembered)


def tables(service: Running) -> dict[str, str]:
    """The digest of what each table holds."""
    with service.scorer.database.engine.connect() as connection:
        names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"activity_memory", "activity_events", "session_risk", "known_sessions", "outbox"} <= set(names)
        rows = {name: sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"'))) for name in names}  # noqa: S608
    return {name: hashlib.sha256("\n".join(each).encode()).hexdigest() for name, each in rows.items()}


def memory(service: Running) -> dict[str, Any]:
    """What this process remembers of people and their sessions, in its order, and what it has counted of activity."""
    acting, counted = service.app.state.acting, service.scorer.meters._counted.collect()
    kept = acting.memories
    assert kept.held["person"] == 1
    activity = [each for each in counted if each.name.startswith("riskgate_activity")]
    assert activity
    return {
        "memories": [
            (scope, key, packed(each.memory), each.version, each.is_dirty, each.on_way, each.read_at)
            for scope, entries in kept._entries.items()
            for key, each in entries.items()
        ],
        "waiting": (list(kept._dirty), list(kept._leaving), list(kept._flying), list(kept._passing), kept.lost),
        "sessions": [(key, repr(each)) for key, each in acting.sessions._kept.items()],
        "heard": dict(acting.sessions.heard),
        "on way": dict(acting.assess._on_way),
        "counted": repr([each.samples for each in activity]),
    }


async def test_marks_answer_the_thief_and_leave_the_owner_alone(service: Running) -> None:
    """Each rise is told once, what comes after the first answer is said to be stopped; the owner who goes on, or
    switches a VPN on, is told of to nobody."""
    for user, past in (("amelie", ""), ("", "invented")):
        gateway = Marks()
        tries = lab(service, gateway)
        stolen = await tries.made("stolen", user)
        assert (stolen.past, "/export/" in stolen.asks) == (past, True)
        answer = await tries.tried(stolen)
        told = [step for step in answer.steps if step.is_told]
        assert gateway.asked == [[step.answer.total_score for step in told]]
        assert {step.ask.who for step in told} == {"other"}
        assert told[-1].response in ("logout", "freeze")
        assert [step.is_moot for step in answer.steps] == [step.number > told[0].number for step in answer.steps]
        for name in ("owner", "vpn"):
            calm = await tries.tried(await tries.made(name, user))
            assert max(step.answer.total_score for step in calm.steps) < 60.0, (name, user)
            assert {step.response for step in calm.steps} == {"none"}
        assert len(gateway.asked) == 1


async def test_a_page_says_it_without_a_gateway_and_under_a_veil(service: Running) -> None:
    """What the gateway would do is then not known; networks stand for addresses, and score as the address did."""
    await by_link(service, "reader")
    made = (await service.client.get(f"{PAGE}?preset=stolen&user=amelie")).headers["location"]
    assert "ip=91.0.0.9" in made
    page = unescape((await service.client.get(made)).text)
    assert "What the gateway would do is not known." in page
    assert "what is remembered of amelie" in page
    with service.scorer.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE operator_sessions SET masked = 1")
    veiled = await service.client.get(made)
    assert (veiled.status_code, "91.0.0.9" in veiled.headers["location"]) == (303, False)
    shown = await service.client.get(veiled.headers["location"])
    assert (shown.status_code, "91.0.0.9" in shown.text) == (200, False)
    assert "/export/customers" in shown.text


NO_SESSIONS: Final = (
    "asks=", "asks=soon owner GET /a", "asks=0 thief GET /a", "asks=0 owner GET", "asks=0 owner GET /a x",
    "asks=0 owner GET /a 99", "asks=0 owner GET /a 200 -1", "asks=-1 owner GET /a",
    "asks=9 owner GET /a%0A1 owner GET /b",
    "asks=nan owner GET /a", "asks=0 owner GET /a 200 1 s more", "asks=0 owner GET /a&ip=nowhere",
    "asks=0 other GET /a&other_ip=nowhere", "asks=0 owner GET /a&time=yesterday",
    "asks=0 owner GET /a&time=2999-01-01", "asks=0 owner GET /a%00", f"asks={'0 owner GET /a%0A' * 41}",
    f"asks=0 owner GET /{'a' * 1100}", f"asks=0 owner {'A' * 17} /a",
)  # fmt: skip


async def test_what_is_no_session_is_said_beside_the_form(service: Running) -> None:
    """With what was typed still in it; so is a session of nobody."""
    await by_link(service, "reader")
    for query in (*[f"user=amelie&{each}" for each in NO_SESSIONS], "user=&asks=0 owner GET /a"):
        answer = await service.client.get(f"{PAGE}?{query}".replace(" ", "%20"))
        assert (query, answer.status_code) == (query, 422)
        assert 'role="alert"' in answer.text, query
    refused = await service.client.get(f"{PAGE}?preset=unheard")
    assert (refused.status_code, "invalid_preset" in refused.text) == (422, True)
