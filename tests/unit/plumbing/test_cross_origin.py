"""What a page of another origin is let read, answer by answer."""

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from plumbing.asgi import refusal_handlers
from plumbing.cross_origin import CrossOrigin
from plumbing.randomness import SeededRandomness

pytestmark = pytest.mark.anyio

PAGE = "https://app.example"


def service(asked: list[str]) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def allows(origin: str) -> bool:
        asked.append(origin)
        return origin == PAGE

    @app.post("/token")
    async def token(request: Request) -> Response:
        if await request.body() == b"crash":
            raise RuntimeError("a bug")
        headers = {"DPoP-Nonce": "n", "X-Other": "o", "Vary": "Accept"} if await request.body() == b"nonce" else {}
        return PlainTextResponse("ok", headers=headers)

    @app.get("/keys")
    async def keys() -> Response:
        return PlainTextResponse("keys")

    @app.post("/login")
    async def login() -> Response:
        return PlainTextResponse("in")

    refusal_handlers(app, SeededRandomness(1))
    app.add_middleware(CrossOrigin, public={"/keys": ("GET",)}, shared={"/token": ("POST",)}, allows=allows)
    return app


async def ask(
    method: str, path: str, *origins: str, asked: list[str] | None = None, body: bytes = b"", preflight: bool = False
) -> httpx2.Response:
    headers = [("Origin", origin) for origin in origins]
    headers += [("Access-Control-Request-Method", "POST")] if preflight else []
    transport = httpx2.ASGITransport(service([] if asked is None else asked), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, path, content=body, headers=headers)


def shared(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


async def test_a_known_page_reads_the_answer() -> None:
    """Its own origin is named, and caches are told that it matters."""
    answer = await ask("POST", "/token", PAGE)
    assert shared(answer) == {"access-control-allow-origin": PAGE}
    assert answer.headers["vary"] == "Origin"


async def test_a_crash_is_read_too() -> None:
    """What stands inside may fail in any way."""
    answer = await ask("POST", "/token", PAGE, body=b"crash")
    assert (answer.status_code, shared(answer)) == (500, {"access-control-allow-origin": PAGE})


async def test_what_is_sent_beside_the_body_is_shown_when_it_is_known() -> None:
    """And what the answer says of itself stays."""
    answer = await ask("POST", "/token", PAGE, body=b"nonce")
    assert answer.headers["access-control-expose-headers"] == "DPoP-Nonce"
    assert answer.headers.get_list("vary") == ["Accept", "Origin"]


@pytest.mark.parametrize("origins", [("https://evil.example",), ("null",), (PAGE, PAGE), ("",), (f"{PAGE}/",)])
async def test_nobody_else_does(origins: tuple[str, ...]) -> None:
    """A stranger, an origin that hides itself, two at once, nothing, and what only looks alike."""
    answer = await ask("POST", "/token", *origins)
    assert (answer.text, shared(answer), answer.headers["vary"]) == ("ok", {}, "Origin")
    refused = await ask("OPTIONS", "/token", *origins, preflight=True)
    assert (refused.status_code, shared(refused)) == (405, {})


async def test_a_browser_that_asks_first_is_told_what_it_may_send() -> None:
    """Methods, headers and for how long; never credentials."""
    answer = await ask("OPTIONS", "/token", PAGE, preflight=True)
    assert (answer.status_code, answer.content) == (204, b"")
    assert shared(answer) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Authorization, Content-Type, DPoP",
        "access-control-max-age": "600",
    }


async def test_an_options_that_is_no_question_is_a_method_like_any_other() -> None:
    """It is not taken here, and a page may read that."""
    answer = await ask("OPTIONS", "/token", PAGE)
    assert (answer.status_code, shared(answer)) == (405, {"access-control-allow-origin": PAGE})


async def test_what_is_public_is_for_every_page() -> None:
    """Asked by a page or not, since a cache may give the one answer to the other."""
    for origins in [(), ("https://evil.example",), ("null",)]:
        answer = await ask("GET", "/keys", *origins)
        assert (shared(answer), "vary" in answer.headers) == ({"access-control-allow-origin": "*"}, False)
    preflight = await ask("OPTIONS", "/keys", "https://evil.example", preflight=True)
    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (204, "GET")


async def test_the_rest_is_left_as_it_is() -> None:
    """Other paths, and whoever is no page: nobody's origin is looked up for them."""
    asked: list[str] = []
    for path, origins in [("/login", (PAGE,)), ("/token", ()), ("/token/", (PAGE,))]:
        answer = await ask("POST", path, *origins, asked=asked)
        assert (shared(answer), "vary" in answer.headers) == ({}, False)
    assert (await ask("OPTIONS", "/login", PAGE, asked=asked, preflight=True)).status_code == 405
    assert asked == []
