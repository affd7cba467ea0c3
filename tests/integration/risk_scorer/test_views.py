"""The analysts' views, on both databases: each finds what it is for, and nothing beside it."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, insert
from typer.testing import CliRunner

from plumbing.database import Database
from plumbing.statements import Statement
from risk_scorer.adapters.activity.views import ALL
from risk_scorer.adapters.tables import activity_events, incidents, sign_ins, verdict_words
from risk_scorer.cli import app
from risk_scorer.core.abuse.view import asked
from tests.integration.risk_scorer.service import running

MONDAY = 1_759_708_800.0  # 6 October 2025, 00:00 UTC
NOW = MONDAY + 30 * 86_400
USUAL: dict[str, Any] = {
    "client_id": "shop", "ip": "198.51.100.9", "prefix": "198.51.100.0/24", "asn": 64_500, "country": "US",
    "device_id": "", "ja4": "", "user_agent": "", "browser": "", "endpoint": "/", "method": "GET", "status": 200,
    "latency_ms": 5.0, "bytes_in": 0, "bytes_out": 0, "service": "shop", "trace_id": "", "event_type": "",
    "score": 0.0, "signals": "[]", "answered": b"", "said": None,
}  # fmt: skip
_KEPT = [column.name for column in activity_events.columns if column.name != "id"]
KEEP = Statement(insert(activity_events).values({name: bindparam(name) for name in _KEPT}))


_LOGIN: dict[str, Any] = {
    "event_key": 0, "client_id": "shop", "kind": "login", "level": "low", "score": 10.0, "decision": "allow",
    "rule": "", "factor": "", "outcome": "success", "verdict": "", "ip": "198.51.100.9", "prefix": "198.51.100.0/24",
    "asn": 64_500, "asn_name": "", "country": "US", "region": "", "city": "", "device_id": "", "browser": "", "os": "",
    "ja4": "", "reasons": "", "model_version": "1", "dominant": "",
}  # fmt: skip
_LOGINS = [column.name for column in sign_ins.columns if column.name != "seq"]
KEEP_LOGIN = Statement(insert(sign_ins).values({name: bindparam(name) for name in _LOGINS}))


def login(user: str, ts: float, **facts: Any) -> dict[str, Any]:
    return {"user_id": user, "ts": ts, "event_id": f"{user}-{ts}", **_LOGIN, **facts}


def keep_logins(database: Database, logins: Sequence[dict[str, Any]]) -> None:
    database.write_sync(lambda tx: tx.many(KEEP_LOGIN, logins))


def event(user: str, ts: float, **facts: Any) -> dict[str, Any]:
    return {"user_id": user, "ts": ts, "session_id": f"ses-{user}", "event_id": f"{user}-{ts}", **USUAL, **facts}


def keep(database: Database, events: Sequence[dict[str, Any]]) -> None:
    database.write_sync(lambda tx: tx.many(KEEP, events))


def answer(database: Database, name: str, **given: object) -> list[dict[str, Any]]:
    texts = {parameter: str(value) for parameter, value in given.items()}
    values = asked(ALL[name].view, {"since": str(MONDAY), "until": str(NOW), **texts}, now=NOW)
    return database.read(lambda tx: ALL[name].ask(tx, values))


def test_a_burst_is_found_wherever_its_window_begins(database: Database) -> None:
    """Five within a minute across its turn; five within five minutes are none."""
    keep(database, [event("bot", MONDAY + 50 + 4 * number) for number in range(5)])
    keep(database, [event("bob", MONDAY + 60 * number) for number in range(5)])
    assert answer(database, "bursts", window_seconds=60, least=5) == [
        {
            "user_id": "bot",
            "windows": 1,
            "shortest_seconds": 16.0,
            "began_at": MONDAY + 50,
            "ended_at": MONDAY + 66,
        }
    ]
    assert answer(database, "bursts", window_seconds=15.9, least=5) == []
    assert [row["windows"] for row in answer(database, "bursts", window_seconds=60, least=4)] == [2]


def test_accounts_are_counted_by_the_address_that_they_share(database: Database) -> None:
    """Each account once, whatever it does; what is unknown is nobody's."""
    keep(database, [event(f"u{number % 3}", MONDAY + number, ip="203.0.113.7", status=401) for number in range(6)])
    keep(database, [event("alone", MONDAY + number, ip="203.0.113.8") for number in range(6)])
    keep(database, [event(f"v{number}", MONDAY, ip="") for number in range(6)])
    [found] = answer(database, "shared_addresses", least=3)
    assert found == {
        "ip": "203.0.113.7",
        "accounts": 3,
        "sessions": 3,
        "devices": 0,
        "events": 6,
        "failures": 6,
        "first_at": MONDAY,
        "last_at": MONDAY + 5,
    }


