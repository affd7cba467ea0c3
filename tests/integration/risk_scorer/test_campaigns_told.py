"""Campaigns by HTTP and on the command line."""

import json
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from plumbing.clock import FixedClock, SystemClock
from plumbing.database import Database
from plumbing.refusals import Refused
from risk_scorer.adapters.storage import open_state
from risk_scorer.campaigning import Heart, follow
from risk_scorer.cli import app
from risk_scorer.settings import Settings
from tests.campaign_crowds import NOW, bots, people
from tests.integration.risk_scorer.campaign_events import campaigns, done, watch_of
from tests.integration.risk_scorer.service import running

Chance = random.Random


@pytest.mark.anyio
async def test_campaigns_are_listed_and_told_by_http(tmp_path: Path) -> None:
    """To services with the scope, with what ties the members together; what is none is refused with a code."""
    async with running(tmp_path, with_model=False) as service:
        lesser = {"authorization": f"Bearer {service.scorer.credentials.add('lesser', ['score'])}"}
        get = service.client.get
        assert (await get("/campaigns")).json() == {"campaigns": [], "next": None, "look": None}
        database = service.scorer.database
        done(database, [*people(30, Chance(1)), *bots(12, Chance(2))])
        watch_of(database, FixedClock(NOW)).look()
        listed = (await get("/campaigns?state=open&limit=5")).json()
        [campaign] = listed["campaigns"]
        assert (campaign["members"], campaign["recommended"], listed["look"]["accounts"]) == (12, "step_up", 42)
        assert campaign["evidence"]["marks"][0]["name"] == "rhythm"
        told = (await get(f"/campaigns/{campaign['campaign_id']}")).json()
        assert len(told["members"]) == 12
        assert {"ja4", "rhythm"} <= {each["kind"] for each in told["signals"]}
        assert (await get("/campaigns?state=closed")).json()["campaigns"] == []
        for path, status, code in (
            ("/campaigns/cmp_none", 404, "unknown_campaign"),
            (f"/campaigns/{'x' * 3000}", 404, "unknown_campaign"),
            ("/campaigns/a%00b", 404, "unknown_campaign"),
            ("/campaigns?state=half", 422, "invalid_request"),
            ("/campaigns?limit=0", 422, "invalid_request"),
            ("/campaigns?limit=501", 422, "invalid_request"),
            ("/campaigns?after=yesterday", 422, "invalid_request"),
            ("/campaigns?after=%00", 422, "invalid_request"),
        ):
            answer = await get(path)
            assert (answer.status_code, answer.json()["error"]) == (status, code), path
        assert (await get("/campaigns", headers=lesser)).status_code == 403
        assert (await get("/campaigns/x", headers={"authorization": "Bearer rgs_x"})).status_code == 401


@pytest.mark.anyio
async def test_how_unusual_an_account_is_is_told_by_http(tmp_path: Path) -> None:
    """In a ranking, alone with its reasons and campaigns, and beside each member; nobody who was erased."""
    async with running(tmp_path, with_model=False) as service:
        lesser = {"authorization": f"Bearer {service.scorer.credentials.add('lesser', ['score'])}"}
        get = service.client.get
        assert (await get("/accounts/scores")).json() == {"accounts": [], "look": None}
        database = service.scorer.database
        done(database, [*people(60, Chance(1)), *bots(12, Chance(2), name="bot é ")])
        watch_of(database, FixedClock(NOW)).look()
        ranking = (await get("/accounts/scores?limit=5")).json()
        scores = [each["score"] for each in ranking["accounts"]]
        assert (len(scores), scores, ranking["look"]["accounts"]) == (5, sorted(scores, reverse=True), 72)
        told = (await get("/accounts/bot%20%C3%A9%20-8/score")).json()
        account, [membership] = told["account"], told["campaigns"]
        assert account["user_id"] == "bot é -8"
        assert account["score"] == pytest.approx((account["z_score"] + account["isolation"]) / 2, abs=0.11)
        assert 50.0 <= account["score"] <= 100.0
        assert {"name": "regularity", "text": "acts more evenly"} in account["furthest"]
        assert (membership["state"], membership["marks"]) == ("open", ["rhythm"])
        campaign = (await get(f"/campaigns/{membership['campaign_id']}")).json()
        ranked = {
            each["user_id"]: each["score"] for each in (await get("/accounts/scores?limit=500")).json()["accounts"]
        }
        assert all(each["account_score"] == ranked.get(each["user_id"]) for each in campaign["members"])
        ordinary = next(f"person-{number}" for number in range(60) if f"person-{number}" not in ranked)
        await service.client.post("/people/erase", json={"user_id": "bot é -8"})
        for path, status, code in (
            ("/accounts/bot%20%C3%A9%20-8/score", 404, "unknown_account"),
            (f"/accounts/{ordinary}/score", 404, "unknown_account"),
            ("/accounts/nobody/score", 404, "unknown_account"),
            ("/accounts/a%00b/score", 422, "invalid_request"),
            ("/accounts/scores?limit=501", 422, "invalid_request"),
        ):
            answer = await get(path)
            assert (answer.status_code, answer.json()["error"]) == (status, code), path
        assert (await get("/accounts/scores", headers=lesser)).status_code == 403
        assert (await get("/accounts/x/score", headers={"authorization": "Bearer rgs_x"})).status_code == 401


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*Settings.model_fields, "risk_scorer_config"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("RISK_SCORER_STATE", str(tmp_path / "scorer"))
    return tmp_path / "scorer"


