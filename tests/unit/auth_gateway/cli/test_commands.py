"""The operator's commands: what they do, and how wrong input ends (one line, exit status 2, no traceback)."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest

Run = Callable[..., tuple[int, str, str]]
HASH = bcrypt.hashpw(b"Password123!", bcrypt.gensalt(4)).decode()
DEMO_USERS = Path(__file__).resolve().parents[4] / "data" / "users.json"


@pytest.fixture
def alice(run: Run) -> str:
    """An account."""
    assert run("users", "add", "alice", "--password-stdin", stdin=b"tidal-amber-cactus-97\n")[0] == 0
    return "alice"


@pytest.mark.parametrize(
    "arguments",
    [
        ("bogus",),
        ("users", "bogus"),
        ("users", "add"),
        ("users", "add", "alice"),
        ("users", "add", "alice", "--password", "x"),
        ("users", "add", "al ice", "--password-stdin"),
        ("users", "add", "alice", "--user-id", "", "--password-stdin"),
        ("users", "set-password", "nobody"),
        ("users", "remove-factors", "nobody"),
        ("users", "freeze", "nobody"),
        ("users", "unfreeze", "nobody"),
        ("users", "enrol-totp", "nobody"),
        ("users", "enrol-totp", "\x1b[2J"),
        ("users", "import", "/nonexistent.json"),
        ("users", "import", "/"),
        ("users", "import", str(DEMO_USERS)),
        ("keys", "rotate", "--soon"),
        ("sessions", "list", "nobody"),
        ("sessions", "revoke"),
        ("sessions", "revoke", "none"),
        ("sessions", "revoke", "x", "--user", "y"),
        ("sessions", "revoke", "--user", "nobody"),
        ("clients", "add", "public"),
        ("clients", "add", "a:b"),
        ("clients", "add", "x" * 65),
        ("clients", "remove", "none"),
        ("serve", "--port", "abc"),
        ("serve", "--port", "0"),
        ("serve", "--port", "65536"),
        ("serve", "--host", "\udcff"),
        ("sessions", "revoke", "\udcff"),
        ("clients", "remove", "\udcff"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(run: Run, arguments: tuple[str, ...]) -> None:
    """No traceback, no usage page, nothing that touches the terminal."""
    status, output, errors = run(*arguments, stdin=b"tidal-amber-cactus-97\n")
    assert (status, output) == (2, "")
    assert errors.startswith("auth-gateway: ")
    assert errors.count("\n") == 1
    assert errors.strip().isprintable()


@pytest.mark.parametrize(
    "password",
    [
        b"",
        b"fourteen chars",
        b"\xff\xfe" * 8,
        b"p" * 257,
        b"p" * 9000,
        b"nul\0inside it, long",
        b"1234567890qwerty",
        b"alicealicealice",
    ],
)
def test_a_password_that_nobody_may_have_is_refused(run: Run, password: bytes) -> None:
    """One line, and the account is not made."""
    status, _, errors = run("users", "add", "alice", "--password-stdin", stdin=password)
    assert (status, errors.count("\n")) == (2, 1)
    assert run("users", "list")[1] == ""


def test_an_account_may_have_a_mail_address(run: Run) -> None:
    """One that mail can go to, and that is not what the password is made of."""
    words = b"tidal amber cactus\n"
    arguments = ("users", "add", "ada", "--password-stdin", "--email")
    assert run(*arguments, "nobody", stdin=words)[0] == 2
    assert run(*arguments, "tidal.amber.cactus@example.com", stdin=b"tidal.amber.cactus@example.com\n")[0] == 2
    assert run(*arguments, "ada@example.com", stdin=words)[0] == 0


def test_a_password_beside_an_authenticator_may_be_shorter(run: Run, alice: str) -> None:
    """Eight characters, where fifteen are asked for without one."""
    arguments = ("users", "set-password", alice, "--password-stdin")
    status, _, errors = run(*arguments, stdin=b"9 tidals\n")
    assert (status, "at least 15 characters" in errors) == (2, True)
    assert run("users", "enrol-totp", alice)[0] == 0
    assert run(*arguments, stdin=b"9 tidal\n")[0] == 2
    assert run(*arguments, stdin=b"9 tidals\n")[0] == 0


def test_a_breached_password_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the operator's own list; one that is none stops the command."""
    file = tmp_path / "breached.txt"
    file.write_text(hashlib.sha1(b"tidal-amber-cactus-97", usedforsecurity=False).hexdigest().upper() + ":12\n")
    monkeypatch.setenv("PASSWORD_BLOCKLIST", str(file))
    status, _, errors = run("users", "add", "alice", "--password-stdin", stdin=b"tidal-amber-cactus-97\n")
    assert (status, "common or stolen" in errors) == (2, True)
    assert run("users", "add", "alice", "--password-stdin", stdin=b"tidal-amber-cactus-98\n")[0] == 0
    for content in (b"", b"password\n"):
        file.write_bytes(content)
        status, _, errors = run("users", "list")
        assert (status, errors.startswith("auth-gateway: PASSWORD_BLOCKLIST ")) == (2, True)


