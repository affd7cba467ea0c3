"""One request put to an application itself, without a client: hundreds of them a second, and a feed's first words."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

EVENTS = b"text/event-stream"


@dataclass(frozen=True)
class Answer:
    """What came back; of a feed, its head alone."""

    status: int
    headers: Mapping[str, str]
    body: str


async def one_answer(
    app: Any, method: str, address: str, *, headers: Mapping[str, str], body: bytes = b"", peer: str = "127.0.0.1"
) -> Answer:
    """The application's whole answer, or what a stream begins with: that would go on for ever."""
    path, _, query = address.partition("?")
    given = {"host": "127.0.0.1:8000", "content-length": str(len(body)), **headers}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": (peer, 40_000), "server": ("127.0.0.1", 8_000), "state": {},
    }  # fmt: skip
    sent = [{"type": "http.request", "body": body, "more_body": False}]
    heard: list[dict[str, Any]] = []
    is_done = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not sent:
            await asyncio.Event().wait()  # whoever asks stays on the line
        return sent.pop()

    async def send(message: dict[str, Any]) -> None:
        heard.append(message)
        begun = dict(heard[0].get("headers", ())).get(b"content-type", b"")
        if begun.startswith(EVENTS) or (message["type"] == "http.response.body" and not message.get("more_body")):
            is_done.set()

    async with asyncio.timeout(20.0), asyncio.TaskGroup() as group:
        task = group.create_task(app(scope, receive, send))
        task.add_done_callback(lambda _: is_done.set())
        await is_done.wait()
        task.cancel()
    text = b"".join(message.get("body", b"") for message in heard[1:])
    pairs = {name.decode(): value.decode("latin-1") for name, value in heard[0]["headers"]}
    return Answer(heard[0]["status"], pairs, text.decode("utf-8", "replace"))
