"""POST /assess and what belongs to it: whose event it is, what is answered, what is kept."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plumbing.clock import FixedClock
from risk_scorer.contract.signals import SessionRiskSignal
from risk_scorer.flows.activity.standing import RESPONSES
from tests.integration.risk_scorer.service import Running, running
from tests.integration.risk_scorer.test_erasure import places_of

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
NOTICE = {
    "session_id": "ses-1", "user_id": "alice", "state": "started", "at": NOW - 1_300_000, "client_id": "shop",
    "ip": "198.51.100.9", "user_agent": CHROME, "device_id": "dev-1", "roles": ["user"], "privileges": ["read"],
}  # fmt: skip


def event(number: int = 0, **changes: Any) -> dict[str, Any]:
    """One thing that alice does in her session."""
    identity = {"user_id": "alice", "session_id": "ses-1", "ip": "198.51.100.9", "user_agent": CHROME}
    identity |= {name: changes.pop(name) for name in ("user_id", "session_id", "ip", "token") if name in changes}
    named = {name: changes.pop(name) for name in ("event_id", "privilege_change") if name in changes}
    done = {"timestamp": NOW - 50 + number, "endpoint": f"/orders/{number}", "status_code": 200, "service": "shop"}
    return {"identity": identity, "event": {**done, **changes}, **named}


@pytest.fixture
async def service(tmp_path: Path, scorer_url: str) -> AsyncIterator[Running]:
    shared = {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **shared) as found:
        assert (await found.client.post("/sessions", json=NOTICE)).json() == {"heard": 1, "known_before": 0}
        yield found


def rows(service: Running, sql: str) -> list[Any]:
    with service.scorer.database.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


async def test_the_first_event_of_a_new_person_is_no_alarm(service: Running) -> None:
    """What is not known yet is said to be unknown, and the answer is kept."""
    answer = await service.client.post("/assess", json=event())
    told = answer.json()
    assert (answer.status_code, told["action"], told["risk_level"], told["identity"]) == (
        200,
        "allow",
        "low",
        "session",
    )
    assert told["unknown"]
    assert round(sum(each["points"] for each in told["signals"]), 2) == told["total_score"]
    kept = "SELECT user_id, session_id, client_id, prefix, browser, endpoint, service, score FROM activity_events"
    assert rows(service, kept) == [
        ("alice", "ses-1", "shop", "198.51.100.0/24", "Chrome", "/orders/{id}", "shop", told["total_score"])
    ]


THIEF = {"ip": "203.0.113.77"}


async def stolen(service: Running, requests: int = 12, **changes: Any) -> list[dict[str, Any]]:
    """The answers to somebody else's requests with the session, from another network and program, at the exports."""
    answers = []
    for number in range(requests):
        body = event(number, endpoint="/admin/export", bytes_out=50_000_000, service="admin", **THIEF, **changes)
        body["identity"] |= {"user_agent": "curl/8.5.0", "device_id": "other", "ja4": "t13d0001_aaaa_bbbb"}
        body["event_id"] = f"stolen-{number}"
        answers.append((await service.client.post("/assess", json=body)).json())
    return answers


async def known_person(service: Running, events: int = 120) -> None:
    """Alice has done the same thing many times, over days of sessions of her own."""
    bodies = []
    for number in range(events):
        at = NOW - 86_400 * 14 + number * 9000 + number * 7919 % 3701
        body = event(number, timestamp=at, latency_ms=80 + number * 31 % 17, bytes_out=2000 + number * 37 % 400)
        body["event"]["endpoint"] = ("/home", "/orders", "/orders/7")[number * 11 % 3]
        body["identity"] |= {"device_id": "dev-1", "ja4": "t13d1516_8daaf6152771_02713d6af862"}
        bodies.append(body)
    answers = (await service.client.post("/assess/bulk", json=bodies)).json()
    assert {each["action"] for each in answers} == {"allow"}


