"""Five people: a new phone, a lost phone, a traveller, a thief with the right password, and an owner who says "this
wasn't me". Each from the first page to the last, with letters that a real mail server took.
"""

import asyncio
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pyotp
import pytest

from auth_gateway.core.factor import Passkey
from auth_gateway.wiring import passkeys
from tests.mail_server import MailServer, link_in, running_mail_server, text_of
from tests.soft_authenticator import SoftAuthenticator
from tests.stories.gateway.account_pages import ACCOUNT, AccountBrowser, lines
from tests.stories.gateway.letters import with_address
from tests.stories.gateway.relying_party import ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import PASSWORD, Story

ABROAD, ELSEWHERE = "192.0.2.77", "203.0.113.66"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1"
NEW = "correct horse battery staple"
QUIET, UNUSUAL, NEARLY_DENIED, ALARMING = 10.0, 65.0, 77.0, 92.0
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TICKET = re.compile(r'name="ticket" value="([^"]+)"')
_ASKED_OF_PASSKEY = re.compile(r'data-passkey="get"[^>]*data-options="([^"]+)"')


@dataclass
class World:
    """Alice, who has an authenticator and a mailbox; an application; a gateway with a mail server."""

    story: Story
    mail: MailServer
    secret: str

    def letter(self, subject: str) -> str:
        """The link in the newest letter whose subject begins so."""
        return urlsplit(link_in(self.taken(subject))).path

    def taken(self, subject: str) -> Any:
        return self.mail.await_mail(subject, pause=lambda seconds: self.story.runner.run(asyncio.sleep(seconds)))

    def risk(self, score: float, *new: str) -> None:
        self.story.scorer.score, self.story.scorer.new = score, new

    def tokens(self, browser: Browser) -> dict[str, Any]:
        """What the application has of a browser that came back with a code."""
        assert browser.page is not None
        found: dict[str, Any] = redeem(self.story, returned(browser.page)["code"], secret=self.secret).json()
        return found

    def verdicts(self) -> list[str]:
        return [each["body"]["verdict"] for each in self.story.announced() if each["endpoint"] == "scorer-feedback"]

    def kinds(self, username: str = "alice") -> tuple[str, ...]:
        story = self.story
        return story.gateway.database.read(lambda tx: story.gateway.users.factor_kinds(tx, f"id-{username}"))

    def with_passkey(self) -> SoftAuthenticator:
        """Alice's own, made at home on her account page."""
        home = AccountBrowser(self.story)
        home.strong("/passkeys")
        key = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
        assert "The passkey is added" in home.send("/passkeys", credential=key.create(home.options()), name="Key").text
        registration = passkeys.registration(self.story.gateway)
        assert registration is not None
        (kept,) = registration.of("id-alice")
        assert isinstance(kept, Passkey)
        self.story.clock.advance(31)
        return key.but(user_handle=registration.ceremonies.handle("id-alice"), count=2)


@pytest.fixture
def world(story_with: Callable[..., Story]) -> Iterator[World]:
    """Everything up."""
    with running_mail_server() as mail:
        story = story_with(
            jwt_issuer=ISSUER, risk_api_credential="rgs_test", smtp_url=mail.url, mail_from="login@gateway.example"
        )
        with_address(story, "id-alice", "alice@example.com")
        story.scorer.country = "CH"
        yield World(story, mail, registered(story))


