"""What reviewers see of accounts and do to them, by programs and by commands."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from auth_gateway.adapters.scorer_activity import ScorerActivity
from auth_gateway.flows.ports.session_risk import Behaviour
from tests.gateway_commands import gateway_command
from tests.stories.gateway.applications import Application, refused, register
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.risky import PROVIDER, signal
from tests.stories.gateway.story import Story

WORDS = {"by": "mara@soc.example", "why": "the phone was stolen"}
BY_COMMAND = ("--by", WORDS["by"], "--why", WORDS["why"])
PATH = "/accounts/id-alice"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider that takes the scorer's word."""
    return story_with(**PROVIDER)


def soc(story: Story, *scopes: str) -> Application:
    """A program of the reviewers'."""
    return register(story, "soc", scopes=scopes, audience=ISSUER, grant_types=("client_credentials",), redirect_uris=())


def asked(story: Story, method: str, path: str, program: Application, **options: Any) -> Any:
    token = program.act().json()["access_token"]
    return story.ask(method, path, headers={"authorization": f"Bearer {token}"}, **options)


@contextmanager
def knowing_scorer(body: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A scorer that answers every question about a person so; its address, and what it was asked."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", paths
    server.shutdown()
    server.server_close()


def test_somebody_whose_id_has_a_slash_is_reviewed_like_everybody(story: Story) -> None:
    """Such ids come from directories; written as %2F one is one part of the address."""
    story.gateway.accounts.add("dora", "Password123!", user_id="staff/dora")
    program = soc(story, "risk:read", "risk:write")
    frozen = asked(story, "POST", "/accounts/staff%2Fdora/freeze", program, json=WORDS).json()
    assert (frozen["account"]["user_id"], frozen["changed"]) == ("staff/dora", True)
    seen = asked(story, "GET", "/accounts/staff%2Fdora/summary", program).json()
    assert seen["account"]["state"] == "frozen"
    assert asked(story, "GET", "/users/staff%2Fdora/risk", program).json()["user_id"] == "staff/dora"
    assert asked(story, "GET", "/accounts/staff/summary", program).status_code == 404


def test_a_frozen_account_is_looked_at_and_opened_with_a_reason(story: Story) -> None:
    """From the signal to the review: who looks sees why, and one that was frozen again since stays frozen."""
    session_id = story.login().json()["session_id"]
    signal(story, session_id, 65)
    program = soc(story, "risk:read", "risk:write")
    seen = asked(story, "GET", f"{PATH}/summary", program).json()
    assert (seen["account"]["state"], seen["sessions"][0]["state"]) == ("active", "awaits_factor")
    assert seen["risk"]["level"] == "low"
    (heard,) = seen["signals"]
    assert (heard["response"], heard["effect"], heard["reasons"][0]["code"]) == ("step_up", "done", "several_actors")
    assert (seen["behaviour"], seen["behaviour_missing"]) == (None, "scorer_refused")

    signal(story, session_id, 99)
    shielded = asked(story, "GET", f"{PATH}/summary", program).json()
    assert (shielded["account"]["frozen_reason"], shielded["sessions"]) == ("shield", [])
    signal(story, session_id, 100)
    old = {**WORDS, "version": shielded["account"]["version"]}
    assert refused(asked(story, "POST", f"{PATH}/unfreeze", program, json=old)) == (409, "changed_meanwhile")
    assert story.login().status_code == 401

    opened = asked(story, "POST", f"{PATH}/unfreeze", program, json=WORDS).json()
    assert (opened["account"]["state"], opened["changed"]) == ("active", True)
    assert asked(story, "POST", f"{PATH}/unfreeze", program, json=WORDS).json()["changed"] is False
    assert story.login().json().get("mfa_required")  # what is held against the person asks for a factor
    line = next(
        each
        for each in story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 20))
        if each.kind == "user.unfrozen"
    )
    assert (line.client_id, line.detail) == ("soc", "by review (mara@soc.example: the phone was stolen)")


def test_a_reviewer_freezes_and_resets(story: Story) -> None:
    """Every session ends, with the name and the reason of whoever asked; a freeze keeps everybody out."""
    program = soc(story, "risk:write")
    tokens = [story.login().json()["tokens"]["refresh_token"] for _ in range(2)]
    assert asked(story, "POST", f"{PATH}/reset-sessions", program, json=WORDS).json() == {"ended": 2}
    assert [story.refresh(token).status_code for token in tokens] == [400, 400]
    assert ("session.reset", None) in story.audited()
    assert ("session.revoked", "reset_by_review") in story.audited()
    running = story.login().json()["tokens"]["refresh_token"]
    frozen = asked(story, "POST", f"{PATH}/freeze", program, json=WORDS).json()
    assert (frozen["account"]["frozen_reason"], frozen["changed"]) == ("operator", True)
    assert story.refresh(running).status_code == 400
    assert story.login().status_code == 401


def test_a_reviewer_ends_one_session_and_no_other(story: Story) -> None:
    """Once, with who said why; the person's other session goes on, and nobody reaches somebody else's."""
    program = soc(story, "risk:write")
    first, second = (story.login().json() for _ in range(2))
    end = f"{PATH}/sessions/{first['session_id']}/end"
    bobs = f"/accounts/id-bob/sessions/{first['session_id']}/end"
    assert refused(asked(story, "POST", bobs, program, json=WORDS)) == (404, "unknown_session")
    assert [asked(story, "POST", end, program, json=WORDS).json() for _ in range(2)] == [{"ended": 1}, {"ended": 0}]
    assert story.refresh(first["tokens"]["refresh_token"]).status_code == 400
    lines = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 20))
    (line,) = (each for each in lines if each.kind == "session.reset")
    assert (line.user_id, line.session_id, line.client_id) == ("id-alice", first["session_id"], "soc")
    assert line.detail == "1 ended (mara@soc.example: the phone was stolen)"
    assert [each.session_id for each in lines if each.rule == "ended_by_review"] == [first["session_id"]]
    story.clock.advance(86_400)
    again = story.refresh(second["tokens"]["refresh_token"])
    assert again.status_code == 200
    story.clock.advance(365 * 86_400)
    over = f"{PATH}/sessions/{second['session_id']}/end"
    assert asked(story, "POST", over, program, json=WORDS).json() == {"ended": 0}