async def test_a_repeated_event_has_its_answer_and_counts_once(service: Running) -> None:
    """Alone, in a bulk beside itself, and after memory was lost."""
    body = event(1, event_id="e1")
    first = (await service.client.post("/assess", json=body)).json()
    again = (await service.client.post("/assess", json={**body, "event": {**body["event"], "endpoint": "/x"}})).json()
    bulk = (await service.client.post("/assess/bulk", json=[body, event(2, event_id="e2"), body])).json()
    assert first == again == bulk[0] == bulk[2] != bulk[1]
    assert rows(service, "SELECT count(*) FROM activity_events") == [(2,)]
    assert (await service.client.post("/score-session", json={"session_id": "ses-1"})).json()["events"] == 2


async def test_an_event_id_is_of_one_session(service: Running) -> None:
    """Who numbers the events of each session anew is told so, and gets no other session's answer for its own."""
    await service.client.post("/sessions", json={**NOTICE, "session_id": "ses-2"})
    first = await service.client.post("/assess", json=event(event_id="1"))
    other = await service.client.post("/assess", json=event(event_id="1", session_id="ses-2"))
    assert (other.status_code, other.json()["error"]) == (409, "event_id_taken")
    both = [event(event_id="2"), event(event_id="2", session_id="ses-2")]
    bulk = (await service.client.post("/assess/bulk", json=both)).json()
    assert (first.json()["session_id"], bulk[0]["session_id"], bulk[1]["error"]) == ("ses-1", "ses-1", "event_id_taken")
    assert rows(service, "SELECT count(*) FROM activity_events") == [(2,)]


@pytest.mark.parametrize("place", ["identity", "event", "privilege_change"])
async def test_a_time_that_is_none_is_named(service: Running, place: str) -> None:
    """The field is the one that was written."""
    body = event(privilege_change={})
    del body["event"]["timestamp"]
    for given in ("yesterday", -1, NOW + 4000, 5):
        body[place]["timestamp"] = given
        answer = await service.client.post("/assess", json=body)
        assert (answer.json()["error"], answer.json()["field"]) == ("invalid_timestamp", f"$.{place}.timestamp")


UNBELIEVED: list[tuple[dict[str, Any], int, str]] = [
    ({"session_id": "ses-9"}, 404, "unknown_session"),
    ({"session_id": ""}, 422, "session_required"),
    ({"session_id": "ses-1\0"}, 404, "unknown_session"),
    ({"user_id": "bob"}, 409, "identity_mismatch"),
    ({"token": "abc"}, 422, "tokens_not_taken"),
    ({"ip": "nowhere"}, 422, "invalid_ip"),
    ({"timestamp": NOW + 301}, 422, "invalid_timestamp"),
    ({"timestamp": 1}, 422, "invalid_timestamp"),
    ({"endpoint": ""}, 422, "invalid_request"),
    ({"endpoint": "/a\0b"}, 422, "invalid_text"),
    ({"status_code": 99}, 422, "invalid_request"),
    ({"bytes_out": -1}, 422, "invalid_request"),
    ({"latency_ms": "fast"}, 422, "invalid_request"),
]
HOSTILE: list[tuple[bytes, int, str]] = [
    (b"{", 400, "malformed_json"),
    (b'{"identity": "\xff"}', 400, "malformed_json"),
    (b'{"x":' + b"[" * 50_000, 400, "malformed_json"),
    (b"null", 422, "invalid_request"),
    (b'{"identity": {}, "event": {}}', 422, "invalid_request"),
    (b" " * (64 * 1024 + 1), 413, "body_too_large"),
]


async def test_what_is_not_believed_has_a_code_and_is_not_echoed(service: Running) -> None:
    """Nothing of it is kept, and the answer names a field at most."""
    for changes, status, code in UNBELIEVED:
        answer = await service.client.post("/assess", json=event(**changes))
        assert (answer.status_code, answer.json()["error"]) == (status, code), changes
        assert not any(str(value) in answer.text for value in changes.values() if len(str(value)) > 3), changes
    assert rows(service, "SELECT count(*) FROM activity_events") == [(0,)]