def filled(state: Path, name: str) -> Database:
    database = open_state(state)
    late = SystemClock().now() - NOW
    crowd = [*people(30, Chance(1)), *bots(12, Chance(2), name=name, began=NOW - 1800.0)]
    done(database, [msgspec.structs.replace(each, moment=each.moment + late) for each in crowd])
    return database


def test_campaigns_are_looked_for_listed_and_shown_on_the_command_line(state: Path) -> None:
    """In words and as JSON lines; a name that would drive a terminal is written out."""
    database = filled(state, "\x1b[31mbot\n")
    run = CliRunner().invoke(app, ["campaigns", "run", "--json"])
    assert run.exit_code == 0, run.output
    looked = json.loads(run.stdout)
    assert (looked["campaigns"], looked["settled"]["opened"]) == (1, 1)
    [campaign] = campaigns(database)
    database.close()
    listed = CliRunner().invoke(app, ["campaigns", "list", "--state", "open"])
    assert listed.stdout.startswith(f"{campaign.campaign_id}\topen\t80\t12 accounts\t")
    shown = CliRunner().invoke(app, ["campaigns", "show", campaign.campaign_id])
    assert "member\t\\u{1b}[31mbot\\u{a}-3\trhythm\t" in shown.stdout
    assert "signal\tja4\t" in shown.stdout
    assert "evidence\trhythm\t100% of these accounts" in shown.stdout
    whole = json.loads(CliRunner().invoke(app, ["campaigns", "show", campaign.campaign_id, "--json"]).stdout)
    assert len(whole["members"]) == 12
    again = CliRunner().invoke(app, ["campaigns", "run"])
    assert ": 1 campaigns (0 opened, 0 closed, 0 accounts told of)" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["run", "--window", "5m"], 2, "--window is 10m to 31d"),
        (["run", "--window", "32d"], 2, "--window is 10m to 31d"),
        (["run", "--window", "a day"], 2, "--window is 10m to 31d"),
        (["list", "--state", "half"], 2, "--state is open, closed or any"),
        (["show", "cmp_none"], 1, "there is no campaign of that id"),
        (["show", "a\x00b"], 1, "there is no campaign of that id"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(state: Path, arguments: list[str], status: int, says: str) -> None:
    """With exit status 2 for wrong input."""
    done = CliRunner().invoke(app, ["campaigns", *arguments])
    assert (done.exit_code, done.stderr.count("\n")) == (status, 1)
    assert says in done.stderr


def test_following_goes_on_until_it_is_told_to_stop(state: Path, root: Path, tmp_path: Path) -> None:
    """A process of its own: what happens while it runs is found, a file says that it goes on, and SIGTERM ends it."""
    open_state(state).close()
    alive = tmp_path / "alive"
    command = "from risk_scorer.cli import main; main()"
    arguments = [sys.executable, "-c", command, "campaigns", "run", "--follow", "--every", "1", "--alive", str(alive)]
    with subprocess.Popen([*arguments, "--json"], cwd=root, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        first = json.loads(following.stdout.readline())
        begun = alive.stat().st_mtime_ns
        filled(state, "bot").close()
        looks = map(json.loads, following.stdout)
        found = next(each for each in looks if each["campaigns"])
        assert alive.stat().st_mtime_ns > begun
        following.terminate()
        assert following.wait(60) == 0
    assert (first["campaigns"], found["settled"]["opened"], found["settled"]["told"]) == (0, 1, 0)


class Away:
    """A watch whose storage is away, and whose third look hangs until it is let go."""

    def __init__(self) -> None:
        self.looks, self.hangs, self.let_go = 0, threading.Event(), threading.Event()

    def look(self) -> None:
        self.looks += 1
        if self.looks < 3:
            raise Refused("storage_unavailable", "The database is away.", status=503)
        self.hangs.set()
        self.let_go.wait()


def test_a_look_that_hangs_is_heard_of_no_more_and_storage_that_is_away_is() -> None:
    """To start anew would not bring a database back."""
    watch, stop, beats = Away(), threading.Event(), list[int]()
    given: dict[str, Any] = {"every_seconds": 0.01, "beat": lambda: beats.append(watch.looks)}
    loop = threading.Thread(target=follow, args=(watch, stop, lambda looked: None), kwargs=given)
    loop.start()
    assert watch.hangs.wait(10)
    heard = list(beats)
    stop.set()
    watch.let_go.set()
    loop.join(10)
    assert sorted(set(heard)) == [0, 1, 2]  # before each look, and never since the third


def test_the_file_of_a_process_that_goes_on_may_be_missing(tmp_path: Path) -> None:
    """Where it cannot be written the looking goes on, and the probe says what it finds."""
    Heart(tmp_path / "nowhere" / "alive").beat()
    Heart(tmp_path / "alive").beat()
    assert [each.name for each in tmp_path.iterdir()] == ["alive"]


def test_without_the_library_it_says_what_to_install(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; listing what others found does without it."""
    monkeypatch.setitem(sys.modules, "graspologic_native", None)
    run = CliRunner().invoke(app, ["campaigns", "run"])
    assert (run.exit_code, "riskgate[campaigns]" in run.stderr) == (2, True)
    assert CliRunner().invoke(app, ["campaigns", "list"]).exit_code == 0
