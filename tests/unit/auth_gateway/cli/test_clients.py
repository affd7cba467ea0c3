"""`auth-gateway clients`: registrations with all their fields, secrets that overlap, and what is refused."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

Run = Callable[..., tuple[int, str, str]]
SHOP = ("clients", "add", "shop", "--grant", "authorization_code", "--redirect-uri", "https://shop.example/back")


def audit_of(state: Path) -> list[tuple[str, str | None, str | None]]:
    """What was written down about clients."""
    with sqlite3.connect(state / "gateway.db") as database:
        lines = database.execute("SELECT kind, client_id, detail FROM audit WHERE kind LIKE 'client.%' ORDER BY seq")
        found = lines.fetchall()
    database.close()
    return found


def test_every_field_of_a_registration_can_be_given(run: Run) -> None:
    """And is shown again, but for the secret."""
    more = (
        *("--name", "The Shop", "--grant", "refresh_token", "--grant", "device_code", "--scope", "openid"),
        *("--post-logout-redirect-uri", "https://shop.example/bye", "--audience", "orders", "--id-token-alg", "RS256"),
        *("--backchannel-logout-uri", "https://shop.example/out", "--access-ttl-seconds", "120", "--scope", "orders"),
        *("--refresh-ttl-days", "2", "--requires-consent", "--require-par", "--dpop", "--may-introspect"),
    )
    status, secret, errors = run(*SHOP, *more)
    assert (status, errors, secret.startswith("rgc_")) == (0, "", True)
    shown = run("clients", "list", "--json")[1]
    assert json.loads(shown) == {
        "client_id": "shop",
        "client_name": "The Shop",
        "application_type": "web",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "redirect_uris": ["https://shop.example/back"],
        "post_logout_redirect_uris": ["https://shop.example/bye"],
        "backchannel_logout_uri": "https://shop.example/out",
        "jwks": None,
        "scopes": ["openid", "orders"],
        "audience": "orders",
        "access_ttl_seconds": 120,
        "refresh_ttl_seconds": 172_800,
        "id_token_signed_response_alg": "RS256",
        "requires_consent": True,
        "require_pushed_authorization_requests": True,
        "dpop_bound_access_tokens": True,
        "may_log_in": False,
        "may_introspect": True,
        "may_vouch": False,
        "may_see_scores": False,
    }
    assert secret.strip() not in shown


@pytest.mark.parametrize(("more", "may_log_in"), [((), True), (SHOP[3:], False), ((*SHOP[3:], "--may-log-in"), True)])
def test_the_json_login_is_for_clients_without_a_grant_or_by_name(
    run: Run, more: tuple[str, ...], may_log_in: bool
) -> None:
    """A registration without a grant is what it always was."""
    assert run("clients", "add", "shop", *more)[0] == 0
    assert json.loads(run("clients", "list", "--json")[1])["may_log_in"] is may_log_in


def test_a_client_that_proves_nothing_has_no_secret(run: Run) -> None:
    """Nothing is printed, and there is nothing to rotate."""
    assert run(*SHOP, "--type", "native", "--auth-method", "none") == (0, "", "")
    assert run("clients", "rotate-secret", "shop")[::2] == (
        2,
        "auth-gateway: this client proves itself without a secret: "
        "to change its keys or its method, remove it and add it again\n",
    )


def test_a_rotated_secret_is_a_new_one_and_is_written_down(run: Run, tmp_path: Path) -> None:
    """The overlap stands in the audit trail, the secret does not."""
    old = run(*SHOP)[1]
    status, new, _ = run("clients", "rotate-secret", "shop", "--overlap", "2")
    assert (status, new.startswith("rgc_"), new != old) == (0, True, True)
    assert audit_of(tmp_path / "state") == [
        ("client.added", "shop", None),
        ("client.secret_rotated", "shop", "overlap 7200 s"),
    ]


def test_public_keys_are_taken_from_a_file(run: Run, tmp_path: Path) -> None:
    """On one line, whatever the file looks like."""
    jwk = ECKey.import_key(ec.generate_private_key(ec.SECP256R1())).as_dict(private=False)
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [jwk]}, indent=4))
    assert run(*SHOP, "--auth-method", "private_key_jwt", "--jwks", str(file)) == (0, "", "")
    assert json.loads(run("clients", "list", "--json")[1])["jwks"] == {"keys": [jwk]}


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"keys":[]}', b"[" * 9000, b" " * 70_000, None])
def test_files_without_usable_keys_are_refused(run: Run, tmp_path: Path, content: bytes | None) -> None:
    """One line, and the client is not registered."""
    file = tmp_path / "keys.json"
    if content is not None:
        file.write_bytes(content)
    status, output, errors = run(*SHOP, "--auth-method", "private_key_jwt", "--jwks", str(file))
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert run("clients", "list")[1] == ""


def test_a_private_key_is_refused(run: Run, tmp_path: Path) -> None:
    """It would be stored, shown and backed up; and its text is not repeated."""
    jwk = ECKey.import_key(ec.generate_private_key(ec.SECP256R1())).as_dict(private=True)
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [jwk]}))
    status, _, errors = run(*SHOP, "--auth-method", "private_key_jwt", "--jwks", str(file))
    assert (status, "private" in errors, str(jwk["d"]) in errors) == (2, True, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "x", "--grant", "password"),
        ("add", "x", "--grant", "authorization_code"),
        ("add", "x", "--grant", "authorization_code", "--redirect-uri", "http://x.example/\x1b[2J"),
        ("add", "x", "--type", "desktop"),
        ("add", "x", "--auth-method", "client_secret_post"),
        ("add", "x", "--id-token-alg", "none"),
        ("add", "x", "--access-ttl-seconds", "1"),
        ("add", "x", "--refresh-ttl-days", "-1"),
        ("add", "x", "--refresh-ttl-days", "99999999999999999999"),
        ("rotate-secret", "none"),
        ("rotate-secret", "none", "--overlap", "-1"),
        ("rotate-secret", "none", "--overlap", "721"),
        ("remove", "none"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(run: Run, arguments: tuple[str, ...]) -> None:
    """No secret is shown for what is not registered."""
    status, output, errors = run("clients", *arguments)
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert errors.strip().isprintable()
    assert run("clients", "list")[1] == ""


def test_whoever_runs_the_gateway_gets_tokens_for_it_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless another audience is named, or no scope of ours is."""
    monkeypatch.setenv("JWT_ISSUER", "https://id.example")
    add = ("clients", "add", "--grant", "client_credentials")
    run(*add, "siem", "--scope", "events:read")
    run(*add, "other", "--scope", "events:read", "--audience", "elsewhere")
    run(*add, "plain", "--scope", "orders")
    lines = run("clients", "list", "--json")[1].splitlines()
    found = {client["client_id"]: client["audience"] for client in map(json.loads, lines)}
    assert found == {"siem": "https://id.example", "other": "elsewhere", "plain": ""}
