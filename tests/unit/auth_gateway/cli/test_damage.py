"""A gateway beside a damaged state, a full disk or no checkout: one clear line, exit status 2, nothing made worse."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from auth_gateway import opening
from auth_gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[4]
COMMAND = [sys.executable, "-c", "from auth_gateway.cli import main; main()"]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory whose database holds a sealed signing key."""
    place = tmp_path / "state"
    assert auth_gateway(place, "keys", "rotate").returncode == 0
    return place


def auth_gateway(state: Path, *arguments: str | bytes, **given: str) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own, output and errors kept."""
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    environment = {**inherited, "PYTHONPATH": str(ROOT), "AUTH_GATEWAY_STATE": str(state), **given}
    return subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60)


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that it ended with."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("auth-gateway: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_lost_vault_key_is_not_replaced(state: Path) -> None:
    """A new one would open nothing that the database holds, and would hide that the old one is needed."""
    (state / "vault.key").unlink()
    assert "vault.key is missing" in complaint(auth_gateway(state, "keys", "list"))
    assert not (state / "vault.key").exists()


@pytest.mark.parametrize(("content", "expected"), [(b"short", "5 bytes"), (bytes(32), "not the key that sealed")])
def test_another_vault_key_is_refused(state: Path, content: bytes, expected: str) -> None:
    """Cut short, or somebody else's; for the server as for the commands."""
    (state / "vault.key").write_bytes(content)
    assert expected in complaint(auth_gateway(state, "users", "list"))
    assert expected in complaint(auth_gateway(state, "serve"))


def test_an_authenticator_s_secret_needs_its_vault_key_too(tmp_path: Path, state: Path) -> None:
    """Before the first start there is no signing key, and an authenticator may be enrolled."""
    with sqlite3.connect(state / "gateway.db") as database:
        database.execute("DELETE FROM signing_keys")
        database.execute("INSERT INTO users VALUES ('a', 'a', 'a', 'h', 's', 1, 0, 1.0, '', 0, '', '', NULL)")
        database.execute("INSERT INTO totp_factors VALUES ('f', 'a', x'00', 0, 1.0)")
    database.close()
    assert "not the key that sealed" in complaint(auth_gateway(state, "users", "list"))


@pytest.mark.parametrize("is_directory", [False, True])
def test_a_database_that_is_none_is_refused(state: Path, is_directory: bool) -> None:
    """Bytes of another kind, or a directory of that name."""
    for file in state.glob("gateway.db*"):
        file.unlink()
    if is_directory:
        (state / "gateway.db").mkdir()
    else:
        (state / "gateway.db").write_bytes(b"no database at all" * 500)
    assert "gateway.db in AUTH_GATEWAY_STATE cannot be opened" in complaint(auth_gateway(state, "users", "list"))
    assert "gateway.db in AUTH_GATEWAY_STATE cannot be opened" in complaint(auth_gateway(state, "serve"))


def test_a_database_of_a_later_release_is_refused(state: Path) -> None:
    """As after a release was taken back: no command and no server works on tables that it does not know."""
    with sqlite3.connect(state / "gateway.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
    database.close()
    for arguments in (("users", "list"), ("serve",)):
        assert "a later release has changed its tables" in complaint(auth_gateway(state, *arguments))


@pytest.mark.parametrize("name", ["RISK_API_CREDENTIAL", "JWT_SECRET", "AUTH_GATEWAY_HOST"])
def test_settings_that_are_no_text_are_named(state: Path, name: str) -> None:
    """They would fail on each login, or crash the start."""
    assert f"{name}" in complaint(auth_gateway(state, "users", "list", **{name: "\udcff" * 40}))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_client_whose_secret_nobody_saw_is_not_registered(state: Path) -> None:
    """The disk behind the output is full: one line, and the name is still free."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTH_GATEWAY_STATE": str(state)}
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "clients", "add", "app"]
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    said = "auth-gateway: input or output failed: No space left on device; mend that and run the command again\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert auth_gateway(state, "clients", "list").stdout == ""


def test_removing_a_client_is_written_down(state: Path) -> None:
    """Who was trusted, and until when, can be read later."""
    auth_gateway(state, "clients", "add", "app")
    auth_gateway(state, "clients", "remove", "app")
    database = sqlite3.connect(state / "gateway.db")
    lines = database.execute("SELECT kind, client_id, detail FROM audit WHERE kind LIKE 'client.%' ORDER BY seq")
    assert lines.fetchall() == [("client.added", "app", None), ("client.removed", "app", "0 sessions ended")]
    database.close()


def test_the_demo_s_users_are_known_without_a_checkout(state: Path, tmp_path: Path) -> None:
    """An installed gateway takes other people in and refuses these."""
    assert opening.DEMO_USERS.is_relative_to(Path(opening.__file__).parent)
    assert opening.DEMO_USERS.read_bytes() == (ROOT / "data" / "users.json").read_bytes()
    assert "passwords are public" in complaint(auth_gateway(state, "users", "import", str(ROOT / "data/users.json")))


def test_an_imported_user_id_is_printable(state: Path, tmp_path: Path) -> None:
    """The rule of `users add`: the id stands in lists, logs and tokens."""
    file = tmp_path / "users.json"
    hashed = "$2b$12$" + "a" * 53
    file.write_text(json.dumps([{"username": "carol", "password_hash": hashed, "user_id": "c\x1b[2J"}]))
    done = auth_gateway(state, "users", "import", str(file))
    assert (done.returncode, done.stdout) == (2, "0 taken, 1 not taken\n")
    assert done.stderr == "auth-gateway: record 0: invalid_user_id\n"
