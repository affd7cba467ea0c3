"""The policy kept in the database: programs save it, bring it back, see what each rule did, try another on the past."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from auth_gateway.adapters.saved_policy import SavedPolicy
from auth_gateway.adapters.storage.decision_log import StoredDecisions
from auth_gateway.adapters.storage.decision_spans import StoredDecisionSpans
from auth_gateway.adapters.storage.policy_versions import StoredPolicyVersions
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.policy_rule import NO_DOCUMENT
from auth_gateway.core.policy_version import LARGEST_SAVED
from auth_gateway.flows import past_trials
from auth_gateway.policing import switches
from plumbing.refusals import Refused
from tests.stories.gateway.applications import Application, refused, register
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.risky import PROVIDER
from tests.stories.gateway.story import HOME, Story

WORDS = {"by": "mara@soc.example", "why": "first only counted"}
DENY = """# Alice is away.
[groups]
away = ["alice"]

[[rule]]
name = "away"
when = { group = "away" }
then = "deny"
"""
BAD = '[[rule]]\nname = "x"\nthen = "allow"\n\n[[rule]]\nname = "y"\nthen = "perhaps"\n'


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider whose policy is kept in its database."""
    return story_with(**PROVIDER)


@pytest.fixture
def console(story: Story) -> Application:
    """A program that may change the policy."""
    return program(story, "policy:read", "policy:write")


def program(story: Story, *scopes: str, name: str = "soc") -> Application:
    return register(story, name, scopes=scopes, audience=ISSUER, grant_types=("client_credentials",), redirect_uris=())


def asked(console: Application, method: str, path: str = "", **options: Any) -> Any:
    token = console.act().json()["access_token"]
    headers = {"authorization": f"Bearer {token}", **options.pop("headers", {})}
    return console.story.ask(method, f"/policy{path}", headers=headers, **options)


def saved(console: Application, document: str, etag: str | None, **changed: Any) -> Any:
    headers = {} if etag is None else {"if-match": etag}
    return asked(console, "PUT", headers=headers, json={"document": document, **WORDS, **changed})


def became(story: Story) -> str:
    """What becomes of Alice now."""
    answer = story.login("alice")
    return "let in" if answer.json()["allowed"] else "refused"


def test_a_policy_is_saved_and_decides_at_once(story: Story, console: Application) -> None:
    """From nothing to a rule, with the name and the reason of whoever saved it in the audit."""
    assert became(story) == "let in"
    before = asked(console, "GET")
    assert (before.headers["etag"], before.json()["source"], before.json()["rules"]) == ('"0"', "built_in", [])
    answer = saved(console, DENY, '"0"')
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    told = answer.json()
    assert (told["source"], told["version"], told["by"], told["why"]) == ("saved", 1, WORDS["by"], WORDS["why"])
    assert (told["rules"][0]["name"], told["rules"][0]["report_only"], told["rules"][0]["line"]) == ("away", False, 5)
    assert became(story) == "refused"
    line = next(each for each in lines(story) if each.kind == "policy.changed")
    assert (line.client_id, line.facts and line.facts.by) == ("soc", "soc")
    assert line.detail == f"{told['digest']} 1 rules, version 1 (mara@soc.example: first only counted)"
    assert saved(console, DENY, '"1"').json()["version"] == 1, "what is in force gets no other number"


def test_a_save_says_what_it_looked_at(story: Story, console: Application) -> None:
    """Whoever does not, or looked at an older one, changes nothing; of two who looked at the same one wins."""
    assert refused(saved(console, DENY, None)) == (428, "if_match_required")
    for etag in ('"7"', "*", 'W/"0"', "0", '"x"', '"0", "1"'):
        assert refused(saved(console, DENY, etag)) == (412, "policy_changed"), etag
    texts = [f"{DENY}# {number}\n" for number in range(6)]
    token = console.act().json()["access_token"]
    headers = {"authorization": f"Bearer {token}", "if-match": '"0"'}
    answers = at_once(
        story,
        [
            {"method": "PUT", "url": "/policy", "headers": headers, "json": {"document": each, **WORDS}}
            for each in texts
        ],
    )
    won = [text for text, answer in zip(texts, answers, strict=True) if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 5]
    assert asked(console, "GET").json()["document"] == won[0]
    assert len(asked(console, "GET", "/history").json()["versions"]) == 1


