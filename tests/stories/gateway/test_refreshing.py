"""What becomes of refresh tokens: their use, their loss, their theft."""

from collections.abc import Callable

import pytest

from auth_gateway.adapters.keys import draw_keys
from auth_gateway.core.provider.registration import LONGEST_ACCESS_TTL_SECONDS
from tests.stories.gateway.story import HOME, Story

FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_a_refresh_gives_the_next_pair(story: Story) -> None:
    """Another access token of the same session, another refresh token, OAuth's own answer."""
    tokens = story.login().json()["tokens"]
    answer = story.refresh(tokens["refresh_token"])
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == set(tokens)
    assert body["refresh_token"] != tokens["refresh_token"]
    before, after = story.claims(tokens["access_token"]), story.claims(body["access_token"])
    assert before["sid"] == after["sid"]
    assert before["jti"] != after["jti"]
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


def test_a_form_does_the_same_as_json(story: Story) -> None:
    """OAuth's own encoding."""
    token = story.login().json()["tokens"]["refresh_token"]
    answer = story.ask("POST", "/token", data={"grant_type": "refresh_token", "refresh_token": token})
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"


def test_reuse_ends_the_whole_family(story: Story) -> None:
    """Thief and owner both hold a token of it; neither gets anything more."""
    first = story.login().json()["tokens"]["refresh_token"]
    second = story.refresh(first).json()["refresh_token"]
    third = story.refresh(second).json()["refresh_token"]
    for token in (first, second, third):
        answer = story.refresh(token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    kinds = [kind for kind, _ in story.audited()]
    assert "token.reused" in kinds


def test_a_lost_answer_may_be_asked_for_again(story: Story) -> None:
    """The same successor comes within ten seconds, as long as nobody used it."""
    first = story.login().json()["tokens"]["refresh_token"]
    lost = story.refresh(first).json()["refresh_token"]
    story.clock.advance(9)
    assert story.refresh(first).json()["refresh_token"] == lost
    assert story.refresh(lost).status_code == 200


def test_after_ten_seconds_asking_again_is_theft(story: Story) -> None:
    """The family dies."""
    first = story.login().json()["tokens"]["refresh_token"]
    second = story.refresh(first).json()["refresh_token"]
    story.clock.advance(11)
    assert story.refresh(first).status_code == 400
    assert story.refresh(second).status_code == 400


@pytest.mark.parametrize(("days", "status"), [(6.99, 200), (7.0, 400)])
def test_a_refresh_token_lives_seven_days(story: Story, days: float, status: int) -> None:
    """And not a moment longer."""
    token = story.login().json()["tokens"]["refresh_token"]
    story.clock.advance(days * 86_400)
    assert story.refresh(token).status_code == status


def test_a_refresh_token_belongs_to_its_client(story: Story) -> None:
    """Another application gets nothing for it, and its own still does."""
    app, other = story.client("app"), story.client("other")
    token = story.login(auth=app).json()["tokens"]["refresh_token"]
    assert story.refresh(token, auth=other).json()["error"] == "invalid_grant"
    assert story.refresh(token).json()["error"] == "invalid_grant"
    assert story.refresh(token, auth=app).status_code == 200


def test_a_frozen_person_s_tokens_die(story: Story) -> None:
    """Freezing ends the sessions, and unfreezing does not bring them back."""
    token = story.login().json()["tokens"]["refresh_token"]
    story.gateway.accounts.freeze("alice")
    assert story.refresh(token).status_code == 400
    story.gateway.accounts.unfreeze("alice")
    assert story.refresh(token).status_code == 400


def test_a_revoked_session_gives_no_tokens(story: Story) -> None:
    """The operator ended it."""
    body = story.login().json()
    assert story.gateway.revoke.session(body["session_id"], reason="operator")
    assert story.refresh(body["tokens"]["refresh_token"]).status_code == 400


def test_twenty_simultaneous_uses_fork_no_family(story: Story) -> None:
    """All get the one successor (a lost answer looks just like that), and only one family member lives."""
    import asyncio

    import httpx2

    token = story.login().json()["tokens"]["refresh_token"]

    async def race() -> set[str]:
        transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000))
        body = {"grant_type": "refresh_token", "refresh_token": token}
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            answers = await asyncio.gather(*(client.post("/token", json=body) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        return {answer.json()["refresh_token"] for answer in answers}

    assert len(story.runner.run(race())) == 1
    kinds = [kind for kind, _ in story.audited()]
    assert kinds.count("token.refreshed") == 1


ERRORS = (
    ("", "invalid_request"),
    ("grant_type=refresh_token", "invalid_request"),
    ("grant_type=refresh_token&refresh_token=", "invalid_request"),
    ("refresh_token=x", "invalid_request"),
    ("grant_type=password&username=alice&password=x", "unsupported_grant_type"),
    ("grant_type=refresh_token&refresh_token=x", "invalid_grant"),
    ("grant_type=refresh_token&grant_type=refresh_token&refresh_token=x", "invalid_request"),
    ("grant_type=refresh_token&refresh_token=%ff", "invalid_request"),
    ("grant_type=refresh_token&refresh_token=%00", "invalid_request"),
    ("grant_type=refresh_token&refresh_token=" + "A" * 5000, "invalid_grant"),
)
NO_REQUESTS = (b"{", b"[]", b'{"grant_type":1}', b'{"grant_type":"refresh_token"}', b"\xff", b"[" * 5000)


def test_errors_are_oauth_s_own_words(story: Story) -> None:
    """RFC 6749, section 5.2, with status 400; for JSON too."""
    for body, error in ERRORS:
        answer = story.ask("POST", "/token", content=body.encode(), headers=FORM)
        assert (answer.status_code, answer.json()["error"]) == (400, error), body[:80]
    for raw in NO_REQUESTS:
        answer = story.ask("POST", "/token", content=raw, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), raw[:80]


def test_a_rotated_key_signs_after_its_delay_and_old_tokens_still_verify(story_with: Callable[..., Story]) -> None:
    """Published at once, used later; the old key stays until nothing that it may have signed is good any more."""
    story = story_with(key_activation_delay=600)
    old = story.login().json()["tokens"]
    gateway = story.gateway
    drawn = draw_keys(["ES256"])
    (kid,), _ = gateway.database.write_sync(
        lambda tx: gateway.key_store.rotate(
            tx, drawn, now=story.clock.now(), delay_seconds=600, access_ttl_seconds=gateway.access_ttl_seconds
        )
    )
    story.runner.run(gateway.ring.reload())
    published = [key["kid"] for key in story.ask("GET", "/.well-known/jwks.json").json()["keys"]]
    assert kid in published
    assert len(published) == 2
    story.clock.advance(599)
    assert _kid(story.login().json()) != kid
    story.clock.advance(1)
    assert _kid(story.login().json()) == kid
    assert story.claims(old["access_token"])["sub"] == "id-alice"
    story.clock.advance(LONGEST_ACCESS_TTL_SECONDS + 300)
    assert [key["kid"] for key in story.ask("GET", "/.well-known/jwks.json").json()["keys"]] == [kid]


def _kid(body: dict[str, dict[str, str]]) -> str:
    import jwt

    kid: str = jwt.get_unverified_header(body["tokens"]["access_token"])["kid"]
    return kid