def test_a_device_of_several_accounts_is_found(database: Database) -> None:
    """With the addresses and fingerprints that it had."""
    facts = [("203.0.113.1", "a"), ("203.0.113.2", "a"), ("203.0.113.2", "b")]
    keep(database, [event(f"u{n}", MONDAY, device_id="dev-1", ip=ip, ja4=ja4) for n, (ip, ja4) in enumerate(facts)])
    keep(database, [event("u9", MONDAY, device_id="dev-2"), event("u8", MONDAY)])
    [found] = answer(database, "device_reuse", least=3)
    assert (found["device_id"], found["accounts"], found["addresses"], found["fingerprints"]) == ("dev-1", 3, 2, 2)
    assert answer(database, "device_reuse", least=4) == []


def test_sessions_without_success_are_found(database: Database) -> None:
    """Six sessions and one success; a busy person has many successes in each."""
    keep(database, [event("bot", MONDAY + n, session_id=f"s{n}", status=200 if n == 0 else 403) for n in range(6)])
    keep(database, [event("bob", MONDAY + n, session_id=f"t{n % 6}") for n in range(60)])
    keep(database, [event("eve", MONDAY + n, session_id=f"r{n}", status=0) for n in range(5)])
    found = answer(database, "session_success", least=5, ratio=2)
    assert found == [
        {"user_id": "bot", "sessions": 6, "successes": 1, "failures": 5, "ratio": 6.0},
        {"user_id": "eve", "sessions": 5, "successes": 0, "failures": 0, "ratio": 5.0},
    ]


def test_many_resources_within_a_moment_are_found(database: Database) -> None:
    """Different ones, in one session; the same one again and again is none."""
    keep(database, [event("bot", MONDAY + n, endpoint=f"/admin/{n % 4}") for n in range(8)])
    keep(database, [event("bob", MONDAY + n, endpoint="/inbox") for n in range(8)])
    keep(database, [event("eve", MONDAY + 60 * n, endpoint=f"/page/{n}") for n in range(8)])
    [found] = answer(database, "rapid_resources", window_seconds=10, least=4)
    assert found == {
        "user_id": "bot",
        "session_id": "ses-bot",
        "resources": 4,
        "first_at": MONDAY + 3,
        "last_at": MONDAY + 7,
    }


def most_within(events: list[tuple[float, int]], window: float, least: int) -> list[tuple[int, float, float]]:
    """The same by looking at every window: the most resources, and the first and last end of a full one."""
    reached = [(len({what for at, what in events if end - window < at <= end}), end) for end, _ in events]
    full = [(found, end) for found, end in reached if found >= least]
    return [(max(full)[0], min(end for _, end in full), max(end for _, end in full))] if full else []


@pytest.mark.parametrize("seed", range(6))
def test_rapid_resources_are_those_of_every_window(database: Database, seed: int) -> None:
    """Whatever comes again, at once or just when it was too old."""
    chance = random.Random(seed)
    events = [(MONDAY + chance.randrange(60) / 2, chance.randrange(7)) for _ in range(60)]
    keep(database, [event("eve", at, endpoint=f"/page/{what}") for at, what in events])
    for window, least in ((0.5, 2), (2.0, 3), (7.5, 5), (60.0, 7)):
        found = answer(database, "rapid_resources", window_seconds=window, least=least)
        told = [(row["resources"], row["first_at"], row["last_at"]) for row in found]
        assert told == most_within(events, window, least)


