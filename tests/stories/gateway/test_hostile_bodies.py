"""A few hundred hostile requests against every address: no 500, nothing echoed, and alice still logs in afterwards."""

import json
from collections.abc import Iterator

import pytest

from tests.stories.gateway.story import PASSWORD, Story

CANARY = "Canary-Passw0rd-7f3a"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PROPER: dict[str, dict[str, object]] = {
    "/login": {"username": "alice", "password": CANARY},
    "/login/complete": {"challenge_id": CANARY, "code": "123456"},
    "/login/email-code": {"challenge_id": CANARY},
    "/token": {"grant_type": "refresh_token", "refresh_token": CANARY},
}
VALUES: tuple[object, ...] = (
    *(None, True, 0, -1, 2**64, 1e308, [], {}, [[]], {"a": {"b": CANARY}}, [CANARY], "", " ", "\0", CANARY + "\0"),
    *("\u202e", "\ufeff", "a" * 9_000, "ﷺ" * 100, "' OR 1=1 --", "<script>", "${jndi:ldap://x}", "\ud7ff", "\uffff"),
)
RAW = (
    *(
        b"",
        b"{",
        b"[",
        b"nul",
        b"null",
        b"12",
        b'"text"',
        b"[]",
        b"[[]]",
        b"{}{}",
        b'{"a":1,}',
        b'{"a":NaN}',
        b"{'a':1}",
    ),
    *(b'{"username":"\\ud800","password":"x"}', b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}", b'{"a":"\xc0\xaf"}', b"\0" * 64),
    *(b"[" * 30_000, b'{"a":' * 4_000, b"9" * 8_000, b"x" * 40_000, b"\x1f\x8b\x08\0junk", b"a=%ff&b=%00", b"&" * 300),
)
HEADERS: tuple[tuple[str, bytes], ...] = (
    *(
        ("content-type", kind)
        for kind in (b"text/plain", b"\xff", b"multipart/form-data", b"application/json; charset=x")
    ),
    *(("authorization", text) for text in (b"", b"Basic", b"Basic !!", b"Basic YQ==", b"Bearer x", b"\xff\xfe")),
    *(("x-forwarded-for", text) for text in (b"127.0.0.1", b"\xff", b"," * 500, b"999.1.1.1")),
    *(("cookie", text) for text in (b"device=\xff", b'device="', b"a=b; " * 500, b"device=" + b"A" * 4_000)),
    *(("user-agent", text) for text in (b"\xf0\x28", b"M" * 6_000, b"a\x1b[2J")),
    *(("content-length", text) for text in (b"-1", b"1e9", b"99999999999999999999")),
)


def hostile(path: str) -> Iterator[tuple[bytes, list[tuple[str, bytes]]]]:
    """Bodies and headers for one address."""
    proper = PROPER[path]
    for field in proper:
        for value in VALUES:
            yield (
                json.dumps({**proper, field: value}).encode("utf-8", "surrogatepass"),
                [("content-type", JSON.encode())],
            )
    for raw in RAW:
        yield raw, [("content-type", JSON.encode())]
        yield raw, [("content-type", FORM.encode())]
    for header in HEADERS:
        yield json.dumps(proper).encode(), [header]


@pytest.mark.parametrize("path", sorted(PROPER))
def test_hostile_requests_are_refused_and_not_repeated(story: Story, path: str) -> None:
    """Always a 4xx (or a 503 when there is no room), never the caller's own words."""
    wrong: list[str] = []
    for body, headers in hostile(path):
        answer = story.ask("POST", path, content=body, headers=headers)
        story.clock.advance(3600)
        if not (400 <= answer.status_code < 500 or answer.status_code == 503):
            wrong.append(f"{answer.status_code} for {body[:120]!r} {headers}")
        if CANARY in answer.text or any(CANARY in value for value in answer.headers.values()):
            wrong.append(f"echoed for {body[:120]!r} {headers}")
    assert wrong == []
    assert story.login("alice", PASSWORD).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/login", "/login/complete", "/login/email-code", "/token", "/health", "/ready", "/nowhere", "/docs"],
)
def test_other_methods_and_places_are_told_so(story: Story, path: str) -> None:
    """404 or 405 in our own words."""
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "BREW"):
        answer = story.ask(method, path)
        assert answer.status_code in {404, 405}, method
        assert answer.json()["error"] in {"not_found", "method_not_allowed"}


@pytest.mark.parametrize("path", ["/health", "/ready", "/docs", "/openapi.json", "/.well-known/jwks.json"])
def test_every_answer_has_the_browser_s_protections(story: Story, path: str) -> None:
    """And keys are public halves only."""
    answer = story.ask("GET", path)
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    if path.endswith("jwks.json"):
        assert all("d" not in key for key in answer.json()["keys"])
        assert "public" in answer.headers["cache-control"]


def test_the_reference_describes_every_address(story: Story) -> None:
    """Each has its answers, and what it takes."""
    paths = story.ask("GET", "/openapi.json").json()["paths"]
    own = {
        "/token",
        "/login",
        "/login/complete",
        "/login/email-code",
        "/.well-known/jwks.json",
        "/health",
        "/live",
        "/ready",
    }
    assert set(paths) == own | {"/events/schema"}
    assert all("200" in operation["responses"] for item in paths.values() for operation in item.values())
