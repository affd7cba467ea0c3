"""A receiver that fails, seen at the console, and what it missed arrives once somebody there has it told again."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from auth_gateway.core.destination import Destination, Filter
from auth_gateway.telling import listeners
from tests.console_place import Browser, Place, console_place

PATIENCE_SECONDS = 20.0


@dataclass
class Siem:
    """Somebody's receiver: `status` is what it answers, `taken` the ids of the messages that it took."""

    url: str = ""
    status: int = 410
    taken: list[str] = field(default_factory=list)


@contextmanager
def siem() -> Iterator[Siem]:
    """Listens until the block ends."""
    found = Siem()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            if found.status < 300:
                found.taken.append(self.headers["webhook-id"])
            self.send_response(found.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/in"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with console_place(tmp_path_factory.mktemp("deliveries")) as found:
        yield found


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def test_what_a_receiver_refused_arrives_from_the_console(place: Place) -> None:
    """It says that it is gone: disabled, the message dead. It is back: resumed, tried again, a span told again."""
    with siem() as receiver:
        receivers = listeners(place.provider.gateway)
        made_here = Filter(types=("account.created",))  # which nobody is while this runs
        wanted = Destination(destination_id="", name="siem", kind="webhook", url=receiver.url, filter=made_here)
        made = receivers.add(wanted, show=lambda _: None).destination_id
        at = f"/dashboard/deliveries/gateway/{made}"
        browser = place.browser()
        browser.sign_in("admin", strong=True)
        ask(browser, at, "test")
        until(lambda: "Try now" in browser.open(f"{at}?status=dead").text)
        until(lambda: "Resume" in browser.open(at).text)
        for shown in ("disabled", "gone", "410", "webhook.test", "Try now", "Try dead ones again"):
            assert shown in browser.page.text, shown
        assert "receiver_disabled" in ask(browser, at, "retry_dead")
        receiver.status = 204
        assert "It is told again" in ask(browser, at, "resume")
        assert "tried now" in ask(browser, at, "retry_dead")
        until(lambda: len(receiver.taken) >= 1)
        until(lambda: "No message is like that" in browser.open(f"{at}?status=dead").text)
        before = len(receiver.taken)
        since = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
        assert "told again" in ask(browser, at, "replay", **{"from": since})
        until(lambda: any(".rpl_" in each for each in receiver.taken[before:]))
        audit = browser.open("/dashboard/audit").text
        for action in ("delivery.test", "delivery.resume", "delivery.retry_dead", "delivery.replay"):
            assert action in audit, action


def test_a_replay_wants_a_factor_shown_just_now_and_a_reader_may_nothing(place: Place) -> None:
    """Nothing is told again before; what a reader sends is refused for the role."""
    receivers = listeners(place.provider.gateway)
    wanted = Destination(destination_id="", name="other", kind="webhook", url="http://127.0.0.1:9/in")
    at = f"/dashboard/deliveries/gateway/{receivers.add(wanted, show=lambda _: None).destination_id}"
    browser = place.browser()
    browser.sign_in("admin")
    ask(browser, at, "replay", **{"from": "2026-01-31T08:00"})
    assert str(browser.page.url).startswith(place.provider.issuer)
    assert "Replays" not in browser.open(at).text
    reader = place.browser()
    page = reader.sign_in("reader", at).text
    assert "What you can do" not in page
    assert "role_required" in ask(reader, at, "test")


def ask(browser: Browser, at: str, does: str, **more: str) -> str:
    """Send that form of the page; what is shown afterwards."""
    browser.open(at)
    return browser.post(f"{at}/change", does=does, reason="because", **more).text