def test_a_session_of_very_many_events_is_sorted_and_not_squared(database: Database) -> None:
    """Who asks for ten thousand things within a minute is found, and holds up nobody who looks."""
    keep(database, [event("bot", MONDAY + n / 200, endpoint=f"/page/{n % 50}") for n in range(10_000)])
    [found] = answer(database, "rapid_resources", window_seconds=3600, least=10)
    assert (found["user_id"], found["resources"]) == ("bot", 50)


def test_new_accounts_are_held_against_aged_ones(database: Database) -> None:
    """An account is new for its first days, and aged after them."""
    day = 86_400.0
    keep(database, [event("bob", MONDAY + n * day) for n in (0, 5, 20)])
    keep(database, [event("eve", MONDAY + 20 * day, status=403, score=75.0)])
    assert answer(database, "cohorts", new_days=14) == [
        {"cohort": "new", "accounts": 2, "sessions": 2, "events": 3, "failures": 1, "risky_sessions": 1},
        {"cohort": "aged", "accounts": 1, "sessions": 1, "events": 1, "failures": 0, "risky_sessions": 0},
    ]
    assert [(row["week_at"], row["cohort"], row["events"]) for row in answer(database, "weekly_cohorts")] == [
        (MONDAY, "new", 2),
        (MONDAY + 14 * day, "new", 1),
        (MONDAY + 14 * day, "aged", 1),
    ]


def test_a_week_ends_on_sunday_at_midnight(database: Database) -> None:
    """The last moment of a Sunday belongs to its week, however it is rounded."""
    week = 604_800.0
    keep(database, [event("bob", MONDAY + week - 0.25, score=60.0), event("bob", MONDAY + week, score=80.0)])
    assert answer(database, "weekly_sessions") == [
        {"week_at": MONDAY, "accounts": 1, "sessions": 1, "events": 1, "prompted": 1, "reset": 0},
        {"week_at": MONDAY + week, "accounts": 1, "sessions": 1, "events": 1, "prompted": 1, "reset": 1},
    ]


def test_logins_count_where_the_question_makes_sense_for_them(database: Database) -> None:
    """Beside what was reported of sessions, alone, or not at all; a refresh is made by a timer, and is no login."""
    keep(database, [event("u0", MONDAY, ip="203.0.113.7", device_id="d"), event("u1", MONDAY, ip="203.0.113.7")])
    logins = [login(f"u{n}", MONDAY + n, ip="203.0.113.7", device_id="d") for n in (1, 2, 3)]
    logins += [
        login("u4", MONDAY, ip="203.0.113.7", kind="refresh"),
        login("u2", MONDAY + 9, decision="deny", outcome=""),
    ]
    keep_logins(database, logins)
    for of, accounts in (("both", 4), ("logins", 3), ("activity", 2)):
        [found] = answer(database, "shared_addresses", least=2, of=of)
        assert (found["ip"], found["accounts"]) == ("203.0.113.7", accounts)
    assert [row["accounts"] for row in answer(database, "device_reuse", least=2)] == [4]
    assert answer(database, "bursts", least=2, window_seconds=60, of="logins")[0]["user_id"] == "u2"
    assert [row["events"] for row in answer(database, "cohorts")] == [6]
    assert [row["events"] for row in answer(database, "cohorts", of="activity")] == [2]
    assert [row["failures"] for row in answer(database, "weekly_cohorts", of="logins")] == [1]