def lines(story: Story) -> list[AuditEvent]:
    return story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 1000))


def at_once(story: Story, requests: list[dict[str, Any]]) -> list[httpx2.Response]:
    async def all_of_them() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            return await asyncio.gather(*(client.request(**each) for each in requests))

    return story.runner.run(all_of_them())


def trial_parts(story: Story) -> dict[str, Any]:
    gateway = story.gateway
    return {
        "database": gateway.database,
        "decisions": StoredDecisions(),
        "starts": StoredDecisionSpans(),
        "policy": switches(gateway.settings),
        "present": lambda: NO_DOCUMENT,
        "monotonic": gateway.clock.monotonic,
    }


WRONG: list[tuple[dict[str, Any], tuple[int, str]]] = [
    ({"document": BAD, **WORDS}, (422, "invalid_policy")),
    ({"document": "x" * (LARGEST_SAVED + 1), **WORDS}, (422, "invalid_policy")),
    ({"document": DENY, "by": "mara", "why": "two\nlines"}, (422, "invalid_words")),
    ({"document": DENY, "by": "mara", "why": ""}, (422, "invalid_request")),
    ({"document": DENY, "by": "mara"}, (422, "invalid_request")),
    ({"document": 7, **WORDS}, (422, "invalid_request")),
    ({"document": DENY, **WORDS, "more": 1}, (422, "invalid_request")),
    ({"document": "x" * (2 * LARGEST_SAVED + 9_000), **WORDS}, (413, "body_too_large")),
]


def test_what_is_wrong_changes_nothing(story: Story, console: Application) -> None:
    """Read whole before; each fault with its line."""
    saved(console, DENY, '"0"')
    for body, expected in WRONG:
        answer = asked(console, "PUT", headers={"if-match": '"1"'}, json=body)
        assert refused(answer) == expected
        if body["document"] == BAD:
            assert {each["line"] for each in answer.json()["problems"]} == {3, 7}
    assert asked(console, "GET").headers["etag"] == '"1"'
    assert became(story) == "refused"


def test_who_may_read_may_not_write(story: Story, console: Application) -> None:
    """Nor does a program of another desk read."""
    reader = program(story, "policy:read", name="reader")
    for method, path, body in (
        ("PUT", "", {"document": DENY, **WORDS}),
        ("POST", "/restore", {"version": 0, **WORDS}),
    ):
        answer = asked(reader, method, path, json=body, headers={"if-match": '"0"'})
        assert refused(answer) == (403, "insufficient_scope")
    for path in ("", "/rules", "/history"):
        assert asked(reader, "GET", path).status_code == 200
        assert story.ask("GET", f"/policy{path}").status_code == 401
    other = program(story, "risk:read", name="other")
    assert refused(asked(other, "GET")) == (403, "insufficient_scope")


def test_a_file_of_the_operators_is_read_and_not_saved(story_with: Callable[..., Story], tmp_path: Path) -> None:
    """Its text and rules are told; who would change it is told where."""
    file = tmp_path / "policy.toml"
    file.write_text(DENY)
    story = story_with(**PROVIDER, login_policy_file=file)
    console = program(story, "policy:read", "policy:write")
    told = asked(console, "GET").json()
    assert (told["source"], told["document"], told["rules"][0]["name"]) == ("file", DENY, "away")
    assert refused(saved(console, "", '"0"')) == (409, "policy_from_file")
    answer = asked(console, "POST", "/restore", json={"version": 0, **WORDS}, headers={"if-match": '"0"'})
    assert refused(answer) == (409, "policy_from_file")


