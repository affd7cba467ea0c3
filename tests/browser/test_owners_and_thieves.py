"""Owners and thieves in a real Chromium, with letters that a real mail server took: what they click, from the
application or the mail to the end.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.place import Place, came_back, enter_password, running_place
from tests.browser.test_passkeys import WITHOUT_AUTOFILL, authenticator_of
from tests.mail_server import MailServer, link_in, running_mail_server
from tests.stories.gateway.story import PASSWORD

pytestmark = pytest.mark.browser

QUIET, UNUSUAL, NEARLY_DENIED, ALARMING = 10.0, 65.0, 77.0, 92.0
NEW = "correct horse battery staple"


@dataclass
class World:
    """Alice with an authenticator and a mailbox, and browsers that were never here."""

    place: Place
    mail: MailServer
    chromium: Browser
    contexts: list[BrowserContext]

    def browser(self) -> Page:
        context = self.chromium.new_context(viewport={"width": 390, "height": 844})
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        return page

    def risk(self, score: float, *new: str) -> None:
        self.place.scorer.score, self.place.scorer.new = score, new

    def code(self, later: int = 0) -> str:
        """Of this half minute, or of the one before or after it, which are taken too."""
        return pyotp.TOTP(self.place.secret).at(int(time.time()) + 30 * later)

    def sign_in(self, page: Page) -> None:
        page.goto(self.place.request())
        enter_password(page)

    def type_code(self, page: Page, code: str) -> None:
        page.locator("#code").fill(code)
        page.get_by_role("button", name="Go on").click()

    def audited(self) -> list[tuple[str, str | None]]:
        gateway = self.place.gateway
        events = gateway.database.read(lambda tx: gateway.audit.recent(tx, 1000))
        return [(event.kind, event.rule) for event in reversed(events)]


@pytest.fixture
def world(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything up."""
    state = tmp_path_factory.mktemp("gateway") / "state"
    with running_mail_server() as mail:
        given = {"smtp_url": mail.url, "mail_from": "login@gateway.example"}
        with running_place(state, {"app": {"client_name": "The shop"}}, **given) as place:
            with place.gateway.database.engine.begin() as connection:
                connection.exec_driver_sql("UPDATE users SET email = 'alice@example.com', email_verified = 1")
            place.new_authenticator("alice")
            world = World(place, mail, chromium, [])
            yield world
            for context in world.contexts:
                context.close()


def test_a_new_phone(world: World) -> None:
    """Name, password, code; then a letter, and a click that says yes."""
    world.risk(UNUSUAL, "device")
    phone = world.browser()
    world.sign_in(phone)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Confirm it is you")
    world.type_code(phone, world.code())
    assert "code" in came_back(phone, world.place)
    mail_program = world.browser()
    mail_program.goto(link_in(world.mail.await_mail("New sign-in")))
    mail_program.get_by_role("button", name="Yes, that was me").click()
    expect(mail_program.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert ("sign_in.confirmed", None) in world.audited()
    world.risk(QUIET)
    phone.goto(world.place.request(prompt="none"))
    assert "code" in came_back(phone, world.place)


def test_a_traveller_near_the_deny_mark(world: World) -> None:
    """The passkey was made at home; abroad no code is asked for, and the passkey lets in."""
    laptop = world.browser()
    laptop.add_init_script(WITHOUT_AUTOFILL)
    key = authenticator_of(laptop)
    laptop.goto(f"{world.place.issuer}/account/passkeys")
    enter_password(laptop)
    world.type_code(laptop, world.code())
    laptop.get_by_label("Name").fill("Laptop")
    laptop.get_by_role("button", name="Add a passkey").click()
    expect(laptop.get_by_role("status")).to_contain_text("passkey is added")
    assert len(key.credentials()) == 1
    laptop.context.clear_cookies()
    world.risk(NEARLY_DENIED, "country")
    world.sign_in(laptop)
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Confirm it is you")
    assert laptop.locator("#code").count() == 0
    assert laptop.locator("button[value=totp]").count() == 0
    laptop.locator("form[data-passkey=get] button, [data-passkey=get] button").first.click()
    assert "code" in came_back(laptop, world.place)


@pytest.mark.parametrize("score", [QUIET, UNUSUAL, ALARMING])
def test_a_thief_with_the_right_password_makes_no_passkey(world: World, score: float) -> None:
    """They have an authenticator and a browser that would; no page asks it for anything."""
    world.risk(score)
    thief = world.browser()
    key = authenticator_of(thief)
    thief.goto(f"{world.place.issuer}/account/passkeys")
    enter_password(thief)
    thief.wait_for_load_state()
    for path in ("passkeys", "authenticator", "recovery-codes", "password"):
        thief.goto(f"{world.place.issuer}/account/{path}")
        expect(thief.get_by_role("heading", level=1)).to_be_visible()
        assert thief.locator("[data-passkey=create]").count() == 0
        assert "/account/" not in thief.url
    assert key.credentials() == []
    gateway = world.place.gateway
    kinds = gateway.database.read(lambda tx: gateway.users.factor_kinds(tx, "id-alice"))
    assert set(kinds) == {"totp", "email_code"}


def test_this_was_not_me(world: World) -> None:
    """The link in the mail, one click, and the thief is out; a new password by another letter, and the owner is in."""
    world.risk(UNUSUAL, "device", "country")
    thief = world.browser()
    world.sign_in(thief)
    world.type_code(thief, world.code(-1))
    came_back(thief, world.place)
    world.risk(QUIET)
    thief.goto(f"{world.place.issuer}/account")
    expect(thief.get_by_role("heading", level=1)).to_contain_text("account")

    owner = world.browser()
    owner.goto(link_in(world.mail.await_mail("New sign-in")))
    expect(owner.get_by_role("heading", level=1)).to_have_text("Was this you?")
    owner.get_by_role("button", name="No, that was not me").click()
    expect(owner.get_by_role("heading", level=1)).to_have_text("Your account is locked")
    thief.goto(f"{world.place.issuer}/account")
    enter_password(thief)
    expect(thief.get_by_role("alert")).to_be_visible()

    owner.get_by_text("Set a new password", exact=True).last.click()
    owner.get_by_label("User name or mail address").fill("alice@example.com")
    owner.get_by_role("button", name="Send the link").click()
    expect(owner.get_by_role("heading", level=1)).to_have_text("Look at your mail")
    owner.goto(link_in(world.mail.await_mail("Set a new password")))
    form = owner.locator("form:has([value=totp])")
    form.locator("input[name=code]").fill(world.code())
    form.get_by_role("button").click()
    owner.get_by_label("New password").fill(NEW)
    owner.get_by_role("button", name="Set the password").click()
    expect(owner.get_by_role("heading", level=1)).to_have_text("Your password is set")

    owner.goto(world.place.request())
    enter_password(owner, NEW)
    assert "code" in came_back(owner, world.place)
    thief.goto(world.place.request())
    enter_password(thief, PASSWORD)
    expect(thief.get_by_role("alert")).to_be_visible()
    assert ("user.unfrozen", "reported") in world.audited()
