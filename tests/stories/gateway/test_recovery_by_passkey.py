"""A passkey is a second factor of a recovery: for the link that it was asked for, once, and its owner's alone."""

import html
import re
from collections.abc import Callable

import httpx2
import pytest

from auth_gateway.core.factor import Passkey
from auth_gateway.wiring import passkeys
from tests.soft_authenticator import SoftAuthenticator
from tests.stories.gateway.letters import followed, link_of, with_address
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import Story

SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@gateway.example"}
NEW = "correct horse battery staple"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_OPTIONS = re.compile(r'data-options="([^"]+)"')
_TICKET = re.compile(r'name="ticket" value="([^"]+)"')


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider; Bob has a verified address."""
    running = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **SMTP)
    with_address(running, "id-bob", "bob@example.com")
    return running


def enrolled(story: Story, name: str) -> SoftAuthenticator:
    """An authenticator that is known as that person's from now on."""
    registration = passkeys.registration(story.gateway)
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, name))
    assert registration is not None
    assert account is not None
    fresh = SoftAuthenticator(origin=ISSUER, rp_id="id.example", credential_id=name.encode())
    text = fresh.create(registration.options(account, "s1"))
    kept = story.runner.run(registration.finish(text, user_id=account.user_id, session_id="s1", name="Phone"))
    assert isinstance(kept, Passkey)
    return fresh.but(user_handle=registration.ceremonies.handle(account.user_id), count=2)


def link(story: Story) -> str:
    """A new link for Bob."""
    story.clock.advance(1)
    form = story.ask("GET", "/recover")
    csrf = _CSRF.search(form.text)
    assert csrf is not None
    cookie = form.headers["set-cookie"].partition(";")[0]
    story.ask("POST", "/recover", data={"csrf": csrf[1], "named": "bob"}, headers={"cookie": cookie})
    return link_of(story, "recover")


def options(page: httpx2.Response) -> str:
    found = _OPTIONS.search(page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def test_a_passkey_is_a_factor(story: Story) -> None:
    """It opens the form of the new password; what it said counts once."""
    phone = enrolled(story, "bob")
    path = link(story)
    said = phone.get(options(story.ask("GET", path)))
    page = followed(story, path, card="factor", credential=said)
    ticket = _TICKET.search(page.text)
    assert ticket is not None
    assert followed(story, path, card="factor", credential=said).status_code == 401
    assert followed(story, path, card="password", password=NEW, ticket=ticket[1]).status_code == 200
    assert story.login("bob", NEW).status_code == 200


def test_an_answer_for_another_link_is_none(story: Story) -> None:
    """Nor is one for nothing, nor what is no answer at all."""
    phone = enrolled(story, "bob")
    first, second = link(story), link(story)
    for credential in (phone.get(options(story.ask("GET", first))), "{}", "x", "[" * 5000):
        page = followed(story, second, card="factor", credential=credential)
        assert page.status_code == 401, credential[:20]
        assert not _TICKET.search(page.text)


def test_another_persons_passkey_is_none(story: Story) -> None:
    """Whoever has taken the mailbox brings a passkey of their own."""
    enrolled(story, "bob")
    stranger = enrolled(story, "alice")
    path = link(story)
    page = followed(story, path, card="factor", credential=stranger.get(options(story.ask("GET", path))))
    assert page.status_code == 401
    assert not _TICKET.search(page.text)


def test_whoever_has_nothing_but_a_passkey_is_told_what_is_left(story: Story) -> None:
    """At a browser without passkeys the page is not empty: another device, or the operator. Beside another factor it
    speaks of that instead."""
    enrolled(story, "bob")
    page = story.ask("GET", link(story)).text
    assert "This browser has no passkeys.<" in page
    assert "switched off.<" in page
    assert "Ask whoever runs this service" in page
    story.gateway.enrol_totp("bob")
    both = story.ask("GET", link(story)).text
    assert "Choose another way" in both
    assert "Ask whoever runs this service" not in both
