"""The scorer as a process: started, used, killed, started again, stopped; and what its commands say."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.integration.risk_scorer.published import LOUD, publish_model
from tests.integration.risk_scorer.service import EVENT, WEBHOOK_SECRET
from tests.ports import free_port
from tests.stories.scorer_process import Scorer, scorer


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Scorer]:
    """A started scorer with a model, whose receiver is never there."""
    publish_model(tmp_path / "models")
    with scorer(tmp_path, WEBHOOK_URL="http://127.0.0.1:1/hooks", WEBHOOK_SECRET=WEBHOOK_SECRET) as found:
        found.start()
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def mortal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scorer]:
    """The same on each kind of database."""
    publish_model(tmp_path / "models")
    changes = {"WEBHOOK_URL": "http://127.0.0.1:1/hooks", "WEBHOOK_SECRET": WEBHOOK_SECRET}
    if request.param == "postgresql":
        changes["RISK_SCORER_DATABASE"] = request.getfixturevalue("postgresql_url")
    with scorer(tmp_path, **changes) as found:
        found.start()
        yield found


def waiting(scorer: Scorer) -> list[tuple[object, ...]]:
    """What is in the outbox."""
    sql = "SELECT message_id, event_type, delivered_at FROM outbox"
    if "RISK_SCORER_DATABASE" in scorer.changes:
        with psycopg.connect(scorer.changes["RISK_SCORER_DATABASE"]) as server:
            return list(server.execute(sql))
    with closing(sqlite3.connect(scorer.place / "scorer" / "scorer.db")) as file:
        return list(file.execute(sql))


def test_a_killed_process_keeps_what_it_announced_and_learned(mortal: Scorer) -> None:
    """After kill -9 the message waits in the outbox, the history is there, and scoring goes on."""
    running = mortal
    with running.client(running.credential()) as client:
        loud = client.post("/score", json={**EVENT, **LOUD, "event_id": "loud"}).json()
        assert loud["risk_level"] == "high"
        outcome = {"event_id": "e1", "event": EVENT, "outcome": "success", "ts": 1754740800.0}
        assert client.post("/outcomes", json=outcome).json()["learned"] == 1
        running.stop(signal.SIGKILL)
        assert waiting(running) == [("msg_loud_high_risk", "login.high_risk", None)]
        running.start()
        assert client.post("/outcomes", json=outcome).json()["learned"] == 0
        assert client.post("/score", json=EVENT).json()["explain"]["known_logins"] == 1
        assert client.get("/recent").json()["events"][-1]["event_id"] == "loud"


def test_an_open_dashboard_does_not_hold_up_a_stop(running: Scorer) -> None:
    """The live feed shows the next login, and ends at once when the service is told to stop."""
    with running.client(running.credential()) as client:
        client.post("/operator/sign-in", params={"token": running.operator_token()})
        with client.stream("GET", "/dashboard/events") as feed:
            lines = feed.iter_lines()
            assert next(lines).startswith("retry:")
            client.post("/score", json={**EVENT, "user_id": "seen-live"})
            news = next(line for line in lines if line.startswith("data:"))
            assert "seen-live" in news
            assert running.stop() < 4.0


def test_the_first_line_says_where_and_with_which_model(running: Scorer) -> None:
    """One line when it answers; a second start says the same with the model it found."""
    assert running.stop() < 10.0
    line = running.start()
    assert line.startswith(f"risk-scorer: ready on {running.url}, model ")


def test_a_taken_port_is_said_in_one_line(running: Scorer) -> None:
    """Exit status 2, the port in the text, no traceback."""
    second = running.run("serve", RISK_SCORER_STATE=str(running.place / "other"))
    assert second.returncode == 2
    assert str(running.port) in second.stderr
    assert "Traceback" not in second.stderr


def test_a_second_server_on_the_same_state_is_turned_away(running: Scorer) -> None:
    """Its histories would not be the first one's."""
    second = running.run("serve", "--port", str(free_port()))
    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert "another risk-scorer" in second.stderr


def test_commands_work_beside_the_service(running: Scorer) -> None:
    """A revocation by the command line reaches the running service within five seconds."""
    with running.client(running.credential(name="short-lived")) as client:
        assert client.get("/recent").status_code == 200
        assert "short-lived\toutcomes,read,score" in running.run("credentials", "list").stdout
        assert running.run("credentials", "revoke", "short-lived").returncode == 0
        assert within_five_seconds_refused(client)
    assert running.run("credentials", "revoke", "short-lived").returncode == 2


def within_five_seconds_refused(client: httpx2.Client) -> bool:
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        if client.get("/recent").status_code == 401:
            return True
        time.sleep(0.2)
    return False


def test_a_newly_trained_model_is_in_use_within_seconds(running: Scorer) -> None:
    """Publishing is enough: no restart, and no login goes unscored meanwhile."""
    with running.client(running.credential()) as client:
        before = client.post("/score", json=EVENT).json()["model_version"]
        publish_model(running.place / "models", seed=2)
        deadline = time.monotonic() + 15.0
        after = before
        while after == before and time.monotonic() < deadline:
            answer = client.post("/score", json=EVENT)
            assert answer.status_code == 200
            after = answer.json()["model_version"]
            time.sleep(0.05)
        assert after != before
        assert client.get("/ready").json()["model_version"] == after


def test_the_serving_path_loads_no_training_library(tmp_path: Path) -> None:
    """Starting the service imports neither scikit-learn nor pandas nor joblib (numba alone looks for scipy)."""
    heavy = ["sklearn", "pandas", "joblib", "pyarrow", "duckdb", "ibis"]
    code = f"import risk_scorer.app, sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
