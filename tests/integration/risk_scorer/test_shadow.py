"""A second model beside the one that decides, in a running scorer: what it is given, what is kept, what is told."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from plumbing.database import Database
from plumbing.statements import Row, Statement, Value
from risk_scorer.adapters.model_store import State
from risk_scorer.adapters.registry_places import PlaceAway
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.adapters.seen_pointers import SeenPointers
from risk_scorer.adapters.shadow_log import ShadowLog, pairs_of, scores_of_pair
from risk_scorer.adapters.shadow_model import ShadowModel
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.shadow import ShadowScore
from risk_scorer.core.model import Model
from risk_scorer.streaming import assess_of
from tests.integration.risk_scorer.conftest import NOW
from tests.integration.risk_scorer.published import KEY, LOUD, publish_model
from tests.integration.risk_scorer.registered import Registered
from tests.integration.risk_scorer.service import EVENT, Running, running
from training.cli import app
from training.registry.journal import Act, told

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(tmp_path: Path, scorer_url: str) -> AsyncIterator[Running]:
    """A scorer on either database, with a shadow that lacks the rule on bad reputations."""
    publish_model(tmp_path / "shadow", seed=2, rule="listed_network")
    shared = {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}
    async with running(tmp_path, model_shadow_dir=tmp_path / "shadow", **shared) as found:
        yield found


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not so():  # noqa: ASYNC110 - what is looked for is on the disk
            await asyncio.sleep(0.01)


async def scored(service: Running, **changes: Any) -> dict[str, Any]:
    answer = await service.client.post("/score", json={**EVENT, **changes})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def kept(service: Running) -> list[ShadowScore]:
    """Everything on the disk."""
    asked = Asked(service.scorer.database)
    return [each for pair in pairs_of(asked) for each in scores_of_pair(asked, active=pair.active, shadow=pair.shadow)]


class Asked:
    """A database as readers of the log ask it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, statement: Statement, **values: Value) -> list[Row]:
        return self._database.read(lambda tx: tx.all(statement, **values))


async def test_the_shadow_scores_every_login_and_decides_none(service: Running) -> None:
    """The answer is the active model's; what the shadow makes of it is kept with both versions."""
    loud, quiet = await scored(service, event_id="e1", **LOUD), await scored(service, event_id="e2")
    await until(lambda: len(kept(service)) == 2)
    one, other = kept(service)
    active, shadow = service.scorer.model_version(), service.scorer.shadowing.version
    assert active != shadow
    assert loud["model_version"] == quiet["model_version"] == active
    assert (loud["risk_score"], one.active_score, one.score) == (90.0, 90.0, 10.0)
    assert (quiet["risk_score"], other.active_score, other.score) == (10.0, 10.0, 10.0)
    assert (one.event_id, one.user_id, one.active_version, one.version) == ("e1", "alice", active, shadow)


async def test_one_version_gives_one_score_live_in_shadow_and_in_bulk(tmp_path: Path) -> None:
    """The same events to a scorer that the version shadows at, and to one where it decides."""
    publish_model(tmp_path / "a" / "shadow", seed=2)
    (tmp_path / "b").mkdir()
    events = [{**EVENT, "event_id": f"e{rep}", "ip_rep": rep + 0.125, "timestamp": NOW} for rep in range(50, 100, 5)]
    async with running(tmp_path / "a", model_shadow_dir=tmp_path / "a" / "shadow") as service:
        for event in events:
            await scored(service, **event)
        await until(lambda: len(kept(service)) == len(events))
        shadowed = {each.event_id: each.score for each in kept(service)}
        version = service.scorer.shadowing.version
    publish_model(tmp_path / "b" / "models", seed=2)
    async with running(tmp_path / "b", with_model=False) as service:
        assert service.scorer.model_version() == version
        live = {event["event_id"]: (await scored(service, **event))["risk_score"] for event in events}
        bulk = (await service.client.post("/bulk_score", json=events)).json()
    assert shadowed == live == {each["event_id"]: each["risk_score"] for each in bulk}
    assert len(set(live.values())) > 5


async def test_a_question_is_no_login_and_is_not_shadowed(service: Running) -> None:
    """A bulk that announces nothing asks; one that announces has happened."""
    await service.client.post("/bulk_score", json=[EVENT] * 3)
    await service.client.post("/bulk_score", json={"events": [{**EVENT, "event_id": "e9"}], "announce": True})
    await until(lambda: kept(service))
    assert [each.event_id for each in kept(service)] == ["e9"]


async def test_what_the_stream_brings_is_shadowed_too(service: Running) -> None:
    """The same function scores it, and offers it."""
    events = [msgspec.convert({**EVENT, "event_id": f"s{number}"}, LoginEvent) for number in range(3)]
    assess = assess_of(service.scorer)
    await assess.each(events, together=2, take=lambda _start, _answers: None)
    await until(lambda: len(kept(service)) == 3)
    assert [each.event_id for each in kept(service)] == ["s0", "s1", "s2"]