def test_an_earlier_policy_is_brought_back(story: Story, console: Application) -> None:
    """As a new version that says whose text it is; nothing of the history goes."""
    saved(console, DENY, '"0"')
    saved(console, DENY.replace("deny", "challenge"), '"1"', why="too hard")
    answer = asked(console, "POST", "/restore", json={"version": 1, **WORDS}, headers={"if-match": '"2"'})
    assert (answer.json()["version"], answer.json()["restored"], answer.json()["document"]) == (3, 1, DENY)
    assert became(story) == "refused"
    history = asked(console, "GET", "/history?limit=2").json()
    assert [(each["version"], each["why"]) for each in history["versions"]] == [(3, WORDS["why"]), (2, "too hard")]
    assert refused(asked(console, "GET", "/history?limit=2&limit=1")) == (422, "invalid_request")
    rest = asked(console, "GET", f"/history?cursor={history['next']}").json()
    assert ([each["version"] for each in rest["versions"]], rest["next"]) == ([1], None)
    lines = asked(console, "GET", "/diff?from=1&to=2").json()["lines"]
    signs = [(each["sign"], each["text"]) for each in lines if each["sign"] in ("added", "removed")]
    assert signs == [("removed", 'then = "deny"'), ("added", 'then = "challenge"')]
    assert asked(console, "GET", "/history/1").json()["document"] == DENY
    emptied = asked(console, "POST", "/restore", json={"version": 0, **WORDS}, headers={"if-match": '"3"'})
    assert emptied.json()["rules"] == []
    assert became(story) == "let in"


