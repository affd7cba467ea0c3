"""The sign-in pages as a person meets them, with and without scripts, on a desk and on a phone."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from auth_gateway.core.provider.client import DEVICE_CODE, RegisteredClient
from tests.browser.place import Place, came_back, enter_password, fits, running_place
from tests.stories.gateway.story import PASSWORD

pytestmark = pytest.mark.browser


CLIENTS = {
    "app": {"client_name": "The app application"},
    "careful": {"client_name": "The careful application", "requires_consent": True},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Alice has an authenticator; `app` asks for nothing, `careful` for consent."""
    with running_place(tmp_path_factory.mktemp("gateway") / "state", CLIENTS) as place:
        yield place


@pytest.fixture
def context(context: BrowserContext, place: Place) -> BrowserContext:
    """A browser that was never here, a quiet scorer, and Alice with a code that nobody has used."""
    place.scorer.score = 10.0
    place.new_authenticator("alice")
    place.forgive()
    return context


def test_a_person_signs_in_with_password_and_code(page: Page, place: Place, complaints: list[str]) -> None:
    """From the application to the application; the policy lets the redirect after the form through."""
    place.scorer.score = 65.0
    page.goto(place.request())
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("The app application")).to_be_visible()
    assert fits(page)
    enter_password(page)
    code = page.get_by_label("Code")
    expect(code).to_be_focused()
    expect(code).to_have_attribute("inputmode", "numeric")
    assert fits(page)
    code.fill(place.code())
    page.get_by_role("button", name="Go on").click()
    assert came_back(page, place)["state"] == ["st"]
    assert complaints == []


def test_a_mistake_is_said_where_it_is_read(page: Page, place: Place, complaints: list[str]) -> None:
    """The text is announced, and tied to the field; only the password is typed again."""
    page.goto(place.request())
    enter_password(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    expect(page.get_by_label("User name")).to_have_value("alice")
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-describedby", "problem")
    assert fits(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    assert "code" in came_back(page, place)
    assert complaints == []


def test_a_person_is_asked_and_can_refuse(page: Page, place: Place, complaints: list[str]) -> None:
    """Both answers are one click."""
    page.goto(place.request("careful", prompt="consent"))
    enter_password(page)
    expect(page.get_by_role("heading", name="Allow The careful application?")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Do not allow").click()
    assert came_back(page, place)["error"] == ["access_denied"]
    page.goto(place.request("careful", prompt="consent"))
    page.get_by_role("button", name="Allow", exact=True).click()
    assert "code" in came_back(page, place)
    assert complaints == []


def test_a_refused_person_gets_an_incident_and_a_way_back(page: Page, place: Place, complaints: list[str]) -> None:
    """The application learns no reason."""
    place.scorer.score = 95.0
    page.goto(place.request())
    enter_password(page)
    expect(page.get_by_text("inc_")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Back to The app application").click()
    assert came_back(page, place)["error"] == ["access_denied"]
    assert complaints == []


def test_a_signed_in_browser_is_not_asked_again(page: Page, place: Place) -> None:
    """The cookies come along when another site sends the person here."""
    page.goto(place.request())
    enter_password(page)
    came_back(page, place)
    page.goto("about:blank")
    page.goto(place.request())
    assert "code" in came_back(page, place)


def test_the_keyboard_alone_is_enough(page: Page, place: Place) -> None:
    """Focus begins in the first field, and goes on in the order of the page."""
    page.goto(place.request())
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    assert "code" in came_back(page, place)


def test_the_pages_say_what_they_take(page: Page, place: Place) -> None:
    """A password manager finds its fields; the style sheet is ours."""
    page.goto(place.request())
    name, password = page.get_by_label("User name"), page.get_by_label("Password", exact=True)
    expect(name).to_have_attribute("autocomplete", "username webauthn")
    expect(page.locator("main")).to_have_css("border-radius", "14px" if fits_a_desk(page) else "0px")
    page.goto(place.request(login_hint="alice"))
    expect(name).to_have_attribute("autocomplete", "username")
    expect(name).to_have_value("alice")
    expect(password).to_have_attribute("autocomplete", "current-password")
    expect(password).to_be_focused()


def fits_a_desk(page: Page) -> bool:
    assert page.viewport_size is not None
    return page.viewport_size["width"] > 544


def test_a_device_is_connected(page: Page, place: Place, complaints: list[str]) -> None:
    """The code is filled in from the address and sent by hand; the card names the device before anybody says yes."""
    television = RegisteredClient(
        client_id="tv",
        client_name="The television",
        application_type="native",
        token_endpoint_auth_method="none",
        grant_types=(DEVICE_CODE,),
    )
    place.gateway.database.write_sync(lambda tx: place.gateway.clients.add(tx, television, b"", 0.0))
    begun = httpx2.post(f"{place.issuer}/device_authorization", data={"client_id": "tv", "scope": "openid"}).json()
    page.goto(begun["verification_uri"])
    page.get_by_label("Code on the device").fill("BCDF-GHJK")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong or too old")
    assert fits(page)
    page.goto(begun["verification_uri_complete"])
    expect(page.get_by_label("Code on the device")).to_have_value(begun["user_code"])
    page.get_by_role("button", name="Go on").click()
    enter_password(page)
    expect(page.get_by_text(begun["user_code"])).to_be_visible()
    expect(page.get_by_text("The television")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Connect it", exact=True).click()
    expect(page.get_by_role("heading", name="Connected")).to_be_visible()
    assert complaints == []
