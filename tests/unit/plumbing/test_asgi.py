"""Every answer is protected, every failure has one form, and a crash tells nothing."""

import json

import httpx2
import pytest
from fastapi import FastAPI, HTTPException, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from plumbing.asgi import SecurityHeaders, json_answer, refusal_handlers
from plumbing.bodies import read_body
from plumbing.randomness import SeededRandomness
from plumbing.refusals import Refused

pytestmark = pytest.mark.anyio

SECRET = "hunter2"


def service() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    refusal_handlers(app, SeededRandomness(1))
    app.add_middleware(SecurityHeaders)

    @app.get("/refused")
    async def refused() -> Response:
        raise Refused("busy", "Come back.", status=503, retry_after_seconds=0.2, evidence={"error": "x", "left": 3})

    @app.get("/crash")
    async def crash() -> Response:
        raise RuntimeError(SECRET)

    @app.get("/late")
    async def late() -> Response:
        async def parts():  # type: ignore[no-untyped-def]
            yield b"a"
            raise RuntimeError(SECRET)

        return StreamingResponse(parts())

    @app.get("/list")
    async def listing(limit: int = Query(ge=1)) -> Response:
        return json_answer([limit])

    @app.get("/teapot")
    async def teapot() -> Response:
        raise HTTPException(418, SECRET)

    @app.get("/page")
    async def page() -> Response:
        return PlainTextResponse(
            "x", headers={"Content-Security-Policy": "default-src 'self'", "cache-control": "max-age=9"}
        )

    @app.post("/body")
    async def body(request: Request) -> Response:
        return json_answer({"size": len(await read_body(request, max_bytes=4))})

    return app


async def ask(
    method: str, path: str, *, content: bytes | None = None, headers: dict[str, str] | None = None
) -> httpx2.Response:
    transport = httpx2.ASGITransport(service())
    async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, path, content=content, headers=headers)


async def test_a_refusal_shows_code_text_and_evidence() -> None:
    """The code is the refusal's own, whatever the evidence calls itself; Retry-After is whole seconds, never zero."""
    answer = await ask("GET", "/refused")
    assert answer.status_code == 503
    assert answer.json() == {"error": "busy", "error_description": "Come back.", "left": 3}
    assert answer.headers["retry-after"] == "1"


async def test_a_crash_says_an_incident_id_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """The text of an exception may hold anything, so none of it leaves."""
    answer = await ask("GET", "/crash")
    assert answer.status_code == 500
    assert answer.json()["error"] == "internal_error"
    assert answer.json()["incident_id"].startswith("inc_")
    assert SECRET not in answer.text


async def test_a_crash_after_the_answer_began_breaks_the_answer() -> None:
    """Half an answer must not look like a whole one."""
    with pytest.raises(RuntimeError):
        await ask("GET", "/late")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", "/list", 405, "method_not_allowed"),
        ("GET", "/list", 422, "invalid_request"),
        ("GET", f"/list?limit={SECRET}", 422, "invalid_request"),
        ("GET", "/list?limit=0", 422, "invalid_request"),
        ("GET", "/teapot", 418, "bad_request"),
    ],
)
async def test_every_failure_has_the_same_form(method: str, path: str, status: int, code: str) -> None:
    """One shape for a client to parse, and the input is never repeated."""
    answer = await ask(method, path)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert SECRET not in answer.text


async def test_an_invalid_parameter_is_named() -> None:
    """Where, not what."""
    assert (await ask("GET", "/list?limit=x")).json()["field"] == "query.limit"


@pytest.mark.parametrize("path", ["/list?limit=2", "/refused", "/crash", "/nothing", "/list"])
async def test_every_answer_carries_the_protections(path: str) -> None:
    """Errors and crashes included."""
    headers = (await ask("GET", path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors 'none'")


async def test_a_page_may_set_its_own_policy() -> None:
    """Its headers stay and are not doubled."""
    headers = (await ask("GET", "/page")).headers
    assert headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert headers.get_list("cache-control") == ["max-age=9"]


async def test_a_large_body_is_refused_and_the_connection_closed() -> None:
    """What was not read must not be taken for the next request."""
    answer = await ask("POST", "/body", content=b"12345")
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert answer.json()["max_bytes"] == 4


async def test_header_bytes_outside_ascii_are_survived() -> None:
    """Header values are bytes; no handler of ours chokes on them."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(service()), base_url="http://service") as client:
        request = client.build_request(
            "POST", "/body", content=b"1", headers=[(b"content-type", b"\xff\xfe"), (b"x", b"\x80")]
        )
        assert (await client.send(request)).status_code == 200


def test_json_answers_are_utf_8_without_spaces() -> None:
    """Small on the wire, readable by all."""
    answer = json_answer({"name": "é"}, 201, {"x-a": "b"})
    assert (answer.status_code, bytes(answer.body), answer.headers["x-a"]) == (201, b'{"name":"\xc3\xa9"}', "b")
    assert json.loads(bytes(answer.body)) == {"name": "é"}