def test_an_account_that_tries_often_and_gets_in_seldom_is_found(database: Database) -> None:
    """Of real logins: refused and failed ones against those that were let in."""
    tries = [("deny", ""), ("challenge", "mfa_failed"), ("allow", "failure"), ("challenge", "mfa_passed"), ("deny", "")]
    keep_logins(database, [login("bot", MONDAY + n, decision=d, outcome=o) for n, (d, o) in enumerate(tries)])
    keep_logins(database, [login("bob", MONDAY + n) for n in range(9)])
    assert answer(database, "session_success", of="logins", least=5, ratio=2) == [
        {"user_id": "bot", "sessions": 5, "successes": 1, "failures": 4, "ratio": 5.0}
    ]
    assert answer(database, "session_success", of="activity", least=1, ratio=0) == []


def test_a_week_of_decisions_tells_attacks_from_false_alarms(database: Database) -> None:
    """A prompt that was passed was not needed, and a refusal was an attack, until somebody finds out otherwise."""
    week, asked = 604_800.0, {"decision": "challenge", "level": "medium", "factor": "totp"}
    told: list[dict[str, Any]] = [
        {}, {**asked, "outcome": "mfa_passed"}, {**asked, "outcome": "mfa_failed"},
        {**asked, "outcome": "mfa_passed", "verdict": "confirmed_compromised"},
        {"decision": "challenge", "outcome": ""}, {"decision": "deny", "outcome": ""},
        {"decision": "deny", "outcome": "", "verdict": "confirmed_safe"}, {"verdict": "confirmed_compromised"},
    ]  # fmt: skip
    keep_logins(database, [login(f"u{n}", MONDAY + n, **facts) for n, facts in enumerate(told)])
    keep_logins(database, [login("u0", MONDAY + week), login("u0", MONDAY + week, kind="refresh", decision="deny")])
    first, second = answer(database, "weekly_decisions")
    assert first == {
        "week_at": MONDAY, "accounts": 8, "logins": 8, "attacks": 3, "denied": 2, "prompts": 4, "passed": 2,
        "failed": 1, "judged": 3, "false_alarms": 2,
    }  # fmt: skip
    assert (second["week_at"], second["logins"], second["attacks"]) == (MONDAY + week, 1, 0)


def test_a_weeks_remediation_is_the_median_of_first_words_and_of_closed_incidents(database: Database) -> None:
    """A later word about the same login changes nothing, and what is open does not count yet."""
    keep_logins(database, [login(f"u{n}", MONDAY, event_id=f"e{n}", verdict="dismissed") for n in range(3)])
    keep_logins(database, [login("u9", MONDAY, event_id="e9")])
    said = [("e0", 60.0), ("e1", 600.0), ("e2", 86_400.0), ("e0", 90_000.0)]
    for name, after in said:
        say(database, name, MONDAY + after)
    taken = [("closed", 100.0), ("closed", 300.0), ("open", 5_000.0)]
    kept = ("incident_id", "key", "state", "owner", "score", "opened_at", "updated_at", "body", "version")
    rows = [
        (f"i{n}", f"k{n}", state, "", 1.0, MONDAY + 5, MONDAY + 5 + after, b"{}", 1)
        for n, (state, after) in enumerate(taken)
    ]
    keep_incident = Statement(insert(incidents).values({name: bindparam(name) for name in kept}))
    database.write_sync(lambda tx: tx.many(keep_incident, [dict(zip(kept, row, strict=True)) for row in rows]))
    assert answer(database, "weekly_remediation") == [
        {"week_at": MONDAY, "judged": 3, "verdict_seconds": 600.0, "incidents": 2, "close_seconds": 200.0}
    ]


@pytest.mark.parametrize("name", list(ALL))
def test_a_view_of_nothing_has_no_rows(database: Database, name: str) -> None:
    """And a span without events is nothing."""
    assert answer(database, name) == []
    keep(database, [event("bob", MONDAY - 1), event("bob", NOW)])
    keep_logins(database, [login("bob", MONDAY - 1), login("bob", NOW)])
    assert answer(database, name) == []


def say(database: Database, event_id: str, at: float) -> None:
    """Somebody's word about a login."""
    word = {"user_id": "u", "verdict": "dismissed", "by": "soc", "source": "analyst", "ts": at}
    keep_word = Statement(
        insert(verdict_words).values({name: bindparam(name) for name in (*word, "event_id", "recorded_at")})
    )
    database.write_sync(lambda tx: tx.run(keep_word, **word, event_id=event_id, recorded_at=at))