async def test_the_shadow_comes_changes_and_goes_while_we_serve(service: Running, tmp_path: Path) -> None:
    """A damaged one is refused with its code; the model that decides is the same all the time."""
    shadowing, decides = service.scorer.shadowing, service.scorer.model_version()
    first = shadowing.version
    publish_model(tmp_path / "shadow", seed=3)
    shadowing.model.look()
    assert shadowing.version not in (first, None)
    (tmp_path / "shadow" / "encoders.json").write_bytes(b"{}")
    os.utime(tmp_path / "shadow" / "manifest.sig", (NOW, NOW))
    shadowing.model.look()
    assert (shadowing.version, shadowing.problem) == (None, "hash_mismatch")
    assert (await scored(service))["model_version"] == decides
    shutil.rmtree(tmp_path / "shadow")
    shadowing.model.look()
    assert (shadowing.version, shadowing.problem) == (None, None)


async def test_what_would_be_otherwise_is_told_in_sum_and_login_by_login(service: Running) -> None:
    """Counts by both levels, and the logins that differ, the newest first."""
    for number in range(3):
        await scored(service, event_id=f"e{number}", **(LOUD if number else {}))
    await until(lambda: len(kept(service)) == 3)
    told = (await service.client.get("/shadow?limit=1&hours=1")).json()
    assert (told["active"], told["shadow"]) == (service.scorer.model_version(), service.scorer.shadowing.version)
    assert told["logins"] == told["scored"] == 3
    assert told["levels"]["high"] == {"low": 2, "medium": 0, "high": 0}
    assert told["levels"]["low"]["low"] == 1
    assert [each["event_id"] for each in told["events"]] == ["e2"]
    exposition = service.scorer.meters.exposition().decode()
    assert 'riskgate_shadow_scores_total{active="high",shadow="low"} 2.0' in exposition
    assert 'riskgate_shadow_lost_total{reason="dropped"} 0.0' in exposition


@pytest.mark.parametrize("query", ["hours=0", "hours=169", "limit=501", "limit=x", "limit=-1"])
async def test_a_wrong_question_is_refused(tmp_path: Path, query: str) -> None:
    """A stable code and the field, also where nothing shadows; without a credential nothing is told at all."""
    async with running(tmp_path) as service:
        answer = await service.client.get(f"/shadow?{query}")
        assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
        assert (await service.client.get("/shadow")).json()["shadow"] is None
        assert (await service.client.get("/shadow", headers={"authorization": ""})).status_code == 401


async def test_a_shadow_that_was_shut_off_is_told_and_costs_nobody_an_answer(service: Running) -> None:
    """`/shadow` and the parts at the side door say why; `/ready` stays ready."""
    shadow = service.scorer.shadowing.shadow
    model = shadow.model()
    assert model is not None
    for _ in range(3):
        shadow._fail(model, "shadow_failing", 1)
    assert service.scorer.shadowing.problem == "shadow_failing"
    assert (await scored(service))["risk_score"] == 10.0
    assert (await service.client.get("/shadow")).json()["problem"] == "shadow_failing"
    assert (await service.client.get("/ready")).status_code == 200
    parts = {part.name: part for part in await service.app.state.watching.parts.look()}
    assert (parts["shadow"].reason, parts["shadow"].is_needed) == ("shadow_failing", False)


async def test_a_person_who_is_erased_leaves_no_shadow(service: Running) -> None:
    """Neither on the disk nor among what waits; the others' stay."""
    await scored(service, event_id="e1")
    await scored(service, event_id="e2", user_id="bob")
    await until(lambda: len(kept(service)) == 2)
    await scored(service, event_id="e3")
    answer = await service.client.post("/people/erase", json={"user_id": "alice"})
    assert answer.json()["shadow_scores"] >= 1
    await scored(service, event_id="e4", user_id="bob")
    await until(lambda: len(kept(service)) == 2)
    assert [each.event_id for each in kept(service)] == ["e2", "e4"]


def score(event_id: str, ts: float = NOW) -> ShadowScore:
    return ShadowScore(
        event_id=event_id, user_id="u", success=True, ts_scored=ts, active_version="a", active_score=60.0,
        version="b", score=59.99,
    )  # fmt: skip


async def test_what_is_kept_is_kept_once_and_forgotten_with_its_age(database: Database) -> None:
    """The first score of a login stands; what is exactly as old as it may be stays."""
    log = ShadowLog(database)
    log.keep([score("old", NOW - 1), score("new"), score("new", NOW + 5)])
    await until(lambda: list(scores_of_pair(Asked(database), active="a", shadow="b")))
    assert await log.prune(NOW) == 1
    assert list(scores_of_pair(Asked(database), active="a", shadow="b")) == [score("new")]
    assert await log.counts("a", "b", NOW) == {("medium", "low"): 1}
    assert await log.counts("a", "b", NOW + 1) == {}


