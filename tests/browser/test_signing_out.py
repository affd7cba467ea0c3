"""Signing out as a person meets it: the question, and an application of another site that asks by a form."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from playwright.sync_api import Page, expect

from auth_gateway.assembly import Gateway
from auth_gateway.core.provider.client import RegisteredClient
from plumbing.credentials import digest
from tests.browser.place import enter_password, running_gateway
from tests.stories.gateway.relying_party import VERIFIER, asked

pytestmark = pytest.mark.browser

SECRET = "rgc_the-application-s-own"


@dataclass
class Place:
    """A gateway at `localhost` and an application at `127.0.0.1`: for a browser, two sites."""

    issuer: str
    application: str
    gateway: Gateway

    def ended(self) -> int:
        """How many sessions people have signed out of."""
        with self.gateway.database.engine.connect() as connection:
            sql = "SELECT count(*) FROM sessions WHERE revoked_reason = 'logout'"
            return int(connection.exec_driver_sql(sql).scalar_one())


class _Application(BaseHTTPRequestHandler):
    form = b""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>App</title><link rel=icon href='data:,'><h1>The application</h1>"
        self._say(body + self.form if self.path == "/leave" else body)

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Alice, and an application that people come back to."""
    application = ThreadingHTTPServer(("127.0.0.1", 0), _Application)
    threading.Thread(target=application.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    address = f"http://127.0.0.1:{application.server_address[1]}"
    client = RegisteredClient(
        client_id="app",
        client_name="The shop",
        grant_types=("authorization_code",),
        redirect_uris=(f"{address}/cb",),
        post_logout_redirect_uris=(f"{address}/bye",),
    )
    with running_gateway(tmp_path_factory.mktemp("gateway") / "state", "alice") as (gateway, _scorer):
        gateway.database.write_sync(lambda tx: gateway.clients.add(tx, client, digest(SECRET), 0.0))
        yield Place(gateway.settings.jwt_issuer, address, gateway)
    application.shutdown()
    application.server_close()


def signed_in(page: Page, place: Place) -> str:
    """Alice signs in; the application's ID token."""
    callback = f"{place.application}/cb"
    page.goto(f"{place.issuer}/authorize?{urlencode(asked(redirect_uri=callback))}")
    enter_password(page)
    page.wait_for_url(f"{callback}?**")
    (code,) = parse_qs(urlsplit(page.url).query)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": VERIFIER}
    answer: dict[str, Any] = httpx2.post(f"{place.issuer}/token", data=form, auth=("app", SECRET)).json()
    return str(answer["id_token"])


def test_a_person_is_asked_and_comes_back_to_the_application(
    page: Page, place: Place, complaints: list[str], tmp_path: Path
) -> None:
    """The form's Origin is ours, the policy lets the redirect through, and the page fits."""
    signed_in(page, place)
    before = place.ended()
    query = {"client_id": "app", "post_logout_redirect_uri": f"{place.application}/bye", "state": "s1"}
    page.goto(f"{place.issuer}/logout?{urlencode(query)}")
    expect(page.get_by_role("heading", name="Sign out?")).to_be_visible()
    expect(page.get_by_text("The shop asks to sign you out.")).to_be_visible()
    inside, outside = page.locator("body").bounding_box(), page.viewport_size
    assert inside is not None
    assert outside is not None
    assert inside["width"] <= outside["width"]
    page.screenshot(path=tmp_path / f"logout-{outside['width']}.png")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{place.application}/bye?state=s1")
    assert place.ended() == before + 1
    assert [cookie["name"] for cookie in page.context.cookies(place.issuer) if cookie["name"] == "session"] == []
    assert complaints == []


def test_who_changes_their_mind_stays(page: Page, place: Place, complaints: list[str]) -> None:
    """The other button ends nothing."""
    signed_in(page, place)
    before = place.ended()
    page.goto(f"{place.issuer}/logout")
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("heading", name="You are still signed in")).to_be_visible()
    assert place.ended() == before
    assert complaints == []


def test_an_application_of_another_site_signs_out_by_a_form(page: Page, place: Place, complaints: list[str]) -> None:
    """Its POST comes without the cookie; sent round as a GET it has it, and the hint ends the session at once."""
    hint = signed_in(page, place)
    before = place.ended()
    fields = {"id_token_hint": hint, "post_logout_redirect_uri": f"{place.application}/bye", "state": "s2"}
    inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    _Application.form = f'<form method="post" action="{place.issuer}/logout">{inputs}<button>Leave</button>'.encode()
    page.goto(f"{place.application}/leave")
    page.get_by_role("button", name="Leave").click()
    page.wait_for_url(f"{place.application}/bye?state=s2")
    assert place.ended() == before + 1
    assert complaints == []