async def test_a_hostile_body_is_refused(tmp_path: Path) -> None:
    """Before anything is looked up, with a stable code."""
    async with running(tmp_path, with_model=False) as service:
        for path in ("/assess", "/assess/async"):
            for body, status, code in HOSTILE:
                answer = await service.client.post(path, content=body, headers={"content-type": "application/json"})
                assert (answer.status_code, answer.json()["error"]) == (status, code), body[:20]


async def test_a_bulk_answers_each_event_for_itself(service: Running) -> None:
    """One that is refused holds up nothing that stands beside it."""
    asked = [event(1), event(2, session_id="ses-9"), event(3)]
    answers = (await service.client.post("/assess/bulk", json=asked)).json()
    assert [each.get("error") for each in answers] == [None, "unknown_session", None]


async def test_a_session_that_has_ended_takes_nothing_more(service: Running) -> None:
    """What happened before its end is still taken: reports come late."""
    ended = {**NOTICE, "state": "ended", "at": NOW - 30, "reason": "logout"}
    assert (await service.client.post("/sessions", json=ended)).json()["heard"] == 1
    before, after = await assessed(service, event(10)), await assessed(service, event(49))
    assert (before.status_code, after.status_code, after.json()["error"]) == (200, 409, "session_ended")


EXPIRES = NOW - 30
RAN_OUT: list[tuple[list[dict[str, Any]], float]] = [
    ([{"expires_at": EXPIRES}], EXPIRES),
    ([{"state": "stepped_up", "at": NOW - 60, "expires_at": EXPIRES}], EXPIRES),
    ([{"expires_at": EXPIRES}, {"state": "ended", "at": NOW - 40, "reason": "logout"}], NOW - 40),
    ([{"state": "ended", "at": NOW - 10, "reason": "logout"}, {"expires_at": EXPIRES}], EXPIRES),
    ([{"expires_at": NOW + 60}], NOW + 60),
]


@pytest.mark.parametrize(("told", "over_at"), RAN_OUT)
async def test_a_session_that_ran_out_has_ended_without_a_notice(
    service: Running, told: list[dict[str, Any]], over_at: float
) -> None:
    """Each notice of a living session says when it ends at the latest; from then on it takes nothing."""
    for changes in told:
        assert (await service.client.post("/sessions", json={**NOTICE, "session_id": "ses-3", **changes})).is_success
    answers = [await assessed(service, event(session_id="ses-3", timestamp=over_at + late)) for late in (5, 6)]
    assert [(each.status_code, each.json().get("error")) for each in answers] == [(200, None), (409, "session_ended")]
    shown = (await service.client.get("/people/alice/activity")).json()["sessions"]
    [state] = [(each["state"], each["ended_at"]) for each in shown if each["session_id"] == "ses-3"]
    assert state == (("ended", over_at) if over_at <= NOW else ("started", None))


async def test_an_id_with_a_slash_is_one_part_of_the_address(service: Running) -> None:
    """Directories make such; what is known of them is asked for like everybody's."""
    await service.client.post("/sessions", json={**NOTICE, "session_id": "ses-4", "user_id": "staff/alice"})
    told = (await service.client.get("/people/staff%2Falice/activity")).json()
    assert [each["session_id"] for each in told["sessions"]] == ["ses-4"]


async def assessed(service: Running, body: dict[str, Any], **headers: str) -> Any:
    return await service.client.post("/assess", json=body, headers=headers)


async def test_notices_may_be_repeated_and_come_in_any_order(service: Running) -> None:
    """What is known in the end is the same, and a session stays its person's."""
    late = {**NOTICE, "session_id": "ses-2"}
    ended, stepped = {**late, "state": "ended", "at": NOW - 5}, {**late, "state": "stepped_up", "at": NOW - 20}
    for notice in (ended, stepped, late, ended, stepped, late):
        assert (await service.client.post("/sessions", json=notice)).status_code == 200
    foreign = {**late, "user_id": "bob", "state": "ended", "at": NOW - 59}
    assert (await service.client.post("/sessions", json=[foreign])).json() == {"heard": 0, "known_before": 1}
    kept = rows(service, "SELECT user_id, state, started_at, ended_at FROM known_sessions WHERE session_id = 'ses-2'")
    assert kept == [("alice", "ended", NOW - 1_300_000, NOW - 5)]


