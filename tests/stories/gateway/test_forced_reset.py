"""A reviewer wants a password renewed, and looks who is signed in where."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_commands import gateway_command
from tests.stories.gateway.applications import refused
from tests.stories.gateway.letters import followed, letters, with_address
from tests.stories.gateway.risky import PROVIDER
from tests.stories.gateway.story import NOW, Story, running_story
from tests.stories.gateway.test_account_desk import BY_COMMAND, WORDS, asked, soc
from tests.stories.gateway.test_asking_about_tokens import asked as introspected
from tests.stories.gateway.test_recovery import NEW, SMTP, link_for, ticket_of
from tests.stories.gateway.visits import registered, signed_in

BOB = "/accounts/id-bob"


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """A provider on each database; Alice, who has an authenticator, and Bob have verified addresses."""
    more = {"auth_gateway_database": request.getfixturevalue("postgresql_url")} if request.param == "postgresql" else {}
    with running_story(tmp_path / "state", **PROVIDER, **SMTP, **more) as running:
        for name in ("alice", "bob"):
            with_address(running, f"id-{name}", f"{name}@example.com")
        yield running


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """The same, on one."""
    running = story_with(**PROVIDER, **SMTP)
    with_address(running, "id-bob", "bob@example.com")
    return running


def test_nobody_gets_in_until_the_owner_has_set_another_password(either: Story) -> None:
    """Refresh refused, tokens inactive, the old password is as a wrong one; by the letter a new one lets in."""
    story, program = either, soc(either, "risk:read", "risk:write")
    tokens = story.login("bob").json()["tokens"]
    shop = registered(story, "shop")
    visit = signed_in(story, shop, "bob")
    assert introspected(story, visit.access_token, auth=shop.auth).json()["active"]
    reset = asked(story, "POST", f"{BOB}/force-reset", program, json=WORDS).json()
    assert (reset["changed"], reset["ended"], reset["account"]["frozen_reason"]) == (True, 2, "password_renewal")
    assert story.refresh(tokens["refresh_token"]).status_code == 400
    assert introspected(story, visit.access_token, auth=shop.auth).json() == {"active": False}
    assert refused(story.refresh(visit.refresh_token, auth=shop.auth)) == (400, "invalid_grant")
    wrong, right = story.login("bob", password="wrong"), story.login("bob")
    assert (right.status_code, right.content) == (401, wrong.content)
    assert [each.kind for each in (posted.letter for posted in letters(story))][-1] == "password_renewal"
    again = asked(story, "POST", f"{BOB}/force-reset", program, json=WORDS).json()
    assert (again["changed"], again["ended"]) == (False, 0)

    path = link_for(story, "bob")
    assert followed(story, path, card="password", ticket="", password=NEW).status_code == 200
    assert story.login("bob").status_code == 401
    assert story.login("bob", password=NEW).status_code == 200
    audited = story.audited()
    for line in (("user.frozen", "password_renewal"), ("session.revoked", "password_renewal"),
                 ("account.recovered", "recovery"), ("user.unfrozen", "password_renewal")):  # fmt: skip
        assert line in audited
    seen = asked(story, "GET", f"{BOB}/summary", program).json()
    assert seen["account"]["state"] == "active"


def test_who_has_a_factor_shows_it_first(either: Story) -> None:
    """Whoever holds the mailbox alone stays out."""
    program = soc(either, "risk:write")
    asked(either, "POST", "/accounts/id-alice/force-reset", program, json=WORDS)
    path = link_for(either, "alice")
    followed(either, path, card="password", ticket="", password=NEW)
    assert either.login("alice", password=NEW).status_code == 401
    ticket = ticket_of(followed(either, path, card="factor", method="totp", code=either.code()))
    followed(either, path, card="password", ticket=ticket, password=NEW)
    assert either.login("alice", password=NEW).status_code == 200


def test_what_would_lock_somebody_out_for_good_is_refused(story: Story) -> None:
    """Nobody without a mailbox, nothing over a reviewer's own freeze, nothing that changed since it was looked at."""
    program = soc(story, "risk:write")
    alice = "/accounts/id-alice"
    assert refused(asked(story, "POST", f"{alice}/force-reset", program, json=WORDS)) == (409, "no_mail_address")
    assert story.login().status_code == 200
    old = {**WORDS, "version": 99}
    assert refused(asked(story, "POST", f"{BOB}/force-reset", program, json=old)) == (409, "changed_meanwhile")
    asked(story, "POST", f"{BOB}/freeze", program, json=WORDS)
    assert refused(asked(story, "POST", f"{BOB}/force-reset", program, json=WORDS)) == (409, "account_frozen")
    asked(story, "POST", f"{BOB}/unfreeze", program, json=WORDS)
    asked(story, "POST", f"{BOB}/force-reset", program, json=WORDS)
    asked(story, "POST", f"{BOB}/freeze", program, json=WORDS)
    opened = asked(story, "POST", f"{BOB}/unfreeze", program, json=WORDS).json()
    assert (opened["account"]["state"], story.login("bob").status_code) == ("active", 200)