def test_wrong_settings_are_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting is named and its value not shown."""
    monkeypatch.setenv("JWT_SECRET", "local-dev-secret")
    status, _, errors = run("users", "list")
    assert status == 2
    assert errors.startswith("auth-gateway: JWT_SECRET ")
    assert "local-dev-secret" not in errors


def test_a_state_that_cannot_be_used_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that cannot be made."""
    monkeypatch.setenv("AUTH_GATEWAY_STATE", "/proc/none")
    assert run("users", "list")[2].startswith("auth-gateway: AUTH_GATEWAY_STATE cannot be used")


def test_a_demo_s_state_serves_no_other_profile(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its passwords are public, even after their hashes were upgraded."""
    monkeypatch.setenv("AUTH_GATEWAY_PROFILE", "demo")
    assert run("users", "list")[0] == 0
    monkeypatch.setenv("AUTH_GATEWAY_PROFILE", "production")
    status, _, errors = run("users", "list")
    assert status == 2
    assert "belongs to a demo" in errors


def test_help_alone_is_no_error(run: Run) -> None:
    """`--help` prints and ends well."""
    status, output, _ = run("users", "--help")
    assert status == 0
    assert "enrol-totp" in output


def test_an_account_is_made_frozen_and_unfrozen(run: Run, alice: str) -> None:
    """Each step shows in the list, and doing it twice is said."""
    assert "\tactive\targon2id$" in run("users", "list")[1]
    assert [run("users", "freeze", alice)[1] for _ in range(2)] == ["frozen\n", "was frozen already\n"]
    assert "\tfrozen\t" in run("users", "list")[1]
    assert [run("users", "unfreeze", "ALICE")[1] for _ in range(2)] == ["active\n", "was active already\n"]


def test_a_name_is_given_once(run: Run, alice: str) -> None:
    """Another case is the same name."""
    assert run("users", "add", "ALICE", "--password-stdin", stdin=b"tidal-amber-cactus-97")[0] == 2


def test_an_id_that_strangers_get_is_nobody_s(run: Run) -> None:
    """And the refusal says so: such an id has nothing but printable characters."""
    status, _, errors = run(
        "users", "add", "alice", "--user-id", "unknown:abc", "--password-stdin", stdin=b"Password1\n"
    )
    assert (status, "not begin with `unknown:`" in errors) == (2, True)


def test_an_import_takes_what_it_can_and_names_the_rest(run: Run, tmp_path: Path) -> None:
    """By the record's place; the exit status says that something was left."""
    file = tmp_path / "users.json"
    records = [
        {"username": "carol", "password_hash": HASH, "user_id": "c-1"},
        {"username": "al ice", "password_hash": HASH},
        {"username": "dave", "password_hash": "5ebe2294ecd0e0f08eab7690d2a6ee69"},
    ]
    file.write_text(json.dumps(records))
    status, output, errors = run("users", "import", str(file))
    assert (status, output) == (2, "1 taken, 2 not taken\n")
    assert errors.splitlines() == [
        "auth-gateway: record 1: invalid_username",
        "auth-gateway: record 2: unknown_hash_scheme",
    ]
    assert run("users", "list")[1].startswith("carol\tc-1\tactive\t2b$04\t")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b"[1]2", b"\xff", b"[" * 10_000, b"null", b"x[]", b"[]]"])
def test_a_file_of_another_shape_is_one_line(run: Run, tmp_path: Path, content: bytes) -> None:
    """Whatever it is, nothing is imported."""
    file = tmp_path / "users.json"
    file.write_bytes(content)
    status, output, errors = run("users", "import", str(file))
    assert (status, output, errors.count("\n")) == (2, "", 1)


def test_an_authenticator_is_enrolled_once_and_replaced_on_demand(run: Run, alice: str) -> None:
    """The secret is in the address and apart; a second one needs a word."""
    status, output, _ = run("users", "enrol-totp", alice)
    uri, secret = output.splitlines()
    assert status == 0
    assert uri.startswith("otpauth://totp/")
    assert f"secret={secret.removeprefix('secret: ')}" in uri
    assert run("users", "enrol-totp", alice)[0] == 2
    status, replaced, _ = run("users", "enrol-totp", alice, "--replace", "--qr")
    assert status == 0
    assert len(replaced.splitlines()) > 15
    assert secret not in replaced


