"""The scenario lab: it scores as a real login is scored, and nobody's history notices."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from demo.house import NETWORKS, Workplace
from plumbing.clock import FixedClock
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.console.lab import lab_of
from risk_scorer.core.console.lab_presets import PRESETS
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.console.supposed_login import SupposedLogin
from risk_scorer.flows.console.lab import Lab
from tests.integration.risk_scorer.conftest import NOW
from tests.integration.risk_scorer.console.logins import taken
from tests.integration.risk_scorer.console.signing import by_link
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio
PAGE: Final = "/dashboard/lab"
FIREFOX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"
HTTP_AND_SERVER: Final = {
    "ja4h": "ge11cn12enus_8f2f9ba2a5e4_d0ee0d8f4f44_6f2b1c9a7e10",
    "ja4s": "t130200_1301_a56c5b993250",
}
USUAL: Final = {"user_id": "amelie", "ip": "91.0.0.9", "user_agent": FIREFOX, "device_id": "dev-1", **HTTP_AND_SERVER}
STRANGE: Final = {**USUAL, "ip": "165.227.0.1", "user_agent": "python-requests/2.32.3", "device_id": "dev-9"}
DAY: Final = 86_400.0
COUNTED: Final = frozenset({
    "riskgate_scores", "riskgate_score", "riskgate_shadow_scores", "riskgate_activity_events",
    "riskgate_history_lookup_seconds",
})  # fmt: skip
"""What is counted of decisions."""


@pytest.fixture
async def service(tmp_path: Path, trained_models: Path) -> AsyncIterator[Running]:
    async with scorer(tmp_path, trained_models) as found:
        yield found


def scorer(place: Path, models: Path) -> Any:
    """One with a trained model, that announces what is risky."""
    key = Workplace(models.parent / "demo", models).signing_key.with_suffix(".pub")
    return running(
        place,
        with_model=False,
        clock=FixedClock(NOW),
        model_dir=models,
        model_public_keys=str(key),
        ip_overlay=str(NETWORKS),
        webhook_url="http://127.0.0.1:9/",
    )


async def lived(service: Running) -> None:
    """Amelie has come twelve times, and her newest login is a row of the console."""
    for day in range(12):
        event = {**USUAL, "timestamp": NOW - (12 - day) * DAY, "event_id": f"of-{day}"}
        assert (await service.client.post("/score", json=event)).status_code == 200
        said = {"event_id": f"of-{day}", "event": event, "outcome": "success", "ts": NOW}
        answer = await service.client.post("/outcomes", json=said)
        assert answer.status_code == 200, answer.text
    rows = SignInRows(service.scorer.database)
    async with asyncio.timeout(20.0):
        while len((await rows.page(SignInFilter(outcome="success"), limit=20)).rows) < 12:
            await taken(Projection(service.scorer.database, clock=service.scorer.clock))
            await asyncio.sleep(0.01)


def supposed(event: dict[str, Any]) -> SupposedLogin:
    names = {"user_id": "user"}
    return SupposedLogin(**{names.get(name, name): str(value) for name, value in event.items()})


def lab(service: Running) -> Lab:
    return lab_of(service.scorer, service.app.state.console.gateway)


async def test_a_supposed_login_scores_as_the_real_one_does(service: Running) -> None:
    """To the bit, reasons and facts too: of somebody known and of a stranger, usual and strange."""
    await lived(service)
    for event in (USUAL, STRANGE, {**STRANGE, "user_id": "nobody-yet"}, {**USUAL, "ip_rep": 97.0}):
        tried = (await lab(service).tried(supposed(event))).score
        real = (await service.client.post("/score", json={**event, "event_id": "evt_supposed"})).json()
        assert msgspec.json.decode(msgspec.json.encode(tried)) == real


async def test_a_hundred_tries_leave_everything_as_it_was(
    service: Running, tmp_path_factory: pytest.TempPathFactory, trained_models: Path
) -> None:
    """Every row of every table and what this process remembers; the next real login scores as where nobody tried."""
    await lived(service)
    await by_link(service, "reader")
    pages = [f"{PAGE}?preset={name}&user={user}&beside=usual" for name in PRESETS for user in ("amelie", "nobody")]
    rules = (await service.client.get("/rules")).json()
    before, remembered = tables(service), memory(service)
    tries = 0
    while tries < 100:
        for page in pages:
            answer = await service.client.get(page, follow_redirects=True)
            assert answer.status_code == 200, answer.text
            tries += 2
    assert tables(service) == before
    assert memory(service) == remembered
    assert (await service.client.get("/rules")).json() == rules
    async with scorer(tmp_path_factory.mktemp("untried"), trained_models) as untried:
        await lived(untried)
        event = {**STRANGE, "event_id": "next"}
        answers = [(await each.client.post("/score", json=event)).json() for each in (service, untried)]
    assert answers[0]["risk_score"] >= 60.0
    assert answers[0] == answers[1]


def tables(service: Running) -> dict[str, str]:
    """The digest of what each table holds."""
    with service.scorer.database.engine.connect() as connection:
        names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"sign_ins", "user_histories", "outbox", "scored_events", "console_audit"} <= set(names)
        rows = {name: sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"'))) for name in names}  # noqa: S608
    return {name: hashlib.sha256("\n".join(each).encode()).hexdigest() for name, each in rows.items()}


def memory(service: Running) -> dict[str, Any]:
    """What this process remembers of people, logins and decisions."""
    found, crowd = service.scorer, service.scorer.surroundings._crowd
    counted = [each for each in found.meters._counted.collect() if each.name in COUNTED]
    assert len(counted) == len(COUNTED)
    return {
        "crowd": repr([(key, msgspec.structs.asdict(each)) for key, each in crowd._tried.items()]),
        "histories": [(user, kept.version, repr(kept.history)) for user, kept in found.profiles._cache.items()],
        "log": [repr(each) for kept in (found.log._recent, found.log._asked, found.log._waiting) for each in kept],
        "counted": repr([each.samples for each in counted]),
        "drift": repr(vars(found.live_counts)),
        "sessions": repr(service.app.state.acting.memories.held),
    }


async def test_presets_are_made_of_the_users_own_logins_or_say_that_they_are_not(service: Running) -> None:
    """Every fact stands in the address; an invented person has a history, so that something is usual for them."""
    await lived(service)
    await by_link(service, "reader")
    own = await service.client.get(f"{PAGE}?preset=new_phone&user=amelie")
    assert "ip=91.0.0.9" in own.headers["location"]
    assert "past=invented" not in own.headers["location"]
    assert "12 logins" in (await service.client.get(own.headers["location"])).text
    other = await service.client.get(f"{PAGE}?preset=usual&user=zoe")
    assert "past=invented" in other.headers["location"]
    page = unescape((await service.client.get(other.headers["location"])).text)
    assert "an invented person's history: 40 logins" in page
    assert "What policy would do is not known." in page


async def test_worse_presets_score_higher(service: Running) -> None:
    """For an invented person under the trained model: each scene of an attack is above what is usual."""
    tries = lab(service)
    scores = {name: (await tries.tried(await tries.made(name, ""))).score.risk_score for name in PRESETS}
    assert scores["usual"] < 20.0
    assert scores["usual"] <= scores["new_phone"] < scores["takeover"]
    for name in ("stuffing", "takeover", "stolen_session"):
        assert scores[name] >= 60.0, scores


async def test_the_usual_login_has_every_fingerprint_and_another_browser_none_of_its(service: Running) -> None:
    """JA4H and JA4S come with the person's browser; what another browser sends is not known."""
    await lived(service)
    for name in ("usual", "traveller", "new_phone", "takeover", "stolen_session"):
        made = (await lab(service).made(name, "amelie")).given
        had = {field: made.get(field) for field in HTTP_AND_SERVER}
        assert (name, had) == (
            name,
            HTTP_AND_SERVER if name in {"usual", "traveller"} else dict.fromkeys(HTTP_AND_SERVER),
        )


