"""The own account in a real Chromium: with the keyboard alone, without scripts, on a desk and on a phone."""

import time
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.place import Place, fits, running_gateway
from tests.stories.gateway.story import PASSWORD

pytestmark = pytest.mark.browser

NEW = "correct horse battery staple"
SECONDS = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A gateway at localhost."""
    with running_gateway(tmp_path_factory.mktemp("gateway") / "state") as (gateway, scorer):
        yield Place(gateway.settings.jwt_issuer, "", gateway, scorer)


@pytest.fixture
def person(place: Place, request: pytest.FixtureRequest) -> str:
    """Somebody new for each test, with a password and nothing else."""
    name = f"person-{abs(hash(request.node.name))}"
    place.gateway.accounts.add(name, PASSWORD)
    return name


def sign_in(page: Page, person: str) -> None:
    """By the name's step and the password's, with Enter."""
    page.get_by_label("User name").fill(person)
    page.keyboard.press("Enter")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")


def tab_to(page: Page, role: str, name: str) -> None:
    """With the keyboard alone."""
    wanted = page.get_by_role(role, name=name).first  # type: ignore[arg-type] # a role's name
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"no Tab leads to {name}")


def test_an_authenticator_and_recovery_codes_without_a_mouse(
    place: Place, page: Page, person: str, complaints: list[str]
) -> None:
    """Sign in, set up, sign out elsewhere, make codes; every page fits and the browser has nothing to complain of."""
    page.goto(f"{place.issuer}/account")
    sign_in(page, person)
    expect(page).to_have_title("Your account · riskgate")
    assert fits(page)
    tab_to(page, "link", "Set up an authenticator app")
    page.keyboard.press("Enter")
    picture = page.get_by_role("img", name="QR code that holds the key below")
    expect(picture).to_be_visible()
    assert picture.evaluate("each => each.complete && each.naturalWidth") > 0
    assert fits(page)
    secret = page.locator("main code").inner_text().replace(" ", "")
    tab_to(page, "textbox", "First code")
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not right for this key")
    code = pyotp.TOTP(secret).at(int(time.time()))
    tab_to(page, "textbox", "First code")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is set up")
    tab_to(page, "link", "Make new codes")
    page.keyboard.press("Enter")
    page.locator("#code").fill(pyotp.TOTP(secret).at(int(time.time()) + SECONDS))
    page.keyboard.press("Enter")
    tab_to(page, "button", "Make ten new codes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Your new recovery codes").get_by_role("listitem")).to_have_count(10)
    assert fits(page)
    tab_to(page, "link", "Back to your account")
    page.keyboard.press("Enter")
    expect(page.get_by_text("10 codes left")).to_be_visible()
    tab_to(page, "button", "Sign out everywhere else")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Every other browser is signed out")
    assert complaints == []


def test_the_password_is_changed_by_pasting(place: Place, page: Page, person: str, complaints: list[str]) -> None:
    """A problem is said at its field, and the page after it keeps the person in."""
    page.goto(f"{place.issuer}/account/password")
    sign_in(page, person)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill("short")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("too short")
    expect(page.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    assert fits(page)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")
    assert complaints == []


def test_a_sign_in_is_reported_without_a_mouse(place: Place, page: Page, person: str) -> None:
    """From the list to a page that says what follows, and only its button does it."""
    page.goto(f"{place.issuer}/account")
    sign_in(page, person)
    tab_to(page, "link", "This wasn’t me")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("This wasn’t you")
    assert fits(page)
    tab_to(page, "button", "This wasn’t me")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your account is locked")
