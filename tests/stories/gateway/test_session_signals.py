"""The way in of the scorer's word: who is believed, once, and what else is refused and does nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec
import pytest

from risk_scorer.contract.signals import MAX_SIGNAL_BYTES, SIGNAL_PATH
from tests.stories.gateway.logout_receiver import until
from tests.stories.gateway.risky import PROVIDER, said, signal, signed, user_risk
from tests.stories.gateway.story import Story
from webhooks.signing import secret_text

OTHER_KEY = bytes(range(1, 33))


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that takes the scorer's word, by today's secret and the one before."""
    return story_with(**PROVIDER, session_signal_secret_previous=secret_text(OTHER_KEY))


def sent(story: Story, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    answer = story.ask("POST", SIGNAL_PATH, content=body, headers=headers)
    return answer.status_code, answer.json().get("error")


def test_only_the_scorer_s_own_fresh_word_counts(story: Story) -> None:
    """Forged, altered, old, future, huge and odd ones are refused with a code, and do nothing."""
    session_id, now = story.login().json()["session_id"], story.clock.now()
    told = said(story, session_id, 99.0)
    body, name = msgspec.json.encode(told), told["signal_id"]
    good = signed(body, name, now)
    unsigned = {"content-type": "application/json"}
    assert sent(story, body, unsigned) == (401, "invalid_signature")
    assert sent(story, body, signed(body, name, now, key=bytes(32))) == (401, "invalid_signature")
    assert sent(story, body.replace(b"99.0", b"61.0"), good) == (401, "invalid_signature")
    assert sent(story, body, signed(body, name, now - 301)) == (401, "invalid_signature")
    assert sent(story, body, signed(body, name, now + 301)) == (401, "invalid_signature")
    assert sent(story, body, {**good, "webhook-id": "sig_another_one"}) == (401, "invalid_signature")
    assert sent(story, b" " * (MAX_SIGNAL_BYTES + 1), good) == (413, "body_too_large")
    assert sent(story, body, signed(body, "sig_another_one", now)) == (422, "other_signal")
    assert sent(story, body, {**good, "content-type": "text/plain"}) == (415, "unsupported_media_type")
    for odd in (
        b"",
        b"null",
        b"{",
        b"[" * 5000,
        b'{"signal_id":"\xff"}',
        msgspec.json.encode({**told, "score": 101}),
        msgspec.json.encode({**told, "score": -1}),
        msgspec.json.encode({**told, "recommended": "kick"}),
        msgspec.json.encode({**told, "user_id": ""}),
        msgspec.json.encode({**told, "reasons": [{"code": "x", "points": 1.0}] * 17}),
        msgspec.json.encode({**told, "signal_id": "short"}),
        msgspec.json.encode({**told, "observed_at": "yesterday"}),
    ):
        status, code = sent(story, odd, signed(odd, name, now))
        assert status in {400, 422}, odd[:80]
        assert code in {"malformed_json", "invalid_request"}, code
    assert user_risk(story) == 0.0
    assert story.login().status_code == 200
    assert sent(story, body, good) == (202, None)
    assert story.login().status_code == 401


def test_the_secret_of_before_is_believed_while_the_scorer_changes_over(story: Story) -> None:
    """Either is."""
    told = said(story, story.login().json()["session_id"], 61.0)
    body = msgspec.json.encode(told)
    assert sent(story, body, signed(body, told["signal_id"], story.clock.now(), key=OTHER_KEY)) == (202, None)
    assert ("session.step_up_required", "step_up") in story.audited()


def test_a_signal_counts_once_and_never_for_somebody_else(story: Story) -> None:
    """Repeated, unknown and mismatched ones are accepted alike, and change nothing."""
    session_id = story.login().json()["session_id"]
    assert signal(story, session_id, 70, signal_id="sig_once_and_once").status_code == 202
    held = user_risk(story)
    before = story.audited(with_risk=True)
    for changed in (
        {"score": 99.0, "signal_id": "sig_once_and_once"},
        {"user_id": "id-bob"},
        {"user_id": "nobody"},
        {"session_id": "unknown"},
    ):
        given: dict[str, Any] = {"session_id": session_id, "score": 99.0, "signal_id": "sig_other", **changed}
        assert signal(story, given.pop("session_id"), given.pop("score"), **given).json() == {"status": "accepted"}
    assert (user_risk(story), story.audited(with_risk=True)) == (held, before)


def test_a_signal_that_comes_twice_at_once_counts_once(story: Story) -> None:
    """Whoever is second finds it kept."""
    session_id = story.login().json()["session_id"]
    told = said(story, session_id, 85.0)
    body = msgspec.json.encode(told)
    headers = signed(body, told["signal_id"], story.clock.now())

    async def twice() -> list[int]:
        transport = httpx2.ASGITransport(story.app, client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            answers = await asyncio.gather(*(client.post(SIGNAL_PATH, content=body, headers=headers) for _ in range(8)))
        return [answer.status_code for answer in answers]

    assert story.runner.run(twice()) == [202] * 8
    kinds = [kind for kind, _ in story.audited()]
    assert (kinds.count("session.risk_signalled"), kinds.count("session.revoked")) == (1, 1)


def test_without_its_secret_the_way_in_is_closed(story_with: Callable[..., Story]) -> None:
    """As if it had never been."""
    story = story_with(risk_api_credential="rgs_test")
    assert signal(story, "any", 99.0).status_code == 404


def test_a_policy_that_only_reports_does_nothing(story_with: Callable[..., Story], tmp_path: Any) -> None:
    """What would have been done is written down."""
    document = tmp_path / "policy.toml"
    document.write_text("[session_marks]\nreport_only = true\nlogout = 85\n")
    story = story_with(**PROVIDER, login_policy_file=document)
    allowed = story.login("bob").json()
    signal(story, allowed["session_id"], 88.0, user_id="id-bob")
    assert story.refresh(allowed["tokens"]["refresh_token"]).status_code == 200
    assert ("session.risk_signalled", "logout") in story.audited()
    assert user_risk(story, "id-bob") == 0.0


def test_the_scorer_is_told_of_sessions_with_the_roles_that_the_policy_names(
    story_with: Callable[..., Story], tmp_path: Any
) -> None:
    """What a session began with, as whom, and why it ended; the outcome of the login travels in another lane."""
    document = tmp_path / "policy.toml"
    document.write_text('[groups]\nstaff = ["alice"]\n[roles]\nadmin = ["alice"]\n')
    story = story_with(**PROVIDER, login_policy_file=document)
    vouching = story.client("backend", may_vouch=True)
    context = {"ip": "203.0.113.9", "user_agent": "Firefox", "device_id": "dev-1", "ja4": "t13d_x_y"}
    session_id = story.login(auth=vouching, context=context).json()["session_id"]
    signal(story, session_id, 85.0)
    started, ended = story.notices()
    assert started == {
        "session_id": session_id,
        "user_id": "id-alice",
        "state": "started",
        "at": story.clock.now(),
        "expires_at": story.clock.now() + 30 * 86_400,
        "client_id": "backend",
        "ip": "203.0.113.9",
        "user_agent": "Firefox",
        "device_id": "dev-1",
        "ja4": "t13d_x_y",
        "roles": ["admin", "staff"],
        "amr": ["pwd"],
    }
    assert (ended["state"], ended["reason"]) == ("ended", "session_risk")
    assert [each["endpoint"] for each in story.announced()] == ["scorer"]


def test_a_scorer_that_is_too_old_for_sessions_learns_of_logins_all_the_same(story_with: Callable[..., Story]) -> None:
    """Its outcomes are not held up, and once it is upgraded it hears of the sessions that began meanwhile."""
    story = story_with(**PROVIDER)
    story.scorer.missing = {"/sessions"}
    session_id = story.login().json()["session_id"]

    def heard(path: str) -> list[Any]:
        return [body for where, body in story.scorer.posted if where == path]

    until(story, lambda: heard("/outcomes") != [])
    assert heard("/sessions") == []
    story.scorer.missing = set()
    for _ in range(5):  # the pauses between attempts pass
        story.clock.advance(60)
    until(story, lambda: heard("/sessions") != [])
    assert [(notice["session_id"], notice["state"]) for notice in heard("/sessions")[0]] == [(session_id, "started")]