async def test_what_the_disk_does_not_take_is_dropped_and_counted(database: Database, run_sql: Any) -> None:
    """Whoever offers is not told; once the disk takes scores again, they are kept."""
    log = ShadowLog(database)
    run_sql("ALTER TABLE shadow_scores RENAME TO elsewhere")
    log.keep([score("e1"), score("e2")])
    await until(lambda: log.dropped == 2)
    run_sql("ALTER TABLE elsewhere RENAME TO shadow_scores")
    log.keep([score("e3")])
    await until(lambda: list(scores_of_pair(Asked(database), active="a", shadow="b")))
    assert list(scores_of_pair(Asked(database), active="a", shadow="b")) == [score("e3")]


async def test_live_logins_are_compared_from_the_scorers_database(service: Running, scorer_url: str) -> None:
    """People a day, and confirmed compromises that the active model caught and the shadow would have missed."""
    for number in range(6):
        await scored(service, event_id=f"e{number}", user_id=f"u{number}", **(LOUD if number < 3 else {}))
    verdict = {"event_id": "e0", "verdict": "confirmed_compromised", "by": "soc", "reason": "ticket 12"}
    assert (await service.client.post("/feedback", json=verdict)).status_code == 200
    await until(lambda: len(kept(service)) == 6)
    file = service.scorer.settings.risk_scorer_state / "scorer.db"
    url = scorer_url if not scorer_url.startswith("sqlite") else f"sqlite:///{file}"

    def compare(*more: str) -> Result:
        return CliRunner().invoke(app, ["compare", "active", "shadow", "--shadow", "--database", url, *more])

    told = json.loads(compare("--json").stdout)
    assert (told["active"], told["candidate"]) == (service.scorer.model_version(), service.scorer.shadowing.version)
    [step_up, deny] = told["prompts"]
    assert (step_up["logins"], step_up["active"], step_up["candidate"], deny["active"]) == (5, 2, 0, 2)
    [confirmed] = told["caught"]
    assert (confirmed["source"], confirmed["attacks"], confirmed["only_active"]) == ("confirmed", 1, 1)
    assert [each["event_id"] for each in told["events"]] == ["e0", "e1", "e2"]
    words = compare().stdout
    assert "Would prompt 48 fewer people a day" in words
    assert "misses 1 of 1 that it caught" in words
    later = compare("--from", "2999-01-01")
    assert (later.exit_code, later.stderr.split(":")[0]) == (2, "error nothing_to_judge")


async def test_a_registrys_pointer_says_who_shadows(tmp_path: Path) -> None:
    """A version is named, another one, none; an old pointer that is put back is not believed; the active one stays."""
    registered = Registered(tmp_path / "registry")
    one, two, three = (registered.add(seed) for seed in (1, 2, 3))
    registered.point(one)
    old = registered.point(two, "shadow")
    registry = str(tmp_path / "registry")
    async with running(tmp_path, with_model=False, model_registry=registry) as service:
        shadowing = service.scorer.shadowing
        assert (service.scorer.model_version(), shadowing.version) == (one, two)
        registered.point(three, "shadow")
        shadowing.model.look()
        assert shadowing.version == three
        registered.put_pointer(old, "shadow")
        shadowing.model.look()
        assert (shadowing.version, shadowing.problem) == (None, "pointer_replayed")
        act = Act(kind="shadow", model_version=None, at=NOW, by="tests", moves="shadow")
        told(registered.registry, act, KEY, journal=registered.registry.journal())
        shadowing.model.look()
        assert (service.scorer.model_version(), shadowing.version, shadowing.problem) == (one, None, None)


async def test_a_registry_that_is_away_leaves_the_shadow_as_it_is(tmp_path: Path) -> None:
    """It is told; once the registry is back, whoever was named meanwhile shadows."""
    registered = Registered(tmp_path / "registry")
    one, two = registered.add(1), registered.add(2)
    source = Flaky(RegistrySource(
        registered.registry.place, [registered.public_key()], address="r", seen=SeenPointers(None), pointer="shadow"
    ))  # fmt: skip
    registered.point(one, "shadow")
    model = ShadowModel(source)
    model.reload()
    source.is_away = True
    registered.point(two, "shadow")
    model.look()
    found = model.current()
    assert found is not None
    assert (found.version, model.problem) == (one, "registry_unavailable")
    source.is_away = False
    model.look()
    found = model.current()
    assert found is not None
    assert (found.version, model.problem) == (two, None)


class Flaky:
    """A source that may be away."""

    def __init__(self, source: RegistrySource) -> None:
        self._source = source
        self.is_away = False

    def state(self, *, thorough: bool) -> State:
        self._require()
        return self._source.state(thorough=thorough)

    def fetch(self) -> tuple[Model, Mapping[str, bytes]]:
        self._require()
        return self._source.fetch()

    def claimed_version(self) -> str | None:
        return None

    def _require(self) -> None:
        if self.is_away:
            raise PlaceAway("away")
