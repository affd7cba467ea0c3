"""A gateway on a real socket with people in it, and the application that sends them there."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pyotp
import uvicorn
from playwright.sync_api import Page

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.app import create_app
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.settings import Settings
from tests.migrated import migrated
from tests.stories.gateway.relying_party import asked
from tests.stories.gateway.story import PASSWORD, StubScorer


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

    def new_authenticator(self, username: str) -> None:
        """A code counts once; with another secret the next one counts in the same half minute."""
        self.secret = self.gateway.enrol_totp(username, replace=True).secret

    def forgive(self) -> None:
        """Nothing is held against anybody any more: what one test did to a person does not reach the next."""
        with self.gateway.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM user_risk")


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
    """The address that people come back to."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Application)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/cb"
    server.shutdown()
    server.server_close()


@contextmanager
def running_place(state: Path, clients: dict[str, dict[str, Any]], **given: Any) -> Iterator[Place]:
    """Up until the block ends; `clients` are applications by id, with what their registrations say more."""
    with running_application() as callback, running_gateway(state, "alice", **given) as (gateway, scorer):
        for name, more in clients.items():
            usual = {"grant_types": ("authorization_code",), "redirect_uris": (callback,)}
            client = RegisteredClient(client_id=name, **usual | more)
            gateway.database.write_sync(lambda tx, client=client: gateway.clients.add(tx, client, b"x" * 32, 0.0))
        yield Place(gateway.settings.jwt_issuer, callback, gateway, scorer)


@contextmanager
def running_gateway(state: Path, *people: str, **given: Any) -> Iterator[tuple[Gateway, StubScorer]]:
    """A gateway at localhost, where browsers have passkeys without https, and its scorer, until the block ends."""
    scorer, listener = StubScorer(), socket.create_server(("127.0.0.1", 0))
    values: dict[str, Any] = {
        "auth_gateway_state": state,
        "jwt_issuer": f"http://localhost:{listener.getsockname()[1]}",
        "risk_api_url": scorer.url,
        "risk_api_credential": "rgs_test",
        "scorer_deadline_ms": 5000,
    }
    settings = Settings(**values | given)
    migrated(settings.auth_gateway_state / "gateway.db")
    gateway = assemble(settings, hasher=PasswordHasher(memory_kib=64, passes=1))
    for name in people:
        gateway.accounts.add(name, PASSWORD, user_id=f"id-{name}")
    server = uvicorn.Server(uvicorn.Config(create_app(settings, gateway=gateway), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield gateway, scorer
    server.should_exit = True
    thread.join()
    scorer.close()


def enter_password(page: Page, password: str = PASSWORD, *, username: str = "alice") -> None:
    """Name, then password, in whichever language the page is."""
    page.locator("#username").fill(username)
    page.locator("form button[type=submit]").first.click()
    page.locator("#password").fill(password)
    follow(page, "form:has(#password) button[type=submit]")


def follow(page: Page, selector: str) -> None:
    """Press what leads to another page, and wait until that one is here."""
    with page.expect_navigation():
        page.locator(selector).first.click()


def fits(page: Page) -> bool:
    """Nothing has to be scrolled sideways."""
    widths: list[int] = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return widths[0] <= widths[1]


def came_back(page: Page, place: Place) -> dict[str, list[str]]:
    """What the application got, once the browser is back there."""
    page.wait_for_url(f"{place.callback}?**")
    return parse_qs(urlsplit(page.url).query)
