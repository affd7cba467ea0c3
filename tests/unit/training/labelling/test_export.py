"""`export-labels` asks for one place, writes a whole file or none, and says in one line what is wrong."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.commands import assert_declined, everything_below, run
from training.labelling.asking import lines_from

GOOD = "rgs_" + "a" * 43
LINE = b'{"user_id":"u1","timestamp":1590969600.0,"ip":"10.0.0.1","label":"compromised"}'


@contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[str]:
    """A server that gives these answers in turn, the last one for ever."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def credential(tmp_path: Path) -> Path:
    path = tmp_path / "credential"
    path.write_text(GOOD + "\n")
    return path


@pytest.mark.parametrize(
    ("answers", "code", "status"),
    [
        ([(401, b"{}")], "credential_refused", 2),
        ([(403, b"{}")], "credential_refused", 2),
        ([(503, b"{}")], "scorer_unreachable", 4),
        ([(307, b"")], "scorer_unreachable", 4),
        ([(200, b"<html>")], "scorer_unreachable", 4),
        ([(200, b'{"labels": 1, "next": null}')], "scorer_unreachable", 4),
        ([(200, b'{"labels":[%b],"next":"e1"}' % LINE), (500, b"")], "scorer_unreachable", 4),
    ],
)
def test_what_a_scorer_does_not_give_is_one_line_and_no_file(
    tmp_path: Path, credential: Path, answers: list[tuple[int, bytes]], code: str, status: int
) -> None:
    """Half a file would be a training that learns from compromises; an answer is never repeated."""
    with answering(*answers) as url:
        result = run("export-labels", "--scorer", url, "--credential", credential, "--out", tmp_path / "out.jsonl")
    assert_declined(result, code, status=status)
    assert set(everything_below(tmp_path)) == {"credential"}


def test_nobody_listening_is_away(tmp_path: Path, credential: Path) -> None:
    """Not wrong input: the same command will do later."""
    with answering((200, b"")) as url:
        pass
    result = run("export-labels", "--scorer", url, "--credential", credential, "--out", tmp_path / "out.jsonl")
    assert_declined(result, "scorer_unreachable", status=4)


def test_pages_follow_each_other_and_a_circle_ends() -> None:
    """Each page's end is where the next begins; one that leads to itself is the last."""
    page = b'{"labels":[%b],"next":"e1"}' % LINE
    with answering((200, page), (200, page)) as url:
        assert list(lines_from(url, GOOD)) == [LINE + b"\n"] * 2


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ([], "usage"),
        (["--scorer", "http://127.0.0.1:9"], "usage"),
        (["--scorer", "http://127.0.0.1:9", "--database", "sqlite:///x"], "usage"),
        (["--database", "sqlite:///x", "--credential", "CREDENTIAL"], "usage"),
        (["--database", "labels.db"], "bad_source"),
        (["--database", "sqlite:////nowhere/scorer.db"], "no_such_file"),
        (["--scorer", "file:///etc/passwd", "--credential", "CREDENTIAL"], "bad_url"),
        (["--scorer", "scorer.example:8000", "--credential", "CREDENTIAL"], "bad_url"),
        (["--scorer", "http://[::1", "--credential", "CREDENTIAL"], "bad_url"),
        (["--scorer", "https://", "--credential", "CREDENTIAL"], "bad_url"),
        (["--scorer", "http://scorer.example:8000", "--credential", "CREDENTIAL"], "insecure_url"),
        (["--scorer", "http://9.9.9.9", "--credential", "CREDENTIAL"], "insecure_url"),
        (["--scorer", "http://127.0.0.1@scorer.example", "--credential", "CREDENTIAL"], "insecure_url"),
        (["--scorer", "http://127.0.0.1:9", "--credential", "/nowhere"], "no_such_file"),
        (["--scorer", "http://127.0.0.1:9", "--credential", "."], "unreadable_file"),
        (["--scorer", "http://127.0.0.1:9", "--credential", "BAD"], "bad_credential"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, credential: Path, asked: list[str], code: str) -> None:
    """Before anything is asked or written."""
    bad = tmp_path / "bad"
    bad.write_bytes(b"rgs_\xff")
    names = {"CREDENTIAL": str(credential), "BAD": str(bad)}
    result = run("export-labels", *(names.get(word, word) for word in asked), "--out", tmp_path / "out.jsonl")
    assert_declined(result, code)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:1", "[::1]:1"])
def test_in_the_clear_a_credential_stays_inside(tmp_path: Path, credential: Path, host: str) -> None:
    """On this machine nobody listens on the way: the scorer is asked, and is away."""
    asked = ("--scorer", f"http://{host}", "--credential", credential, "--out", tmp_path / "out.jsonl")
    assert_declined(run("export-labels", *asked), "scorer_unreachable", status=4)


def test_a_file_that_is_there_is_replaced_when_asked_for(tmp_path: Path, credential: Path) -> None:
    """And a place that cannot be written is said."""
    out = tmp_path / "labels.jsonl"
    out.write_text("mine")
    with answering((200, b'{"labels":[%b],"next":null}' % LINE)) as url:
        asked = ("export-labels", "--scorer", url, "--credential", credential, "--json")
        assert_declined(run(*asked, "--out", out), "output_exists")
        assert out.read_text() == "mine"
        assert run(*asked, "--out", out, "--force").exit_code == 0
        assert out.read_bytes() == LINE + b"\n"
        assert_declined(run(*asked, "--out", tmp_path / "no" / "where"), "unwritable_output")
