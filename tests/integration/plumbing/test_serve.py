"""A service on a real port: how it starts, what it withstands and how it stops."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.ports import free_port

SERVICE = """
import asyncio, sys
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from plumbing import connection_guard
from plumbing import serve as serving
from plumbing.asgi import SecurityHeaders, json_answer, refusal_handlers
from plumbing.bodies import read_body
from plumbing.docs_page import mount_docs
from plumbing.serve import serve

connection_guard.HEAD_SECONDS = 0.3
connection_guard.UNREAD_SECONDS = 1.0
serving.SHUTDOWN_SECONDS = 1
app = FastAPI(title="Example", docs_url=None, redoc_url=None, openapi_url=None)
refusal_handlers(app)
mount_docs(app)

@app.get("/slow")
async def slow():
    print("began", flush=True)
    await asyncio.sleep(0.5)
    return {"done": True}

@app.get("/large")
async def large():
    return Response(bytes(20_000_000))

@app.post("/body")
async def body(request: Request):
    return json_answer({"size": len(await read_body(request, max_bytes=1_000)), "client": request.client.host})

serve(SecurityHeaders(app), host=sys.argv[1], port=int(sys.argv[2]))
"""


@contextmanager
def running(root: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_port()
    command = [sys.executable, "-c", SERVICE, "127.0.0.1", str(port)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        try:
            yield port, process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def port(root: Path) -> Iterator[int]:
    """The port of a running service."""
    with running(root) as (number, _):
        yield number


def said(port: int, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        heard = b""
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(raw)
            while chunk := connection.recv(65_536):
                heard += chunk
        return heard


def test_an_answer_does_not_name_the_server(port: int) -> None:
    """A version is a hint to an attacker and to nobody else."""
    answer = httpx2.post(f"http://127.0.0.1:{port}/body", content=b"abc", trust_env=False)
    assert answer.json()["size"] == 3
    assert "server" not in answer.headers


def test_a_forwarded_address_is_not_believed(port: int) -> None:
    """Who the client is, is decided from configured proxies, not from a header."""
    headers = {"x-forwarded-for": "8.8.8.8", "x-real-ip": "8.8.8.8", "forwarded": "for=8.8.8.8"}
    answer = httpx2.post(f"http://127.0.0.1:{port}/body", content=b"abc", headers=headers, trust_env=False)
    assert answer.json()["client"] == "127.0.0.1"


HEAD = b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        HEAD + b"x: a\x00b\r\n\r\n1",
        HEAD + b"\x00: a\r\n\r\n1",
        b"GET /" + b"a" * 400_000,
        HEAD + b"x: " + b"a" * 400_000,
        HEAD + b"".join(b"x%d: y\r\n" % i for i in range(40_000)),
    ],
    ids=[
        "TLS",
        "URL bytes",
        "version",
        "no request",
        "negative length",
        "two lengths",
        "smuggled",
        "chunk size",
        "NUL in value",
        "NUL in name",
        "endless URL",
        "endless value",
        "endless headers",
    ],
)
def test_a_broken_or_endless_head_is_a_400_at_most(port: int, raw: bytes) -> None:
    """Refused or cut off, never a 500, and the service still answers."""
    heard = said(port, raw)
    assert heard == b"" or heard.startswith(b"HTTP/1.1 400")
    assert httpx2.get(f"http://127.0.0.1:{port}/nothing", trust_env=False).status_code == 404


def test_a_head_is_bounded(port: int) -> None:
    """63 KiB are read; what goes on past 64 KiB is refused before its end."""
    head = b"GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: "
    assert said(port, head + b"a" * 63_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 404")
    assert b"too large" in said(port, head + b"a" * 65_537)


@pytest.mark.parametrize("fields", [[65_400], [33_000, 33_000], [200_000]])
def test_a_whole_head_is_bounded_too(port: int, fields: list[int]) -> None:
    """One that comes in one piece, with its end, is as large as one that does not."""
    lines = b"".join(b"x%d: %s\r\n" % (number, b"a" * size) for number, size in enumerate(fields))
    heard = said(port, b"GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + lines + b"\r\n")
    refused = sum(fields) > 65_536
    assert heard.startswith(b"HTTP/1.1 400" if refused else b"HTTP/1.1 404")
    assert (b"too large" in heard) is refused


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [("1.1", 1, 404), ("1.1", 0, 400), ("1.1", 2, 400), ("1.0", 0, 404), ("1.0", 1, 404), ("1.0", 2, 400)],
)
def test_a_request_names_one_host(port: int, version: str, hosts: int, status: int) -> None:
    """RFC 9112, section 3.2; before HTTP/1.1 nobody had to."""
    head = f"GET /nothing HTTP/{version}\r\nconnection: close\r\n" + "Host: x\r\n" * hosts
    heard = said(port, head.encode() + b"\r\n")
    assert heard.count(b"HTTP/1.") == 1
    assert heard.split(b" ")[1] == b"%d" % status


def test_a_head_that_never_ends_is_cut_off(port: int) -> None:
    """A connection that has asked nothing in time is closed, at its first request and at a later one."""
    for before in (b"", b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n"):
        began = time.monotonic()
        assert said(port, before + b"GET / HTTP/1.1\r\nx: ").count(b"HTTP/1.1 404") == (1 if before else 0)
        assert time.monotonic() - began < 3


def test_a_request_in_progress_outlives_the_heads_time(port: int) -> None:
    """Half a second of work is not a slow head."""
    assert httpx2.get(f"http://127.0.0.1:{port}/slow", trust_env=False).json() == {"done": True}


@pytest.mark.parametrize(("ahead", "answered"), [(16, 17), (17, 0)])
def test_requests_sent_ahead_are_bounded(port: int, ahead: int, answered: int) -> None:
    """Sixteen may wait for the answer before them; with one more, the connection and all that it asked is gone."""
    heard = said(port, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n" * ahead)
    assert heard.count(b"HTTP/1.1 ") == answered


def test_what_is_cut_off_with_requests_ahead_crashes_nothing(root: Path) -> None:
    """The request that is being answered hears that its connection is gone, and not only the one that came last."""
    with running(root) as (number, process):
        assert said(number, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" * 18) == b""
        time.sleep(1)
        process.terminate()
        assert process.stdout is not None
        assert process.stdout.read() == "began\n"


@pytest.mark.parametrize("more", [b"", b"connection: close\r\n"])
def test_an_answer_that_nobody_reads_is_given_up(port: int, more: bytes) -> None:
    """Also where the connection was to end after it; what is read late is not all of it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n" + more + b"\r\n")
        time.sleep(2.5)
        heard = 0
        with suppress(ConnectionResetError):
            while chunk := connection.recv(1_000_000):
                heard += len(chunk)
    assert 0 < heard < 20_000_000


