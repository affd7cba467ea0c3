"""Strangers make accounts by mail, where the operator lets them; no page tells whose address has one."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from auth_gateway.opening import CannotStart
from tests.stories.gateway.letters import followed, letters, link_of, with_address
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import HOME, Story, running_story

SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@gateway.example"}
GIVEN: dict[str, Any] = {"jwt_issuer": ISSUER, "risk_api_credential": "rgs_test", "sign_up": True, **SMTP}
NEW = "correct horse battery staple"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider that lets strangers in; Bob has a verified address."""
    running = story_with(**GIVEN)
    with_address(running, "id-bob", "bob@example.com")
    return running


def asked(story: Story, named: str, *, peer: str = HOME) -> httpx2.Response:
    form = story.ask("GET", "/sign-up", peer=peer)
    cookie = form.headers["set-cookie"].partition(";")[0]
    csrf = _CSRF.search(form.text)
    assert csrf is not None
    fields = {"csrf": csrf[1], "card": "sign_up", "named": named}
    return story.ask("POST", "/sign-up", data=fields, headers={"cookie": cookie}, peer=peer)


def finished(story: Story, path: str, password: str = NEW) -> httpx2.Response:
    return followed(story, path, card="password", password=password)


def test_a_stranger_makes_an_account(story: Story) -> None:
    """By a link to their mailbox; the address is the user name, and it is verified."""
    assert "Look at your mail" in asked(story, "Carol@Example.com").text
    assert story.login("carol@example.com", NEW).status_code == 401
    path = link_of(story, "verify_email")
    assert "Choose a password" in story.ask("GET", path).text
    assert "Your account is there" in finished(story, path).text
    assert story.login("carol@example.com", NEW).status_code == 200
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, "carol@example.com"))
    assert account is not None
    assert (account.email, account.email_verified) == ("Carol@example.com", True)
    assert "user.signed_up" in [kind for kind, _ in story.audited()]


@pytest.mark.parametrize("named", ["Eve.Moore@Example.com", "eve.moore@example.com"])
def test_one_mailbox_makes_no_second_account(story: Story, named: str) -> None:
    """However its owner or the operator wrote it."""
    story.gateway.accounts.add("eve", NEW, email="Eve.Moore@Example.com")
    asked(story, named)
    assert [(posted.letter.to, posted.letter.kind) for posted in letters(story)] == [
        ("Eve.Moore@example.com", "already_registered")
    ]


def test_who_has_an_account_is_told_by_mail(story: Story) -> None:
    """The page is the same; the letter names the account and has no link."""
    assert asked(story, "bob@example.com").text == asked(story, "nobody@example.com").text
    assert sorted(posted.letter.kind for posted in letters(story)) == ["already_registered", "verify_email"]
    (told,) = letters(story, "already_registered")
    assert (told.letter.to, told.letter.values["username"]) == ("bob@example.com", "bob")


@pytest.mark.parametrize(
    "named", ["nobody@example.com", "bob@example.com", "no address", "a@b.c\r\nBcc: d@e.f", "x@y", "<b>@example.com"]
)
def test_no_byte_tells_whose_address_it_is(story: Story, named: str) -> None:
    """The same page and headers for every address, and for what is none."""
    first, other = asked(story, "carol@example.com"), asked(story, named)
    assert (other.status_code, other.content) == (first.status_code, first.content)
    assert sorted(other.headers.items()) == sorted(first.headers.items())


def test_looking_makes_no_account(story: Story) -> None:
    """A program that reads mail opens the link."""
    asked(story, "carol@example.com")
    path = link_of(story, "verify_email")
    assert [story.ask("GET", path).status_code for _ in range(3)] == [200] * 3
    assert followed(story, path, card="other").status_code == 200
    assert story.gateway.database.read(lambda tx: story.gateway.users.find(tx, "carol@example.com")) is None


def test_a_password_keeps_to_the_rules(story: Story) -> None:
    """Fifteen characters at least, since it is all that the account has; the link still counts."""
    asked(story, "carol@example.com")
    path = link_of(story, "verify_email")
    short = finished(story, path, "fourteen chars")
    assert (short.status_code, "at least 15" in short.text) == (422, True)
    assert finished(story, path, "fifteen chars!!").status_code == 200


def test_two_letters_make_one_account(story: Story) -> None:
    """The second link finds the account of the first, and takes nobody's place."""
    asked(story, "carol@example.com")
    first = link_of(story, "verify_email")
    story.clock.advance(1)
    asked(story, "carol@example.com")
    second = link_of(story, "verify_email")
    assert first != second
    assert [finished(story, second).status_code, finished(story, first, "another password!").status_code] == [200, 410]
    assert story.login("carol@example.com", NEW).status_code == 200


def test_a_link_has_an_hour(story: Story) -> None:
    """To its last second."""
    asked(story, "carol@example.com")
    path = link_of(story, "verify_email")
    story.clock.advance(3_599)
    assert story.ask("GET", path).status_code == 200
    story.clock.advance(1)
    assert finished(story, path).status_code == 410


def test_no_mailbox_is_filled(story: Story) -> None:
    """Three letters to one address, whoever asks."""
    for number in range(6):
        assert asked(story, "carol@example.com", peer=f"203.0.113.{number}").status_code == 200
    assert len(letters(story)) == 3


def test_it_is_off_by_default(story_with: Callable[..., Story]) -> None:
    """There is no such page, and a link of that kind opens nothing."""
    story = story_with(**{**GIVEN, "sign_up": False})
    assert [story.ask(method, "/sign-up").status_code for method in ("GET", "POST")] == [404, 404]


def test_it_needs_mail(story_with: Callable[..., Story]) -> None:
    """Said at the start, with what to do."""
    with pytest.raises(CannotStart, match="SIGN_UP needs SMTP_URL"):
        story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", sign_up=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """The same on each database."""
    more = {"auth_gateway_database": request.getfixturevalue("postgresql_url")} if request.param == "postgresql" else {}
    with running_story(tmp_path / "state", **GIVEN, **more) as running:
        yield running


@pytest.mark.parametrize("clients", [2, 5, 20])
def test_of_many_who_finish_at_once_one_makes_the_account(either: Story, clients: int) -> None:
    """One account with one of the passwords."""
    asked(either, "carol@example.com")
    path = link_of(either, "verify_email")

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(either.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            form = {"card": "password", "password": NEW}
            return await asyncio.gather(*[client.post(path, data=form) for _ in range(clients)])

    statuses = [answer.status_code for answer in either.runner.run(send())]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 410, 503}
    assert either.login("carol@example.com", NEW).status_code == 200