REFUSED: list[tuple[str, str, Any, tuple[int, str]]] = [
    ("GET", "/history/9", None, (404, "unknown_version")),
    ("GET", "/history/0", None, (404, "unknown_version")),
    ("GET", "/history/x", None, (404, "unknown_version")),
    ("GET", "/history?cursor=0", None, (422, "invalid_request")),
    ("GET", "/diff?from=0", None, (422, "invalid_request")),
    ("GET", "/diff?from=0&to=9", None, (404, "unknown_version")),
    ("POST", "/restore", {"version": 9, **WORDS}, (404, "unknown_version")),
    ("POST", "/restore", {"version": -1, **WORDS}, (422, "invalid_request")),
    ("POST", "/check", {"document": BAD}, (422, "invalid_policy")),
    ("POST", "/check", {"document": DENY, "edits": {"report_only": {"gone": True}}}, (422, "cannot_edit")),
    ("POST", "/backtest", {"document": BAD, "from": "2026-01-01T00:00:00Z"}, (422, "invalid_policy")),
    ("POST", "/backtest", {"document": "", "from": "2026-01-01"}, (422, "invalid_request")),
    ("POST", "/backtest", {"document": "", "from": "2026-01-01T00:00:00Z"}, (422, "invalid_span")),
    (
        "POST",
        "/backtest",
        {"document": "", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        (422, "invalid_span"),
    ),
]


def test_what_is_not_there_or_makes_no_sense_is_refused(console: Application) -> None:
    """Each with a stable code."""
    for method, path, body, expected in REFUSED:
        given = {} if body is None else {"json": body, "headers": {"if-match": '"0"'}}
        assert refused(asked(console, method, path, **given)) == expected, (path, body)


def test_a_rule_that_only_reports_is_counted_as_would_have(story: Story, console: Application) -> None:
    """Switched in its text by name, saved, and the next login that it would have denied is let in and counted."""
    saved(console, DENY, '"0"')
    assert became(story) == "refused"
    edits = {"report_only": {"away": True}}
    draft = asked(console, "POST", "/check", json={"document": DENY, "edits": edits}).json()
    assert [each["text"] for each in draft["difference"] if each["sign"] == "added"] == ["report_only = true"]
    assert draft["document"].startswith("# Alice is away.\n")
    assert saved(console, draft["document"], '"1"').json()["rules"][0]["report_only"] is True
    assert became(story) == "let in"
    (rule,) = asked(console, "GET", "/rules").json()["day"]["rules"]
    assert (rule["name"], rule["report_only"], rule["answered"]["deny"], rule["would_have"]["deny"]) == (
        "away",
        True,
        1,
        1,
    )
    assert rule["rate"] == 1.0


def test_a_candidate_is_tried_on_the_past_and_nothing_is_written(story: Story, console: Application) -> None:
    """Who would change, from what to what, with examples; and how many would be asked, beside the budget."""
    for name in ("alice", "bob", "alice"):
        story.login(name)
        story.clock.advance(60)
    before = len(lines(story))
    span = {"from": datetime.fromtimestamp(story.clock.now() - 3600, UTC).isoformat()}
    result = asked(console, "POST", "/backtest", json={"document": DENY, **span}).json()
    assert result["changed"] == [{"path": "login", "before": "allow", "after": "deny", "count": 2}]
    assert [each["username"] for each in result["examples"]] == ["alice", "alice"]
    assert {each["rule_after"] for each in result["examples"]} == {"document:away"}
    (login,) = result["paths"]
    assert (login["then"]["allowed"], login["present"]["allowed"], login["candidate"]["denied"]) == (3, 3, 2)
    asking = DENY.replace('"deny"', '"challenge"')
    prompts = asked(console, "POST", "/backtest", json={"document": asking, **span}).json()["prompts"]
    assert (prompts["budget"], prompts["present"]["count"], prompts["candidate"]["count"]) == (0.02, 0, 2)
    assert prompts["candidate"]["least"] < 2 / 3 < prompts["candidate"]["most"]
    assert len(lines(story)) == before + 2, "the two tokens of the program"
    assert asked(console, "GET").json()["version"] == 0


def test_a_long_span_is_tried_on_its_newest_part(
    story: Story, console: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says since when."""
    times = []
    for _ in range(5):
        story.clock.advance(60)
        times.append(story.clock.now())
        story.login("bob")
    for piece, most, looked_at in ((500, 3, 3), (2, 3, 3), (2, 5, 5)):
        monkeypatch.setattr(past_trials, "AT_A_TIME", piece)
        trials = past_trials.PastTrials(
            **{**trial_parts(story), "most_lines": most},
        )
        tried = trials(NO_DOCUMENT, since=times[0] - 1, until=times[-1] + 1)
        assert (sum(tried.trial.recorded.values()), tried.is_whole) == (looked_at, looked_at == 5)
        assert tried.since == (times[0] - 1 if looked_at == 5 else times[-3])
    slow = past_trials.PastTrials(**{**trial_parts(story), "most_seconds": -1.0})
    monkeypatch.setattr(past_trials, "AT_A_TIME", 2)
    tried = slow(NO_DOCUMENT, since=times[0] - 1, until=times[-1] + 1)
    assert (sum(tried.trial.recorded.values()), tried.is_whole, tried.until) == (2, False, times[1])


def test_a_trial_rests_after_each_piece(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever logs in meanwhile does not wait for the whole of it."""
    for _ in range(5):
        story.login("bob")
    rests = list[float]()
    monkeypatch.setattr(past_trials, "AT_A_TIME", 2)
    trials = past_trials.PastTrials(**{**trial_parts(story), "rest": rests.append})
    now = story.clock.now()
    tried = trials(NO_DOCUMENT, since=now - 60, until=now + 60)
    assert (sum(tried.trial.recorded.values()), rests) == (5, [past_trials.REST_SECONDS] * 3)


def test_another_worker_takes_up_what_was_saved(story: Story, console: Application) -> None:
    """Without being told, at its next look; one that it cannot read leaves it with the last good one."""
    gateway = story.gateway
    other = SavedPolicy(gateway.database, StoredPolicyVersions(), switches(gateway.settings))
    assert other.current().rules == ()
    saved(console, DENY, '"0"')
    other.look()
    assert [rule.name for rule in other.current().rules] == ["away"]
    add = "INSERT INTO policy_versions SELECT version + 1, at, digest, 'x', rules, by, why, client_id, restored"
    with gateway.database.engine.begin() as connection:
        connection.exec_driver_sql(f"{add} FROM policy_versions")
    other.look()
    assert ([rule.name for rule in other.current().rules], other.refused) == (["away"], 1)
    assert "line 1" in (other.problem or "")
    told = asked(console, "GET").json()
    assert (told["version"], told["problem"][:7], told["rules"][0]["name"]) == (2, "line 1:", "away")
    assert saved(console, "", '"2"').status_code == 200, "and it is mended from here"
    other.look()
    assert (other.current().rules, other.problem) == ((), None)


def test_a_second_trial_waits_its_turn(story: Story) -> None:
    """Of one process; the answer says when to come again."""
    trials = past_trials.PastTrials(**trial_parts(story))
    trials.turn.acquire()
    with pytest.raises(Refused) as caught:
        trials(NO_DOCUMENT, since=1.0, until=2.0)
    assert (caught.value.code, caught.value.status) == ("backtest_running", 409)
