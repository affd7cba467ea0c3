"""The sign-in pages as a person meets them, with and without scripts, on a desk and on a phone."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pyotp
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.app import create_app
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.provider.client import DEVICE_CODE, RegisteredClient
from auth_gateway.settings import Settings
from tests.stories.gateway.relying_party import asked
from tests.stories.gateway.story import PASSWORD, StubScorer

pytestmark = pytest.mark.browser


@dataclass
class Place:
    """A gateway on a real socket, and the application that sends people to it."""

    issuer: str
    callback: str
    gateway: Gateway
    scorer: StubScorer
    secret: str = ""

    def request(self, client_id: str = "app", **changed: Any) -> str:
        return f"{self.issuer}/authorize?{urlencode(asked(client_id, redirect_uri=self.callback, **changed))}"

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(int(time.time()))


class _Application(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>App</title><link rel=icon href='data:,'><h1>Welcome back</h1>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def running_application() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Application)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/cb"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Alice has an authenticator; `app` asks for nothing, `careful` for consent."""
    scorer, listener = StubScorer(), socket.create_server(("127.0.0.1", 0))
    issuer = f"http://localhost:{listener.getsockname()[1]}"
    settings = Settings(
        auth_gateway_state=tmp_path_factory.mktemp("gateway") / "state",
        jwt_issuer=issuer,
        risk_api_url=scorer.url,
        risk_api_credential="rgs_test",  # type: ignore[arg-type] # as the environment gives it
        scorer_deadline_ms=5000,
    )
    gateway = assemble(settings, hasher=PasswordHasher(memory_kib=64, passes=1))
    gateway.accounts.add("alice", PASSWORD, user_id="id-alice")
    server = uvicorn.Server(uvicorn.Config(create_app(settings, gateway=gateway), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    with running_application() as callback:
        for name, consents in (("app", False), ("careful", True)):
            client = RegisteredClient(
                client_id=name,
                client_name=f"The {name} application",
                grant_types=("authorization_code",),
                redirect_uris=(callback,),
                requires_consent=consents,
            )
            gateway.database.write_sync(lambda tx, client=client: gateway.clients.add(tx, client, b"x" * 32, 0.0))
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield Place(issuer, callback, gateway, scorer)
        server.should_exit = True
        thread.join()
    scorer.close()


@pytest.fixture(params=[(1280, True), (390, True), (390, False)], ids=["desk", "phone", "no-script"])
def context(chromium: Browser, place: Place, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser that was never here."""
    place.scorer.score = 10.0
    place.secret = place.gateway.enrol_totp(
        "alice", replace=True
    ).secret  # a code counts once, and another test may have used it
    width, has_scripts = request.param
    context = chromium.new_context(viewport={"width": width, "height": 844}, java_script_enabled=has_scripts)
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said: errors and violations of the content security policy."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Page:
    """An empty page."""
    page = context.new_page()

    def heard(message: ConsoleMessage) -> None:
        # Chromium writes each 401 and 403 there by itself.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            complaints.append(message.text)

    page.on("console", heard)
    return page


def fits(page: Page) -> bool:
    inside, outside = page.locator("body").bounding_box(), page.viewport_size
    assert inside is not None
    assert outside is not None
    return inside["width"] <= outside["width"]


def enter_password(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def came_back(page: Page, place: Place) -> dict[str, list[str]]:
    page.wait_for_url(f"{place.callback}?**")
    return parse_qs(urlsplit(page.url).query)


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
    """The text is announced, and tied to the fields; the name is not kept."""
    page.goto(place.request())
    enter_password(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    expect(page.get_by_label("User name")).to_have_value("")
    expect(page.get_by_label("User name")).to_have_attribute("aria-describedby", "problem")
    assert fits(page)
    enter_password(page)
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
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    assert "code" in came_back(page, place)


def test_the_pages_say_what_they_take(page: Page, place: Place) -> None:
    """A password manager finds its fields; the style sheet is ours."""
    page.goto(place.request(login_hint="alice"))
    expect(page.get_by_label("User name")).to_have_attribute("autocomplete", "username")
    expect(page.get_by_label("User name")).to_have_value("alice")
    expect(page.get_by_label("Password")).to_have_attribute("autocomplete", "current-password")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.locator("main")).to_have_css("border-radius", "8px")


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