def test_an_operator_reviews_by_commands(story: Story) -> None:
    """The same acts with the same effects: what was frozen until a review is opened by who says why."""
    environment = {"AUTH_GATEWAY_STATE": str(story.gateway.settings.auth_gateway_state)}

    def told(*arguments: str) -> tuple[int, str]:
        done = gateway_command(environment, "users", *arguments)
        return done.exit_code, done.stdout

    tokens = story.login().json()["tokens"]["refresh_token"]
    assert told("reset-sessions", "alice", *BY_COMMAND) == (0, "1 ended\n")
    assert story.refresh(tokens).status_code == 400
    session_id = story.login().json()["session_id"]
    signal(story, session_id, 65)
    account, session, heard, _ = told("summary", "alice")[1].splitlines()
    assert account.split("\t")[:3] == ["alice", "id-alice", "active"]
    assert (session.split("\t")[1], "awaits a factor" in session) == (session_id, True)
    assert heard.split("\t")[2:] == ["65", "activity", "step_up done", "several_actors"]
    signal(story, session_id, 99)
    shown = json.loads(told("summary", "alice", "--json")[1])
    assert shown["account"] == asked(story, "GET", f"{PATH}/summary", soc(story, "risk:read")).json()["account"]
    assert (shown["account"]["frozen_reason"], shown["sessions"], len(shown["signals"])) == ("shield", [], 2)
    assert told("unfreeze", "alice") == (2, "")
    assert story.login().status_code == 401
    assert told("unfreeze", "alice", *BY_COMMAND) == (0, "active\n")
    story.forgive()
    assert story.login().status_code == 200


def test_only_who_may_and_says_why_does_anything(story: Story) -> None:
    """A scope for each, words for each act, and nobody is found by guessing."""
    reader = soc(story, "risk:read")
    assert refused(asked(story, "POST", f"{PATH}/freeze", reader, json=WORDS)) == (403, "insufficient_scope")
    assert story.ask("GET", f"{PATH}/summary").status_code == 401
    assert refused(asked(story, "GET", "/accounts/nobody/summary", reader)) == (404, "unknown_user")
    assert refused(asked(story, "GET", f"/accounts/{'x' * 300}/summary", reader)) == (404, "unknown_user")
    story.gateway.registrations.remove("soc")
    writer = soc(story, "risk:write")
    assert refused(asked(story, "GET", f"{PATH}/summary", writer)) == (403, "insufficient_scope")
    session_id = story.login().json()["session_id"]
    for act in ("freeze", "unfreeze", "reset-sessions", "force-reset", f"sessions/{session_id}/end"):
        for body, code in (
            ({}, "invalid_request"),
            ({"by": "mara"}, "invalid_request"),
            ({"by": " ", "why": "w"}, "invalid_words"),
            ({"by": "m", "why": "a\nb"}, "invalid_words"),
            ({"by": "m", "why": "w" * 501}, "invalid_request"),
            ({**WORDS, "reason": "x"}, "invalid_request"),
        ):
            assert refused(asked(story, "POST", f"{PATH}/{act}", writer, json=body)) == (422, code), (act, body)
        assert refused(asked(story, "POST", f"/accounts/nobody/{act}", writer, json=WORDS)) == (404, "unknown_user")
    for nowhere in ("nothing", "x" * 300):
        answer = asked(story, "POST", f"{PATH}/sessions/{nowhere}/end", writer, json=WORDS)
        assert refused(answer) == (404, "unknown_session")
    for lists in ("/accounts", f"{PATH}/sessions"):
        assert refused(asked(story, "GET", lists, writer)) == (403, "insufficient_scope")
    assert story.login().status_code == 200


def test_a_summary_has_the_scorer_s_word_or_a_reason() -> None:
    """Whatever the scorer says, the rest is shown."""
    for body, status, missing in (
        (json.dumps({"user_id": "id/alice", "sessions": 3}).encode(), 200, None),
        (b"{}", 404, "unknown_to_scorer"),
        (b"{}", 403, "scorer_refused"),
        (b"[]", 200, "scorer_invalid"),
        (b'"' + b"x" * 300_000 + b'"', 200, "scorer_invalid"),
    ):
        with knowing_scorer(body, status) as (url, paths):
            told = asyncio.run(asked_of(ScorerActivity(base_url=url, credential="rgs_test")))
        assert paths == ["/people/id%2Falice/activity"]
        assert (told.missing, told.told is None) == (missing, missing is not None)
    silent = asyncio.run(asked_of(ScorerActivity(base_url="http://127.0.0.1:9", credential="rgs_test")))
    assert silent.missing == "scorer_unreachable"
    assert asyncio.run(asked_of(ScorerActivity(base_url=url, credential=None))).missing == "no_credential"


async def asked_of(scorer: ScorerActivity) -> Behaviour:
    """What it answers about somebody whose id is no path."""
    told = await scorer.of("id/alice")
    await scorer.close()
    return told
