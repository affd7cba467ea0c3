"""`auth-gateway webhooks`: every command, what it prints, and what it refuses."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
ADD = ("webhooks", "add", "siem", "https://siem.example/in")


def test_a_destination_lives_from_its_first_secret_to_its_end(run: Run, tmp_path: Path) -> None:
    """Each step is written down, and no secret is shown a second time."""
    status, secret, errors = run(
        *ADD, "--type", "login.*", "--min-score", "60", "--ip", "keyed_hash", "--tenant", "acme"
    )
    assert (status, errors, secret.startswith("whsec_")) == (0, "", True)
    assert run("webhooks", "list")[1] == "siem\twebhook\tstandard\tenabled\thttps://siem.example/in\n"
    shown = run("webhooks", "show", "siem")[1]
    assert "types\tlogin.*\n" in shown
    assert "state\tenabled\n" in shown
    new = run("webhooks", "rotate-secret", "siem", "--overlap", "2")[1]
    assert new.startswith("whsec_")
    assert new != secret
    assert run("webhooks", "disable", "siem", "--reason", "moving")[1] == "disabled\n"
    assert run("webhooks", "disable", "siem")[1] == "was disabled\n"
    assert "moving" in run("webhooks", "list")[1]
    assert run("webhooks", "test", "siem") == (
        2, "", "auth-gateway: this destination is disabled, and gets nothing: "
        "`auth-gateway webhooks enable` lets it be told again\n",
    )  # fmt: skip
    assert run("webhooks", "enable", "siem")[1] == "enabled\n"
    everything = shown + run("webhooks", "list", "--json")[1] + run("webhooks", "show", "siem", "--json")[1]
    assert secret.strip() not in everything
    assert new.strip() not in everything
    assert run("webhooks", "remove", "siem")[:2] == (0, "removed\n")
    assert run("webhooks", "show", "siem") == (
        2, "", "auth-gateway: there is no destination of this name: "
        "`auth-gateway webhooks list` shows which there are\n",
    )  # fmt: skip
    with closing(sqlite3.connect(tmp_path / "state" / "gateway.db")) as database:
        lines = database.execute("SELECT kind, rule FROM audit WHERE kind LIKE 'webhook.%' ORDER BY seq").fetchall()
    assert lines == [
        ("webhook.added", None), ("webhook.secret_rotated", None), ("webhook.disabled", "moving"),
        ("webhook.enabled", None), ("webhook.removed", None),
    ]  # fmt: skip


def test_all_terms_can_be_given_and_are_told_to_programs(run: Run) -> None:
    """With the secret beside them, this once."""
    more = ("--format", "ocsf", "--client", "web", "--user", "name", "--user-agent", "--type", "mfa.failed", "--json")
    made = json.loads(run(*ADD, *more)[1])
    assert made["secret"].startswith("whsec_")
    assert made["webhook"] == json.loads(run("webhooks", "show", "siem", "--json")[1])
    assert made["webhook"]["privacy"] == {"ip": "prefix", "user": "name", "user_agent": True}
    assert made["webhook"]["filter"] == {"types": ["mfa.failed"], "min_score": 0.0, "clients": ["web"]}


def test_terms_are_changed_where_they_stand(run: Run, tmp_path: Path) -> None:
    """What is not given stays; an address is looked at as at first, and a change that says nothing is none."""
    before = json.loads(run(*ADD, "--type", "login.*", "--client", "web", "--min-score", "60", "--json")[1])["webhook"]
    change = ("--min-score", "80", "--all-clients", "--ip", "full", "--fold-per-minute", "6", "--json")
    after = json.loads(run("webhooks", "update", "siem", *change)[1])
    assert after == {
        **before,
        "filter": {"types": ["login.*"], "min_score": 80.0},
        "privacy": {"ip": "full", "user": "id", "user_agent": False},
        "folding": {"is_on": True, "burst": 60, "per_minute": 6.0},
    }
    moved = run("webhooks", "update", "siem", "--url", "https://siem.example/v2", "--type", "mfa.*", "--tenant", "acme")
    assert "url\thttps://siem.example/v2\n" in moved[1]
    assert "types\tmfa.*\nmin score\t80\n" in moved[1]
    for wrong in (("--url", "https://127.0.0.1/in"), (), ("--all-types", "--type", "login.*"), ("--min-score", "101")):
        assert run("webhooks", "update", "siem", *wrong)[:2] == (2, "")
    assert run("webhooks", "update", "nobody", "--tenant", "x")[0] == 2
    with closing(sqlite3.connect(tmp_path / "state" / "gateway.db")) as database:
        lines = database.execute(
            "SELECT detail, facts FROM audit WHERE kind = 'webhook.changed' ORDER BY seq"
        ).fetchall()
    known = after["destination_id"]
    assert [(detail, json.loads(facts)) for detail, facts in lines] == [
        (f"{known} filter.min_score filter.clients privacy.ip folding.per_minute", {"by": "operator"}),
        (f"{known} url tenant filter.types", {"by": "operator"}),
    ]


def test_messages_are_listed_and_tried_again(run: Run) -> None:
    """Without a gateway that runs a test stays here, and says so; what waits can be hastened."""
    run(*ADD)
    status, line, errors = run("webhooks", "test", "siem", "--wait", "0.3")
    assert (status, line.split("\t")[2:5]) == (1, ["webhook.test", "waiting", "0"])
    assert errors == "auth-gateway: nobody has tried to send it yet: is the gateway running?\n"
    listed = json.loads(run("webhooks", "deliveries", "siem", "--json")[1])
    (message,) = listed["deliveries"]
    assert (message["status"], message["attempts"], listed["next"]) == ("waiting", 0, None)
    assert run("webhooks", "deliveries", "siem", "--status", "dead")[:2] == (0, "")
    assert message["message_id"] in run("webhooks", "retry", "siem", message["message_id"])[1]
    assert run("webhooks", "retry", "siem", "--dead")[:2] == (0, "0 messages are tried again\n")
    assert run("webhooks", "retry", "siem", "msg_none")[0] == 2
    assert run("webhooks", "retry", "siem")[0] == 2
    run("webhooks", "test", "siem", "--wait", "0")
    assert "more: --before" in run("webhooks", "deliveries", "siem", "--limit", "1")[2]


def test_a_span_is_asked_for_and_its_progress_shown(run: Run) -> None:
    """One at a time; it can be stopped."""
    run(*ADD)
    status, line, _ = run("webhooks", "replay", "siem", "--from", "2026-01-31", "--type", "login.*")
    assert (status, line.split("\t")[1], line.split("\t")[3]) == (0, "running", "login.*")
    again = run("webhooks", "replay", "siem", "--from", "2026-01-31")
    assert (again[0], "--stop ends it" in again[2]) == (2, True)
    (running,) = [json.loads(text) for text in run("webhooks", "replays", "siem", "--json")[1].splitlines()]
    assert (running["state"], running["messages"]) == ("running", 0)
    assert run("webhooks", "replays", "siem", "--stop")[1].split("\t")[1] == "stopped"


@pytest.mark.parametrize(
    "arguments",
    [
        ("webhooks", "add", "two words", "https://siem.example/in"),
        ("webhooks", "add", "siem", "https://127.0.0.1/in"),
        ("webhooks", "add", "siem", "https://siem.example/in", "--kind", "pigeon"),
        ("webhooks", "add", "siem", "https://siem.example/in", "--kind", "ssf"),
        ("webhooks", "add", "siem", "https://siem.example/in", "--type", "login.maybe"),
        ("webhooks", "rotate-secret", "nobody"),
        ("webhooks", "replay", "nobody", "--from", "2026-01-31"),
        ("webhooks", "replay", "nobody", "--from", "yesterday"),
        ("webhooks", "replay", "nobody", "--from", "0001-01-01T00:00+23:59"),
        ("webhooks", "deliveries", "nobody", "--before", "nonsense"),
    ],
)
def test_what_means_nothing_is_one_line_and_status_two(run: Run, arguments: tuple[str, ...]) -> None:
    """And nothing is printed that could be taken for an answer."""
    status, output, errors = run(*arguments)
    assert (status, output, errors.count("\n")) == (2, "", 1)


def test_whoever_says_from_when_on_storms_are_folded_wants_it(run: Run) -> None:
    """A number alone counts, and is looked at like all others; with --no-fold there is none."""
    assert run(*ADD, "--fold-burst", "5")[0] == 0
    assert "storms\tfrom 5, 60 a minute\n" in run("webhooks", "show", "siem")[1]
    assert run("webhooks", "add", "two", ADD[3], "--fold-per-minute", "6", "--no-fold")[0] == 0
    assert "storms\ttold one by one\n" in run("webhooks", "show", "two")[1]
    for number in ("0", "-1", "1000001"):
        assert run("webhooks", "add", "three", ADD[3], "--fold-burst", number)[0] == 2