def test_a_reviewer_sees_who_is_signed_in_where(either: Story) -> None:
    """Live sessions alone, the newest first; no hash, no secret, no token."""
    program = soc(either, "risk:read", "risk:write")
    first = either.login("bob", headers={"user-agent": "Firefox"}).json()["session_id"]
    either.clock.advance(60)
    second = either.login("bob").json()["session_id"]
    answer = asked(either, "GET", f"{BOB}/sessions", program)
    newest, oldest = answer.json()["sessions"]
    assert [newest["session_id"], oldest["session_id"]] == [second, first]
    assert (oldest["began_at"], oldest["user_agent"], oldest["state"]) == (NOW, "Firefox", "running")
    assert oldest["expires_at"] > oldest["last_used_at"] >= NOW
    assert (oldest["factors"], len(oldest["clients"])) == (["pwd"], 1)
    asked(either, "POST", f"{BOB}/reset-sessions", program, json=WORDS)
    assert asked(either, "GET", f"{BOB}/sessions", program).json() == {"sessions": []}


def test_accounts_are_listed_and_found(either: Story) -> None:
    """By name with a cursor, by id and by address; with state, risk, last sign-in and factors, and no secret."""
    program = soc(either, "risk:read", "risk:write")
    either.login("bob")
    asked(either, "POST", "/users/id-bob/risk/verdict", program, json={**WORDS, "verdict": "compromised"})

    def listed(query: str) -> dict[str, Any]:
        found: dict[str, Any] = asked(either, "GET", f"/accounts?{query}", program).json()
        return found

    everybody = listed("limit=1")
    seen = [everybody["accounts"][0]["username"]]
    while "next" in everybody:
        everybody = listed(f"limit=1&cursor={everybody['next']}")
        seen.append(everybody["accounts"][0]["username"])
    assert seen == sorted(seen)
    assert {"alice", "bob"} <= set(seen)
    (bob,) = listed("query=bob@exam")["accounts"]
    assert (bob["user_id"], bob["risk"]["level"], bob["risk"]["is_held"]) == ("id-bob", "high", True)
    assert (bob["last_sign_in_at"], bob["state"]) == (NOW, "active")
    (alice,) = listed("query=id-alice")["accounts"]
    assert "totp" in alice["factors"]
    assert not {"password_hash", "hash", "secret"} & alice.keys()
    assert [each["username"] for each in listed("state=frozen")["accounts"]] == ["frozen"]
    assert [each["username"] for each in listed('ids=["id-bob","id-nobody","id-alice"]')["accounts"]] == [
        "bob",
        "alice",
    ]


def test_an_operator_asks_for_another_password_by_command(story: Story) -> None:
    """The same act with the same effect."""
    environment = {"AUTH_GATEWAY_STATE": str(story.gateway.settings.auth_gateway_state)}
    token = story.login("bob").json()["tokens"]["refresh_token"]
    told = [gateway_command(environment, "users", "force-reset", "bob", *BY_COMMAND) for _ in range(2)]
    assert [(each.exit_code, each.stdout) for each in told] == [(0, "1 ended\n"), (0, "asked for already\n")]
    assert story.refresh(token).status_code == 400
    assert story.login("bob").status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "state=odd",
        "cursor=x",
        "state=frozen&state=open",
        "cursor=%00",
        "limit=0",
        "limit=201",
        "limit=x",
        f"query={'x' * 257}",
        "query=%00",
        "ids=x",
        "ids=[1]",
    ],
)
def test_what_cannot_be_asked_is_refused(story: Story, query: str) -> None:
    """With the code that says so."""
    program = soc(story, "risk:read")
    assert refused(asked(story, "GET", f"/accounts?{query}", program)) == (422, "invalid_request")