@pytest.mark.parametrize("name", list(ALL))
def test_no_view_answers_more_rows_than_asked_for(database: Database, name: str) -> None:
    """Whatever is in the store."""
    for user in ("a", "b", "c", "d"):
        for n in range(12):
            facts = {"device_id": f"dev-{n % 2}", "ip": f"203.0.113.{n % 2}", "endpoint": f"/{n}"}
            at = MONDAY + 86_400 * 9 * (n % 2) + n
            keep(database, [event(user, at, session_id=f"{user}{n % 6}", **facts)])
            keep_logins(database, [login(user, at, event_id=f"{user}{n}", verdict="dismissed")])
            say(database, f"{user}{n}", at + 5)
    least = {"least": 2} if any(each.name == "least" for each in ALL[name].view.parameters) else {}
    window = {"window_seconds": 3600} if name in {"bursts", "rapid_resources"} else {}
    ratio = {"ratio": 0} if name == "session_success" else {}
    assert len(answer(database, name, limit=1, **least, **window, **ratio)) == 1


@pytest.mark.anyio
async def test_views_are_asked_by_http(tmp_path: Path) -> None:
    """By name, with the refusals of every endpoint."""
    async with running(tmp_path) as service:
        keep(service.scorer.database, [event("bot", MONDAY + n / 10) for n in range(5)])
        listed = (await service.client.get("/views")).json()["views"]
        assert [view["name"] for view in listed] == list(ALL)
        span = {"since": str(MONDAY), "until": "2025-11-01T00:00:00Z", "least": "5"}
        found = await service.client.get("/views/bursts", params=span)
        assert found.status_code == 200
        assert found.json()["parameters"]["until"] == 1_761_955_200.0
        assert [row["user_id"] for row in found.json()["rows"]] == ["bot"]
        for path, status, code in (
            ("/views/nothing", 404, "unknown_view"),
            ("/views/bursts?least=x", 422, "invalid_request"),
            ("/views/bursts?of=everything", 422, "invalid_request"),
            ("/views/bursts?least=5&least=6", 422, "invalid_request"),
            ("/views/bursts?since=2026-01-01&until=2025-01-01", 422, "invalid_request"),
        ):
            refused = await service.client.get(path)
            assert (refused.status_code, refused.json()["error"]) == (status, code)
        alone = await service.client.get("/views", headers={"authorization": "Bearer rgs_nobody"})
        assert alone.status_code == 401


def test_views_are_asked_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CSV that no spreadsheet runs, as JSON lines, and with one line for what is wrong."""
    monkeypatch.setenv("RISK_SCORER_STATE", str(tmp_path))
    database = Database.open(f"sqlite:///{tmp_path}/scorer.db", metadata=activity_events.metadata)
    run = CliRunner().invoke
    assert run(app, ["views", "run", "bursts"]).exit_code == 0  # makes the file
    keep(database, [event("=cmd()", MONDAY + n / 10) for n in range(5)])
    database.close()
    span = ["--param", f"since={MONDAY}", "--param", "least=5"]
    table = run(app, ["views", "run", "bursts", *span]).stdout.splitlines()
    assert table[0] == "user_id,windows,shortest_seconds,began_at,ended_at"
    assert table[1].startswith("'=cmd(),1,")
    assert '"user_id":"=cmd()"' in run(app, ["views", "run", "bursts", *span, "--json"]).stdout
    assert "SELECT" in run(app, ["views", "show", "cohorts"]).stdout
    assert len(run(app, ["views", "list"]).stdout.splitlines()) == len(ALL)
    for wrong in (["run", "nothing"], ["run", "bursts", "--param", "least"], ["run", "bursts", "--param", "least=x"]):
        refused = run(app, ["views", *wrong])
        assert refused.exit_code == 2
        assert refused.stderr.count("\n") == 1