async def test_who_may_vouch_may_describe_people_without_a_session(service: Running) -> None:
    """Then the session begins with its first event, and is that person's from then on."""
    voucher = service.scorer.credentials.add("trusted", ["activity", "vouch"])
    service.scorer.clock.advance(1.0)  # type: ignore[attr-defined] # a test's clock
    bearer = {"authorization": f"Bearer {voucher}"}
    told = (await assessed(service, event(session_id="s-1"), **bearer)).json()
    assert (told["identity"], told["session_id"]) == ("vouched", "s-1")
    assert (await assessed(service, event(session_id=""), **bearer)).json()["identity"] == "vouched"
    theirs = await assessed(service, event(session_id="s-1", user_id="bob"), **bearer)
    assert (theirs.status_code, theirs.json()["error"]) == (409, "identity_mismatch")
    assert (await assessed(service, event(session_id="s-1"))).status_code == 404


async def test_roles_of_the_session_outrank_the_callers(service: Running) -> None:
    """An application cannot give itself the rights that would make what it does usual."""
    body = event()
    body["identity"] |= {"roles": ["root"], "privileges": ["all"]}
    await assessed(service, body)
    await service.app.state.acting.memories.flush()
    assert rows(service, "SELECT key FROM activity_memory WHERE scope = 'peers'") == [("user",)]


@pytest.fixture
async def told_service(tmp_path: Path) -> AsyncIterator[Running]:
    """A scorer that tells a gateway, which does not answer."""
    signals = {"session_signal_url": "http://127.0.0.1:9/signals/session-risk", "session_signal_secret": SECRET}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **signals) as found:
        await found.client.post("/sessions", json=NOTICE)
        yield found


SECRET = "whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJ"


def signals_of(service: Running) -> list[SessionRiskSignal]:
    sql = "SELECT body FROM outbox WHERE endpoint = 'gateway-signals' ORDER BY created_at, rowid"
    found = [row[0] for row in rows(service, sql)]
    return [msgspec.json.decode(body, type=SessionRiskSignal) for body in found]


async def test_a_stolen_session_is_told_once_for_each_rise(told_service: Running) -> None:
    """Before the tenth request of the thief, signed later by the outbox, and never twice for one level."""
    await known_person(told_service)
    answers = await stolen(told_service)
    assert next(place for place, each in enumerate(answers) if each["action"] != "allow") < 10
    told = signals_of(told_service)
    assert [each.recommended for each in told] == sorted({each.recommended for each in told}, key=STRENGTH.index)
    assert {(each.session_id, each.user_id, each.source) for each in told} == {("ses-1", "alice", "activity")}
    assert all(each.reasons for each in told)
    standing = (await told_service.client.post("/score-session", json={"session_id": "ses-1"})).json()
    assert standing["risk_level"] == answers[-1]["risk_level"]
    assert 0.0 < standing["score"] <= answers[-1]["total_score"]
    assert standing["reasons"] == [each["text"] for each in answers[-1]["signals"] if each["nats"] > 0]
    assert standing["recommended_response"] == RESPONSES[answers[-1]["action"]]
    summary = (await told_service.client.get("/people/alice/activity")).json()
    assert (summary["score"], summary["sessions"][0]["session_id"]) == (answers[-1]["total_score"], "ses-1")


STRENGTH = ["step_up", "reset_session", "logout", "freeze"]