def test_the_reference_is_served_from_here_alone(port: int) -> None:
    """No script, no other host; the style sheet is ours."""
    page = httpx2.get(f"http://127.0.0.1:{port}/docs", trust_env=False)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    style = httpx2.get(f"http://127.0.0.1:{port}/docs.css", trust_env=False)
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert httpx2.get(f"http://127.0.0.1:{port}/openapi.json", trust_env=False).json()["info"]["title"] == "Example"


def test_a_taken_port_is_said_plainly(port: int, root: Path) -> None:
    """Exit status 2 and one line that a person understands."""
    command = [sys.executable, "-c", SERVICE, "127.0.0.1", str(port)]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in ended.stderr


def test_answers_in_progress_are_finished(root: Path) -> None:
    """A stop signal lets the request end, and takes no new one."""
    with running(root) as (number, process):
        with socket.create_connection(("127.0.0.1", number), timeout=5) as connection:
            connection.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
            assert process.stdout is not None
            assert process.stdout.readline() == "began\n"
            process.send_signal(signal.SIGTERM)
            heard = b""
            while chunk := connection.recv(65_536):
                heard += chunk
            assert heard.endswith(b'{"done":true}')
        process.wait(5)
        assert process.returncode in {0, -signal.SIGTERM}


def test_what_never_comes_to_an_end_is_told_to_go_elsewhere(root: Path) -> None:
    """A body that stalls while the server leaves is no crash of ours, and another process can answer."""
    with running(root) as (number, process):
        with socket.create_connection(("127.0.0.1", number), timeout=5) as connection:
            connection.sendall(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            heard = b""
            while chunk := connection.recv(65_536):
                heard += chunk
        process.wait(5)
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    head = heard.lower()
    assert head.startswith(b"http/1.1 503 ")
    assert b"retry-after: 1" in head
    assert b'"error":"stopping"' in head