async def test_a_veiled_session_shows_networks_in_place_of_addresses(service: Running) -> None:
    """In links, fields and reasons; the network stands for the address that the person came from."""
    await lived(service)
    await by_link(service, "reader")
    with service.scorer.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE operator_sessions SET masked = 1")
    made = await service.client.get(f"{PAGE}?preset=usual&user=amelie")
    assert "ip=91.0.0.0%2F24" in made.headers["location"]
    page = (await service.client.get(made.headers["location"])).text
    assert "91.0.0.9" not in page
    assert "new address" not in page
    typed = await service.client.get(f"{PAGE}?user=amelie&ip=91.0.0.9")
    assert (typed.status_code, "91.0.0.9" in typed.headers["location"]) == (303, False)


NO_LOGINS: Final = (
    "user=a", "user=a&ip=nowhere", "user=a&ip=91.0.0.1&asn=x", "user=a&ip=91.0.0.1&kind=step_up",
    "user=a&ip=91.0.0.1&time=yesterday", "user=a&ip=91.0.0.1&people=-1", "b_user=a",
    "user=a&ip=91.0.0.1&tried=nan", "user=a&ip=91.0.0.1&people=nan", "user=a&ip=91.0.0.1&ip_rep=inf",
    f"user=a&ip=91.0.0.1&asn={'9' * 400}",
)  # fmt: skip


async def test_what_is_no_login_is_said_beside_the_form(service: Running) -> None:
    """With what was typed still in it."""
    await by_link(service, "reader")
    for query in NO_LOGINS:
        answer = await service.client.get(f"{PAGE}?{query}")
        assert (query, answer.status_code) == (query, 422)
        assert 'role="alert"' in answer.text
        assert 'value="a"' in answer.text, query