async def test_a_step_up_pardons_and_what_rises_then_is_told_anew(told_service: Running) -> None:
    """The owner who has shown a factor goes on; nobody else's next step is forgiven in advance."""
    await known_person(told_service)
    await stolen(told_service)
    before = signals_of(told_service)
    shown = {**NOTICE, "state": "stepped_up", "at": NOW - 1}
    assert (await told_service.client.post("/sessions", json=shown)).json()["heard"] == 1
    standing = (await told_service.client.post("/score-session", json={"session_id": "ses-1"})).json()
    assert (standing["risk_level"], standing["recommended_response"]) == ("low", "Nothing to do.")
    assert (await assessed(told_service, event(49))).json()["action"] == "allow"
    assert (await told_service.client.post("/sessions", json=shown)).json()["known_before"] == 1
    assert signals_of(told_service) == before


async def test_a_risk_that_was_answered_survives_a_sudden_death(tmp_path: Path) -> None:
    """The memory of a risky session is written with the answer that says so; baselines wait for the flush."""
    place, left = tmp_path / "first", tmp_path / "second"
    place.mkdir()
    async with running(place, with_model=False, clock=FixedClock(NOW)) as service:
        await service.client.post("/sessions", json=NOTICE)
        await known_person(service)
        answers = await stolen(service)
        with closing(sqlite3.connect(place / "scorer" / "scorer.db")) as live:
            (left / "scorer").mkdir(parents=True, mode=0o700)
            with closing(sqlite3.connect(left / "scorer" / "scorer.db")) as copy:
                live.backup(copy)
    assert answers[-1]["action"] != "allow"
    async with running(left, with_model=False, clock=FixedClock(NOW), credential=service.credential) as service:
        standing = (await service.client.post("/score-session", json={"session_id": "ses-1"})).json()
        assert 0 <= answers[-1]["total_score"] - standing["score"] < 1  # it fades with every second


async def test_nothing_of_an_erased_person_is_left(told_service: Running) -> None:
    """Neither on the disk nor in what waits to be written."""
    await known_person(told_service)
    await stolen(told_service)
    erased = (await told_service.client.post("/people/erase", json={"user_id": "alice"})).json()
    assert erased["activity"] > 100
    await told_service.app.state.acting.memories.flush()
    left = places_of(told_service.scorer.database, "alice") | places_of(told_service.scorer.database, "ses-1")
    assert left == set()
    assert (await told_service.client.get("/people/alice/activity")).json()["sessions"] == []


SCOPED = [
    ("/assess", "activity"),
    ("/assess/bulk", "activity"),
    ("/assess/async", "activity"),
    ("/score-session", "activity"),
    ("/predict", "activity"),
    ("/sessions", "outcomes"),
]


async def test_a_credential_without_the_scope_is_refused(tmp_path: Path) -> None:
    """Whoever may do everything else may not do this; the scorer never acts on an anonymous caller's word."""
    async with running(tmp_path, with_model=False) as service:
        every = ("score", "outcomes", "feedback", "read", "erase", "activity")
        lesser = {
            scope: service.scorer.credentials.add(f"not-{scope}", [each for each in every if each != scope])
            for scope in ("activity", "outcomes")
        }
        for path, scope in SCOPED:
            bearer = {"authorization": f"Bearer {lesser[scope]}"}
            answer = await service.client.post(path, json={}, headers=bearer)
            assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
            nobody = await service.client.post(path, json={}, headers={"authorization": ""})
            assert (nobody.status_code, nobody.json()["error"]) == (401, "credential_required")


async def test_without_a_session_model_nothing_is_predicted(tmp_path: Path) -> None:
    """The row is checked first, then the answer says that there is none."""
    row = {
        "user_id": 123, "event_type": "login", "session_duration_sec": 18000, "events_in_session": 190,
        "hour_of_day": 2, "day_of_week": 1, "device_type": "desktop",
    }  # fmt: skip
    async with running(tmp_path, with_model=False) as service:
        answer = await service.client.post("/predict", json=row)
        assert (answer.status_code, answer.json()["error"]) == (503, "model_unavailable")
        wrong = await service.client.post("/predict", json={**row, "hour_of_day": 24})
        assert (wrong.status_code, wrong.json()["field"]) == (422, "$.hour_of_day")
