"""The gateway as the console asks it: what is believed, what is refused, and what happens while it is slow or away."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from risk_scorer.adapters.console import gateway as module
from risk_scorer.adapters.console.breaker import FAILURES, OPEN_SECONDS
from risk_scorer.adapters.console.gateway import TOKEN_EARLY_SECONDS, GatewayClient, NoGateway
from risk_scorer.core.console.accounts import SessionsEnded
from tests.integration.risk_scorer.conftest import NOW

pytestmark = pytest.mark.anyio
ENDED = json.dumps({"ended": 2, "more": "of a newer gateway"}).encode()


class Gateway:
    """A real server that answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, ENDED
        self.token_status = 200
        self.statuses: list[int] = []
        self.hangs: threading.Event | None = None
        self.asked: list[tuple[str, str, str]] = []
        self.bodies: list[Any] = []
        server = self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    @property
    def tokens(self) -> int:
        return sum(path == "/token" for _, path, _ in self.asked)

    @property
    def acts(self) -> int:
        return len(self.asked) - self.tokens


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_PUT(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            gateway.asked.append((self.command, self.path, self.headers.get("authorization", "")))
            if self.path == "/token":
                number = f"token-{gateway.tokens}"
                self.say(gateway.token_status, json.dumps({"access_token": number, "expires_in": 900}).encode())
                return
            gateway.bodies.append(json.loads(raw) if raw else None)
            if gateway.hangs is not None:
                gateway.hangs.wait(10)
            self.say(gateway.statuses.pop(0) if gateway.statuses else gateway.status, gateway.body)

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # whoever asked has gone

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    found = Gateway()
    yield found
    if found.hangs is not None:
        found.hangs.set()
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def client(gateway: Gateway, clock: FixedClock) -> AsyncIterator[GatewayClient]:
    made = GatewayClient(issuer=gateway.url, client_id="console", client_secret="rgc_x", clock=clock)
    yield made
    await made.close()


async def reset(client: GatewayClient, user_id: str = "alice") -> SessionsEnded | tuple[str, int]:
    try:
        return await client.reset_sessions(user_id, by="mara", why="odd")
    except Refused as refused:
        return refused.code, refused.status


async def test_an_act_names_its_person_and_carries_our_token(client: GatewayClient, gateway: Gateway) -> None:
    """Whatever the person's id has in it stays in its place of the path."""
    assert await reset(client, "../a/b?c#d") == SessionsEnded(ended=2)
    assert gateway.asked[1] == ("POST", "/accounts/..%2Fa%2Fb%3Fc%23d/reset-sessions", "Bearer token-1")
    assert gateway.bodies == [{"by": "mara", "why": "odd"}]


async def test_a_token_is_kept_until_shortly_before_it_runs_out(
    client: GatewayClient, gateway: Gateway, clock: FixedClock
) -> None:
    """Both sides of that moment; and one that is not taken any more is asked for anew, once."""
    await reset(client)
    clock.advance(900 - TOKEN_EARLY_SECONDS - 1)
    await reset(client)
    assert gateway.tokens == 1
    clock.advance(1)
    await reset(client)
    assert gateway.tokens == 2
    gateway.statuses = [401]
    assert await reset(client) == SessionsEnded(ended=2)
    gateway.statuses = [401, 401]
    assert await reset(client) == ("gateway_refuses_console", 502)
    assert gateway.tokens == 4


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (
            404,
            {"error": "unknown_user", "error_description": "There is no account with this id."},
            ("unknown_user", 404),
        ),
        (409, {"error": "changed_meanwhile"}, ("changed_meanwhile", 409)),
        (422, {"error": "<script>", "error_description": "x" * 999}, ("gateway_refused", 422)),
        (403, {"error": "insufficient_scope"}, ("gateway_refuses_console", 502)),
        (429, {}, ("gateway_unavailable", 503)),
        (500, {}, ("gateway_unavailable", 503)),
        (503, {"error": "storage_unavailable"}, ("gateway_unavailable", 503)),
        (302, {}, ("gateway_answer_invalid", 502)),
        (404, [], ("gateway_answer_invalid", 502)),
        (200, {"ended": "two"}, ("gateway_answer_invalid", 502)),
        (200, {}, ("gateway_answer_invalid", 502)),
    ],
)
async def test_what_it_answers_is_said_with_a_stable_code(
    client: GatewayClient, gateway: Gateway, status: int, body: Any, code: tuple[str, int]
) -> None:
    """Its own refusals keep their code; what nobody can read is not believed."""
    gateway.status, gateway.body = status, json.dumps(body).encode()
    assert await reset(client) == code
    assert gateway.acts == 1, "an act is never sent twice"


async def test_what_is_no_json_or_too_much_is_not_believed(
    client: GatewayClient, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor read to its end."""
    monkeypatch.setattr(module, "MOST_ANSWER_BYTES", 1000)
    for body in (b"<html>", b"\xff", b"[" * 900, b" " * 2000 + ENDED):
        gateway.body = body
        assert await reset(client) == ("gateway_answer_invalid", 502)


async def test_one_that_hangs_is_given_up_and_then_left_alone(
    client: GatewayClient, gateway: Gateway, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some failures in a row nobody asks it any more, and that is said; a while later one does, and then all."""
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.1)
    gateway.hangs = threading.Event()
    for _ in range(FAILURES):
        with pytest.raises(Refused, match="look again whether it was done") as caught:
            await client.freeze("alice", by="mara", why="odd")
        assert (caught.value.code, caught.value.status) == ("gateway_unavailable", 503)
    assert gateway.acts == FAILURES
    with pytest.raises(Refused, match="it was not asked, and did nothing") as caught:
        await client.freeze("alice", by="mara", why="odd")
    assert (caught.value.code, caught.value.status, gateway.acts) == ("gateway_unavailable", 503, FAILURES)
    gateway.hangs.set()
    gateway.hangs = None
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 5.0)
    clock.advance(OPEN_SECONDS)
    assert await reset(client) == SessionsEnded(ended=2)
    assert await reset(client) == SessionsEnded(ended=2)


async def test_a_token_that_is_not_given_says_what_is_wrong(client: GatewayClient, gateway: Gateway) -> None:
    """Another secret is a matter of settings, a crash is not; neither act was sent."""
    for status, code in ((401, ("gateway_refuses_console", 502)), (500, ("gateway_unavailable", 503))):
        gateway.token_status = status
        assert await reset(client) == code
    assert gateway.acts == 0


async def test_without_a_client_everything_says_what_to_set() -> None:
    """The page of an act is a page, too."""
    nobody = NoGateway()
    with pytest.raises(Refused) as caught:
        await nobody.freeze("alice", by="mara", why="odd")
    assert (caught.value.code, caught.value.status, nobody.is_on) == ("gateway_not_configured", 503, False)
