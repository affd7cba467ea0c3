"""Whoever was in with somebody's code and left a key of their own behind is out for good, once its owner says so."""

import re
from collections.abc import Callable

import pyotp
import pytest

from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.core.recovery_code import KEY_PURPOSE, code_digest
from tests.soft_authenticator import SoftAuthenticator
from tests.stories.gateway.account_pages import AccountBrowser
from tests.stories.gateway.letters import followed, letters, link_of, with_address
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import Story

SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@gateway.example"}
NEW = "correct horse battery staple"
_REPORT = re.compile(r'href="/account(/report/[^"]+)"')
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TICKET = re.compile(r'name="ticket" value="([^"]+)"')


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider; Alice has an authenticator and a verified address, Bob an address alone."""
    running = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **SMTP)
    for name in ("alice", "bob"):
        with_address(running, f"id-{name}", f"{name}@example.com")
    return running


def adds_passkey(browser: AccountBrowser, name: str) -> None:
    key = SoftAuthenticator(origin=ISSUER, rp_id="id.example", credential_id=name.encode())
    assert "The passkey is added" in browser.send("/passkeys", credential=key.create(browser.options()), name=name).text


def names(story: Story, username: str) -> list[str]:
    kept = story.gateway.database.read(lambda tx: StoredPasskeys().of_user(tx, f"id-{username}"))
    return [passkey.name for passkey in kept]


def reports(browser: AccountBrowser, *, answer: str = "no") -> None:
    """The newest sign-in that is not this browser's own."""
    page = _REPORT.findall(browser.open().text)[0]
    browser.open(page)
    browser.send(page, answer=answer)


def later_code(story: Story, secret: str = "") -> str:
    """What the authenticator shows when the letter has come."""
    return pyotp.TOTP(secret or story.totp_secret).at(int(story.clock.now()) + 60)


def recovers(story: Story, username: str, **factor: str) -> str:
    """By mail, with a factor."""
    story.clock.advance(60)
    form = story.ask("GET", "/recover")
    csrf = _CSRF.search(form.text)
    assert csrf is not None
    cookie = form.headers["set-cookie"].partition(";")[0]
    story.ask("POST", "/recover", data={"csrf": csrf[1], "named": username}, headers={"cookie": cookie})
    path = link_of(story, "recover")
    ticket = _TICKET.search(followed(story, path, card="factor", **factor).text)
    assert ticket is not None
    return followed(story, path, card="password", password=NEW, ticket=ticket[1]).text


def test_a_thiefs_passkey_goes_with_the_thief(story: Story) -> None:
    """The owner's stays, who shows it, reports and recovers; letter and audit line tell of what went."""
    owner, thief = AccountBrowser(story), AccountBrowser(story, peer="192.0.2.200")
    owner.strong("/passkeys")
    adds_passkey(owner, "mine")
    story.clock.advance(60)
    thief.strong("/passkeys")
    adds_passkey(thief, "theirs")
    assert names(story, "alice") == ["mine", "theirs"]
    reports(owner)
    assert "Your password is set" in recovers(story, "alice", method="totp", code=later_code(story))
    assert names(story, "alice") == ["mine"]
    assert len(letters(story, "factor_removed")) == 1
    assert ("factor.removed", "reported") in story.audited()


def test_nobody_loses_a_factor_that_nobody_complained_about(story: Story) -> None:
    """A forgotten password takes nothing."""
    owner = AccountBrowser(story)
    owner.strong("/passkeys")
    adds_passkey(owner, "mine")
    recovers(story, "alice", method="totp", code=later_code(story))
    assert names(story, "alice") == ["mine"]
    assert letters(story, "factor_removed") == []


def test_the_factor_that_opens_the_account_again_stays(story: Story) -> None:
    """Somebody who reported their own sign-in by mistake keeps what they show: else the mailbox alone would do."""
    browser = AccountBrowser(story)
    browser.enter("bob", "/authenticator")
    secret = browser.secret()
    browser.send("/authenticator", offer=browser.offer(), code=browser.new_code())
    reports(browser)
    assert "Your password is set" in recovers(story, "bob", method="totp", code=later_code(story, secret))
    kinds = story.gateway.database.read(lambda tx: story.gateway.users.factor_kinds(tx, "id-bob"))
    assert "totp" in kinds


def test_a_thiefs_authenticator_goes_when_a_recovery_code_is_shown(story: Story) -> None:
    """It had taken the place of the owner's: without any factor the mailbox opens the account from then on."""
    key = story.gateway.vault.derive(KEY_PURPOSE)
    code = code_digest(key, "id-alice", "0123-4567-89ab-cdef")
    assert code is not None
    story.gateway.database.write_sync(lambda tx: StoredRecoveryCodes().replace(tx, "id-alice", [code], 1.0))
    owner, thief = AccountBrowser(story), AccountBrowser(story, peer="192.0.2.200")
    owner.enter("alice")
    thief.strong("/authenticator")
    thief.send("/authenticator", offer=thief.offer(), code=thief.new_code())
    reports(owner)
    assert "Your password is set" in recovers(story, "alice", method="recovery_code", code="0123-4567-89ab-cdef")
    kinds = story.gateway.database.read(lambda tx: story.gateway.users.factor_kinds(tx, "id-alice"))
    assert kinds == ("email_code",)
