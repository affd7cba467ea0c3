"""`auth-gateway signals`: the operator says whose events are taken, and what they do."""

import json
from pathlib import Path

import pytest

from tests.stories.gateway.other_provider import OtherProvider, published
from tests.unit.auth_gateway.cli.conftest import Run

THEIRS, US = "https://other.example", "https://id.example/ssf/events/other"
ADD = ("signals", "add", "other", "--issuer", THEIRS, "--audience", US)
OTHER = OtherProvider()


@pytest.fixture
def keys(tmp_path: Path) -> str:
    """A file of the other provider's public keys."""
    file = tmp_path / "keys.json"
    file.write_text(OTHER.jwks())
    return str(file)


@pytest.fixture(autouse=True)
def _issuer(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("JWT_ISSUER", "https://id.example")


def test_a_transmitter_is_added_shown_changed_and_removed(run: Run, keys: str) -> None:
    """Its secret is shown once; what it does here is a table that the operator changes by the line."""
    status, output, errors = run(*ADD, "--jwks", keys, "--with-secret", "--on", "session-revoked=raise:low,revoke")
    assert (status, errors) == (0, "")
    secret, address = output.splitlines()
    assert (secret[:4], address) == ("rgx_", US)
    assert run("signals", "list")[1] == f"other\tenabled\tpush\t0\t{THEIRS}\n"
    shown = json.loads(run("signals", "show", "other")[1])
    assert shown["push_address"] == US
    assert shown["effects"]["session-revoked"] == "raise:low,revoke"
    assert shown["effects"]["credential-compromise"] == "raise:high,revoke"
    assert (shown["max_age_seconds"], shown["standing"]["taken"]) == (86_400, 0)
    assert secret not in str(shown)
    assert run("signals", "effects", "other", "account-disabled=freeze")[1] == (
        "account-disabled\tfreeze\nsession-revoked\traise:low,revoke\n"
    )
    for command, said in (("disable", "disabled"), ("disable", "disabled already"), ("enable", "enabled")):
        assert run("signals", command, "other")[1] == f"{said}\n"
    assert run("signals", "remove", "other")[:2] == (0, "removed\n")
    assert run("signals", "list")[1] == ""


def test_the_token_of_a_poll_endpoint_is_read_and_sealed(run: Run, keys: str, tmp_path: Path) -> None:
    """It is never an argument, and never in the clear."""
    given = ("--jwks", keys, "--poll-url", "https://other.example/poll", "--poll-token-stdin")
    assert run(*ADD, *given, stdin=b"their-token\n")[0] == 0
    assert run("signals", "list")[1].split("\t")[2] == "poll"
    assert b"their-token" not in (tmp_path / "state" / "gateway.db").read_bytes()


def test_an_issuer_alone_is_discovered(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the specification says: between host and path; its document must name it."""
    monkeypatch.setenv("AUTH_GATEWAY_PROFILE", "demo")
    monkeypatch.setenv("JWT_ISSUER", "http://localhost:9000")
    with published("") as place:
        issuer = place.url.replace("/keys", "/tenant")
        place.body = json.dumps({"issuer": issuer, "jwks_uri": place.url}).encode()
        add = ("signals", "add", "other", "--issuer", issuer, "--audience", "us")
        assert run(*add)[0] == 0
        assert json.loads(run("signals", "show", "other")[1])["jwks_uri"] == place.url
        assert place.paths == ["/.well-known/ssf-configuration/tenant"]
        for body in (b'{"issuer": "https://evil.example", "jwks_uri": "https://evil.example"}', b"[", b"{}", b"null"):
            place.body = body
            status, output, errors = run("signals", "add", "second", *add[3:])
            assert (status, output, errors.count("\n")) == (2, "", 1)
            assert "evil" not in errors
            assert "--jwks-uri" in errors


WRONG: list[tuple[str, ...]] = [
    (*ADD, "--jwks", "/nonexistent"),
    (*ADD[:4], THEIRS),
    (*ADD, "--jwks-uri", "http://other.example/keys"),
    (*ADD, "--jwks-uri", "https://127.0.0.1/keys"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--poll-url", "https://[::1]/poll"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--poll-token-stdin"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--max-age-hours", "169"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--max-age-hours", "0"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--max-age-hours", "nan"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--on", "session-revoked"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--on", "session-revoked=raise"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--on", "session-revoked=raise:low,raise:high"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--on", "session-revoked=ignore,revoke"),
    (*ADD, "--jwks-uri", "https://other.example/keys", "--on", "verification=revoke"),
    ("signals", "add", "a/b", *ADD[3:], "--jwks-uri", "https://other.example/keys"),
    ("signals", "add", "other", "--issuer", "127.0.0.1", "--audience", US),
    ("signals", "show", "nobody"),
    ("signals", "remove", "nobody"),
    ("signals", "disable", "nobody"),
    ("signals", "effects", "nobody", "session-revoked=ignore"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=range(len(WRONG)))
def test_wrong_input_is_one_line_and_leaves_nothing(run: Run, arguments: tuple[str, ...]) -> None:
    """It says which rule, and status 2."""
    status, output, errors = run(*arguments)
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert run("signals", "list")[1] == ""


def test_a_name_is_one_transmitters(run: Run, keys: str) -> None:
    """The second is refused, and keys come from one place alone."""
    assert run(*ADD, "--jwks", keys, "--jwks-uri", "https://other.example/keys")[0] == 2
    assert run(*ADD, "--jwks", keys)[0] == 0
    status, _, errors = run(*ADD, "--jwks", keys)
    assert status == 2
    assert "signals list" in errors
