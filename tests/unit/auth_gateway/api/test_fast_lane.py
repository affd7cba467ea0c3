"""The way past the router answers its one address and leaves the rest alone."""

import asyncio

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from plumbing.lean import FastLane
from plumbing.refusals import Refused


async def endpoint(request: Request) -> Response:
    body = await request.body()
    if body == b"refuse":
        raise Refused("throttled", "Later.", status=429, retry_after_seconds=2)
    if body == b"crash":
        raise RuntimeError("a bug")
    return PlainTextResponse(b"fast " + body)


def ask(method: str, path: str, body: bytes = b"") -> httpx2.Response:
    app = FastLane(PlainTextResponse("router"), path="/token", endpoint=endpoint)

    async def send() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as client:
            return await client.request(method, path, content=body)

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("POST", "/token", "fast x"),
        ("POST", "/token?a=b", "fast x"),
        ("GET", "/token", "router"),
        ("POST", "/token/", "router"),
        ("POST", "/tokens", "router"),
        ("POST", "/login", "router"),
    ],
)
def test_only_its_own_address_is_answered(method: str, path: str, answer: str) -> None:
    """A wrong method gets the router's 405, another path its own endpoint."""
    assert ask(method, path, b"x").text == answer


def test_a_refusal_looks_as_it_does_elsewhere() -> None:
    """Code, text and Retry-After."""
    answer = ask("POST", "/token", b"refuse")
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (429, "throttled", "2")


def test_a_bug_is_left_to_the_guard_outside() -> None:
    """It is not turned into an answer here."""
    with pytest.raises(RuntimeError):
        ask("POST", "/token", b"crash")