def asked_of_passkey(page: httpx2.Response) -> str:
    found = _ASKED_OF_PASSKEY.search(page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def at_second_factor(world: World, **where: str) -> Browser:
    """A browser after Alice's password."""
    world.story.clock.advance(31)
    browser = Browser(world.story, **where)
    browser.authorize()
    browser.password()
    return browser


def test_a_new_phone(world: World) -> None:
    """One code, one letter, one yes; from then on the phone is an old acquaintance."""
    world.risk(UNUSUAL, "device")
    phone = at_second_factor(world, peer=ABROAD, agent=PHONE)
    assert phone.page is not None
    assert "Confirm it is you" in phone.page.text
    shown = re.sub(r"<[^>]*>|riskgate", " ", phone.page.text)
    assert [word for word in ("65", "score", "risk", ABROAD) if word in shown.lower()] == []
    assert "code" in returned(phone.code())
    letter = world.taken("New sign-in")
    assert "Safari, iOS" in text_of(letter) or "iPhone" in text_of(letter)
    assert letter["To"] == "alice@example.com"
    link = urlsplit(link_in(letter)).path
    assert "Was this you?" in world.story.ask("GET", link).text
    assert "Thank you" in world.story.ask("POST", link, data={"answer": "yes"}).text
    assert world.verdicts() == ["confirmed_safe"]
    assert "code" in returned(phone.authorize(prompt="none"))
    world.risk(QUIET)
    again = Browser(
        world.story, peer=ABROAD, agent=PHONE, cookies={k: v for k, v in phone.cookies.items() if "device" in k}
    )
    assert "code" in again.sign_in()
    assert world.mail.mails == []


def test_a_lost_phone(world: World) -> None:
    """The authenticator was on it. A code from the drawer lets in, the new phone takes the old one's place, and neither
    the lost one nor the used code opens anything."""
    home = AccountBrowser(world.story)
    page = home.strong("/recovery-codes")
    once = page.text.split('name="once" value="')[1].split('"')[0]
    shown = home.send("/recovery-codes", once=once).text
    drawer = [part.split("<")[0] for part in shown.split("<li><code>")[1:]]
    assert len(drawer) == 10
    world.story.clock.advance(86_400)

    world.risk(UNUSUAL, "device")
    owner = AccountBrowser(world.story, agent=PHONE)
    owner.enter("alice", "/authenticator")
    assert owner.post(choose="recovery_code").status_code == 200
    assert owner.post(code=drawer[0].upper().replace("-", " "), method="recovery_code").status_code == 200
    assert owner.where == f"{ACCOUNT}/authenticator"
    new_secret = owner.secret()
    assert "is set up" in owner.send("/authenticator", offer=owner.offer(), code=owner.new_code()).text
    assert world.taken("A new way to confirm")

    world.story.clock.advance(31)
    lost = at_second_factor(world, peer=ELSEWHERE)
    assert lost.code(world.story.code()).status_code == 401
    lost.post(choose="recovery_code")
    assert lost.post(code=drawer[0], method="recovery_code").status_code == 401
    again = at_second_factor(world, agent=PHONE)
    assert "code" in returned(again.code(pyotp.TOTP(new_secret).at(int(world.story.clock.now()))))
    assert "9 codes left" in AccountBrowser(world.story, cookies=dict(owner.cookies), agent=PHONE).open().text


def test_a_traveller(world: World) -> None:
    """Abroad the authenticator is enough, and so is the passkey; near the deny mark the passkey alone, and beyond it
    nothing."""
    key = world.with_passkey()
    world.story.clock.advance(86_400)
    world.risk(UNUSUAL, "country")
    by_code = at_second_factor(world, peer=ABROAD)
    by_code.post(choose="totp")
    assert "code" in returned(by_code.post(code=world.story.code(), method="totp"))
    by_key = at_second_factor(world, peer=ABROAD)
    assert by_key.page is not None
    assert "code" in returned(by_key.post(credential=key.get(asked_of_passkey(by_key.page))))

    world.risk(NEARLY_DENIED, "country")
    near = at_second_factor(world, peer=ABROAD)
    assert near.page is not None
    assert 'name="code"' not in near.page.text
    assert 'value="totp"' not in near.page.text
    assert near.post(code=world.story.code(), method="totp").status_code == 401
    near = at_second_factor(world, peer=ABROAD)
    assert near.page is not None
    assert "code" in returned(near.post(credential=key.but(count=3).get(asked_of_passkey(near.page))))

    world.risk(ALARMING, "country")
    beyond = at_second_factor(world, peer=ABROAD)
    assert beyond.page is not None
    assert beyond.page.status_code == 403
    assert re.search(r"inc_[A-Za-z0-9_-]{22}", beyond.page.text)
    assert f'href="{ISSUER}/recover' in beyond.page.text or 'href="/recover' in beyond.page.text


def test_a_traveller_without_a_passkey_is_told_what_to_do(world: World) -> None:
    """Near the deny mark a code that can be phished opens nothing; the page has an incident id and a way on."""
    world.risk(NEARLY_DENIED, "country")
    near = at_second_factor(world, peer=ABROAD)
    assert near.page is not None
    assert near.page.status_code == 403
    assert re.search(r"inc_[A-Za-z0-9_-]{22}", near.page.text)
    assert ("login.denied", "no_phishing_resistant_factor") in world.story.audited()


FORGED = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
DOORS: dict[str, dict[str, str]] = {
    "/passkeys": {"name": "Mine", "credential": "{}"},
    "/authenticator": {"offer": "A" * 43, "code": "000000"},
    "/authenticator/remove": {},
    "/recovery-codes": {"once": "A" * 22},
    "/password": {"current": PASSWORD, "password": NEW},
}


@pytest.mark.parametrize("score", [QUIET, UNUSUAL, NEARLY_DENIED, ALARMING])
def test_a_thief_with_the_right_password(world: World, score: float) -> None:
    """Whatever the risk says: no factor is added or taken away, no code is shown, no password changed. At low risk the
    thief sees the account's first page; at every other not even that."""
    world.risk(score)
    thief = AccountBrowser(world.story, peer=ELSEWHERE, agent="curl/8")
    thief.enter("alice")
    is_in = score == QUIET
    assert (thief.where == f"{ACCOUNT}") is is_in
    mark = thief.csrf() if is_in else "A" * 43
    bobs = AccountBrowser(world.story)
    world.risk(QUIET)
    bobs.enter("bob", "/passkeys")
    bobs_question, bobs_offer = bobs.options(), bobs.open("/authenticator").text.split('name="offer" value="')[1]
    world.risk(score)
    tries = DOORS | {
        "/passkeys": {"name": "Mine", "credential": FORGED.create(bobs_question)},
        "/authenticator": {"offer": bobs_offer.split('"')[0], "code": bobs.new_code()},
    }
    for door, fields in tries.items():
        shown = thief.open(door).text + thief.send(door, csrf=mark, **fields).text
        assert "<li><code>" not in shown
        assert 'data-passkey="create"' not in shown
        assert 'name="offer"' not in shown
        assert "is added" not in shown
        assert "is set up" not in shown
    assert set(world.kinds()) == {"totp", "email_code"}
    assert lines(thief, "factor.enrolled", "factor.removed", "recovery_codes.made", "password.changed")[1:] == []
    world.risk(UNUSUAL)
    owner = at_second_factor(world)
    owner.post(choose="totp")
    assert "code" in returned(owner.post(code=world.story.code(), method="totp"))


def entered_by_thief(world: World) -> tuple[Browser, dict[str, Any], str]:
    """Somebody with Alice's password and a code that they talked out of her: a browser, an application's tokens, and a
    login that waits for its second half."""
    world.risk(UNUSUAL, "device", "country")
    thief = AccountBrowser(world.story, peer=ELSEWHERE, agent="Mozilla/5.0 (Windows NT 10.0; rv:140.0) Firefox/140.0")
    thief.authorize(scope="openid offline_access")
    thief.password()
    thief.code()
    tokens = world.tokens(thief)
    waiting = world.story.login(peer=ELSEWHERE).json()["challenge_id"]
    return thief, tokens, waiting


def recovered(world: World) -> None:
    """Alice's way back: name, letter, code, a new password."""
    story = world.story
    form = story.ask("GET", "/recover")
    csrf = _CSRF.search(form.text)
    assert csrf is not None
    cookie = form.headers["set-cookie"].partition(";")[0]
    asked = {"csrf": csrf[1], "card": "recover", "named": "alice@example.com"}
    assert "Look at your mail" in story.ask("POST", "/recover", data=asked, headers={"cookie": cookie}).text
    link = world.letter("Set a new password")
    story.clock.advance(31)
    confirmed = story.ask("POST", link, data={"card": "factor", "method": "totp", "code": story.code()})
    ticket = _TICKET.search(confirmed.text)
    assert ticket is not None, confirmed.text
    fields = {"card": "password", "password": NEW, "ticket": ticket[1]}
    assert "Your password is set" in story.ask("POST", link, data=fields).text


def test_this_was_not_me(world: World) -> None:
    """From the mail: looking does nothing, the button ends everything the thief has, and the owner comes back by a new
    password. The thief does not."""
    story = world.story
    thief, tokens, waiting = entered_by_thief(world)
    link = world.letter("New sign-in")
    for method in ("GET", "HEAD", "GET"):
        story.ask(method, link)
    assert "code" in returned(thief.authorize(prompt="none"))

    assert "locked" in story.ask("POST", link, data={"answer": "no"}).text
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert story.ask("POST", f"{ISSUER}/token", data=refresh, auth=("app", world.secret)).status_code == 400
    assert returned(thief.authorize(prompt="none"))["error"] == "login_required"
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert story.ask("GET", f"{ISSUER}/userinfo", headers=bearer).status_code == 401
    story.clock.advance(31)
    assert story.complete(waiting, peer=ELSEWHERE).status_code == 401
    assert [story.login(peer=peer).status_code for peer in (ELSEWHERE, "198.51.100.9")] == [401, 401]
    assert world.verdicts() == ["confirmed_compromised"]
    assert "locked" in world.taken("Your account at")["Subject"]

    world.risk(QUIET)
    recovered(world)
    assert world.taken("Your password at")
    assert [story.login("alice", word).status_code for word in (PASSWORD, NEW)] == [401, 200]
    assert story.ask("POST", f"{ISSUER}/token", data=refresh, auth=("app", world.secret)).status_code == 400
    assert returned(thief.authorize(prompt="none"))["error"] == "login_required"
    assert story.ask("POST", link, data={"answer": "no"}).status_code == 410