def test_a_rotation_announces_and_now_means_now(run: Run) -> None:
    """The announced key waits; an emergency key signs at once."""
    announced = run("keys", "rotate")[1].split("\t")[0]
    assert [line.split("\t")[1] for line in run("keys", "list")[1].splitlines()] == ["signing", "announced"]
    emergency = run("keys", "rotate", "--now")[1].split("\t")[0]
    states = {line.split("\t")[0]: line.split("\t")[1] for line in run("keys", "list")[1].splitlines()}
    assert states[emergency] == "signing"
    assert states[announced] == "retired"


def test_a_client_is_registered_once_and_its_secret_shown_once(run: Run) -> None:
    """The list has its rights; removing it frees the name."""
    status, secret, _ = run("clients", "add", "app", "--may-vouch", "--may-see-scores")
    assert status == 0
    assert secret.startswith("rgc_")
    assert run("clients", "add", "app")[0] == 2
    assert run("clients", "list")[1] == "app\tmay-vouch,may-see-scores\n"
    assert run("clients", "remove", "app")[1] == "removed\n"
    assert run("clients", "list")[1] == ""


EXPORTS = {
    "keycloak": b'{"realm":"r","users":[{"username":"al ice"},{"username":"bob","credentials":[]}]}',
    "auth0": b'{"_id":{"$oid":"1"},"email":"carol@example.org","passwordHash":"%s"}\n{' % HASH.encode(),
    "csv": b"username,password_hash\ncarol@example.org,%s\n\ncarol,md5\n" % HASH.encode(),
}


@pytest.mark.parametrize(
    ("kind", "output", "errors"),
    [
        ("keycloak", "0 taken, 2 not taken\n", ["users[0]: no_password", "users[1]: no_password"]),
        ("auth0", "1 taken, 1 not taken\n", ["line 2: not_json"]),
        ("csv", "1 taken, 1 not taken\n", ["line 4: unknown_hash_scheme"]),
    ],
)
def test_exports_of_other_systems_are_taken(
    run: Run, tmp_path: Path, kind: str, output: str, errors: list[str]
) -> None:
    """What is left is named by its place, a line each; its hash is never shown. A check alone takes nobody."""
    file = tmp_path / "export"
    file.write_bytes(EXPORTS[kind])
    status, said, _ = run("users", "import", str(file), "--format", kind, "--check")
    assert (status, run("users", "list")[1]) == (2, "")
    assert said == output.replace(" taken", " readable", 1).replace("not taken", "not readable")
    expected = "".join(f"auth-gateway: {error}\n" for error in errors)
    assert run("users", "import", str(file), "--format", kind) == (2, output, expected)
    assert len(run("users", "list")[1].splitlines()) == int(output[0])


def test_a_check_says_what_the_import_then_says(run: Run, tmp_path: Path) -> None:
    """Passwords and authenticators are looked at too, and who would be taken incompletely counts."""
    file = tmp_path / "people.json"
    carol = {"username": "carol", "password_hash": HASH, "totp_secret": "short"}
    file.write_text(json.dumps([carol, {"username": "dave", "password_hash": "md5"}]))
    lines = ("record 0: taken without invalid_totp_secret", "record 1: unknown_hash_scheme")
    expected = "".join(f"auth-gateway: {line}\n" for line in lines)
    told = (2, "1 readable (1 incompletely), 1 not readable\n", expected)
    assert run("users", "import", str(file), "--check") == told
    assert run("users", "import", str(file)) == (2, told[1].replace("readable", "taken"), expected)


@pytest.mark.parametrize("kind", ["keycloak", "csv", "riskgate"])
def test_a_file_that_breaks_at_its_end_takes_nobody(run: Run, tmp_path: Path, kind: str) -> None:
    """It is read once before anybody is taken."""
    person = b'{"username":"carol","password_hash":"%s"}' % HASH.encode()
    contents = {"riskgate": b"[" + person, "keycloak": b'{"users":[' + person, "csv": b"username\ncarol\n"}
    file = tmp_path / "export"
    file.write_bytes(contents[kind])
    status, output, errors = run("users", "import", str(file), "--format", kind)
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert run("users", "list")[1] == ""


def test_a_format_that_nobody_has_is_one_line(run: Run, tmp_path: Path) -> None:
    """And so is a file that can be read once only."""
    assert run("users", "import", "x", "--format", "ldif")[2].count("\n") == 1
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        status, _, errors = run("users", "import", str(tmp_path / "pipe"))
    finally:
        os.close(writer)
    assert (status, errors.count("\n")) == (2, 1)


def test_another_password_is_read_from_input_and_ends_sessions(run: Run, alice: str) -> None:
    """Never from an argument; a short one and an unknown person change nothing."""
    status, output, _ = run("users", "set-password", alice, "--password-stdin", stdin=b"another tidal cactus\n")
    assert (status, output) == (0, "changed, 0 sessions ended\n")
    assert run("users", "set-password", alice, "--password-stdin", stdin=b"short\n")[0] == 2
    assert run("users", "set-password", "nobody", "--password-stdin", stdin=b"another tidal cactus\n")[0] == 2
