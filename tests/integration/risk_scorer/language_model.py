"""A server on 127.0.0.1 that speaks chat completions as a test tells it to."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS: dict[str, Any] = {
    "signals": "A network with a bad reputation.",
    "why_unusual": "The person has not used it before.",
    "attack_likelihood": "medium",
    "recommended_response": "Ask the person.",
}


@dataclass(frozen=True)
class Reply:
    """A status, a body and more headers; `trickle_seconds` is the pause before each of its bytes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    trickle_seconds: float = 0.0


def completion(content: str | None, **message: Any) -> Reply:
    """A well-formed completion that says this."""
    whole = {"object": "chat.completion", "choices": [{"index": 0, "message": {"content": content, **message}}]}
    return Reply(body=json.dumps(whole).encode())


def told(**changes: Any) -> Reply:
    """A good narrative, with some parts changed."""
    return completion(json.dumps({**WORDS, **changes}))


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw)
        return found


class LanguageModel:
    """Keeps what it is asked; answers with `reply`, or what it makes of the request, once `go` is set."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.reply: Reply | Callable[[Asked], Reply] = told()
        self.go = threading.Event()
        self.go.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        assert self.go.wait(30)
        return self.reply(asked) if callable(self.reply) else self.reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may have given up meanwhile."""


@contextmanager
def language_model(tls: ssl.SSLContext | None = None) -> Iterator[LanguageModel]:
    """A model that answers until the block ends."""
    model = LanguageModel()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            reply = model.answer(Asked(self.path, {name.lower(): text for name, text in self.headers.items()}, raw))
            self.send_response(reply.status)
            for name, text in {"content-length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, text)
            self.end_headers()
            if not reply.trickle_seconds:
                self.wfile.write(reply.body)
                return
            pause = threading.Event()
            for byte in reply.body:
                pause.wait(reply.trickle_seconds)
                self.wfile.write(bytes([byte]))

        do_POST = _take  # noqa: N815 - the names that http.server calls
        do_GET = _take  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test keeps what was asked."""

    server = _Server(("127.0.0.1", 0), Handler)
    model.port = server.server_address[1]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield model
    finally:
        model.go.set()
        server.shutdown()
        thread.join()
        server.server_close()
