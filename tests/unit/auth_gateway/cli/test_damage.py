"""A gateway beside a damaged state, a full disk or no checkout: one clear line, exit status 2, nothing made worse."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from auth_gateway import opening
from auth_gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[4]
COMMAND = [sys.executable, "-c", "from auth_gateway.cli import main; main()"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(tmp_path: Path, run: Run) -> Path:
    """The state directory, whose database holds a sealed signing key."""
    assert run("keys", "rotate")[0] == 0
    return tmp_path / "state"


def served(state: Path) -> tuple[int, str, str]:
    """What the server says that is started beside it, in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    environment = {**inherited, "PYTHONPATH": str(ROOT), "AUTH_GATEWAY_STATE": str(state)}
    done = subprocess.run([*COMMAND, "serve"], env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def complaint(done: tuple[int, str, str]) -> str:
    """The one line that it ended with."""
    status, output, errors = done
    assert (status, output) == (2, "")
    assert errors.startswith("auth-gateway: ")
    assert errors.count("\n") == 1
    return errors


def test_a_lost_vault_key_is_not_replaced(state: Path, run: Run) -> None:
    """A new one would open nothing that the database holds, and would hide that the old one is needed."""
    (state / "vault.key").unlink()
    assert "vault.key is missing" in complaint(run("keys", "list"))
    assert not (state / "vault.key").exists()


def shortened_key(state: Path) -> None:
    (state / "vault.key").write_bytes(b"short")


def somebody_elses_key(state: Path) -> None:
    (state / "vault.key").write_bytes(bytes(32))


def no_database(state: Path) -> None:
    for file in state.glob("gateway.db*"):
        file.unlink()
    (state / "gateway.db").write_bytes(b"no database at all" * 500)


def directory_for_database(state: Path) -> None:
    no_database(state)
    (state / "gateway.db").unlink()
    (state / "gateway.db").mkdir()


def later_release(state: Path) -> None:
    """As after a release was taken back."""
    with sqlite3.connect(state / "gateway.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
    database.close()


CANNOT_BE_OPENED = "gateway.db in AUTH_GATEWAY_STATE cannot be opened"
DAMAGES = [
    (shortened_key, "5 bytes"),
    (somebody_elses_key, "not the key that sealed"),
    (no_database, CANNOT_BE_OPENED),
    (directory_for_database, CANNOT_BE_OPENED),
    (later_release, "a later release has changed its tables"),
]
SERVED_IN_SHORT = (somebody_elses_key, directory_for_database, later_release)
IDS = [damage.__name__ for damage, _ in DAMAGES]


@pytest.mark.parametrize(("damage", "expected"), DAMAGES, ids=IDS)
def test_no_command_works_on_a_damaged_state(
    state: Path, run: Run, damage: Callable[[Path], None], expected: str
) -> None:
    """A key that was cut short or exchanged, bytes or a directory for a database, or tables that it does not know."""
    damage(state)
    assert expected in complaint(run("users", "list"))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param(*case, id=case[0].__name__, marks=() if case[0] in SERVED_IN_SHORT else pytest.mark.long)
        for case in DAMAGES
    ],
)
def test_no_server_starts_on_a_damaged_state(state: Path, damage: Callable[[Path], None], expected: str) -> None:
    """In the words of the commands; in short, one damage of each kind."""
    damage(state)
    assert expected in complaint(served(state))


def test_an_authenticator_s_secret_needs_its_vault_key_too(state: Path, run: Run) -> None:
    """Before the first start there is no signing key, and an authenticator may be enrolled."""
    with sqlite3.connect(state / "gateway.db") as database:
        database.execute("DELETE FROM signing_keys")
        database.execute("INSERT INTO users VALUES ('a', 'a', 'a', 'h', 's', 1, 0, 1.0, '', 0, '', '', NULL)")
        database.execute("INSERT INTO totp_factors VALUES ('f', 'a', x'00', 0, 1.0)")
    database.close()
    assert "not the key that sealed" in complaint(run("users", "list"))


@pytest.mark.parametrize("name", ["RISK_API_CREDENTIAL", "JWT_SECRET", "AUTH_GATEWAY_HOST"])
@pytest.mark.usefixtures("state")
def test_settings_that_are_no_text_are_named(run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """They would fail on each login, or crash the start."""
    monkeypatch.setenv(name, "\udcff" * 40)
    assert f"{name}" in complaint(run("users", "list"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_client_whose_secret_nobody_saw_is_not_registered(state: Path, run: Run) -> None:
    """The disk behind the output is full: one line, and the name is still free."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTH_GATEWAY_STATE": str(state)}
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "clients", "add", "app"]
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    said = "auth-gateway: input or output failed: No space left on device; mend that and run the command again\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert run("clients", "list") == (0, "", "")


def test_removing_a_client_is_written_down(state: Path, run: Run) -> None:
    """Who was trusted, and until when, can be read later."""
    run("clients", "add", "app")
    run("clients", "remove", "app")
    database = sqlite3.connect(state / "gateway.db")
    lines = database.execute("SELECT kind, client_id, detail FROM audit WHERE kind LIKE 'client.%' ORDER BY seq")
    assert lines.fetchall() == [("client.added", "app", None), ("client.removed", "app", "0 sessions ended")]
    database.close()


@pytest.mark.usefixtures("state")
def test_the_demo_s_users_are_known_without_a_checkout(run: Run) -> None:
    """An installed gateway takes other people in and refuses these."""
    assert opening.DEMO_USERS.is_relative_to(Path(opening.__file__).parent)
    assert opening.DEMO_USERS.read_bytes() == (ROOT / "data" / "users.json").read_bytes()
    assert "passwords are public" in complaint(run("users", "import", str(ROOT / "data/users.json")))


@pytest.mark.usefixtures("state")
def test_an_imported_user_id_is_printable(tmp_path: Path, run: Run) -> None:
    """The rule of `users add`: the id stands in lists, logs and tokens."""
    file = tmp_path / "users.json"
    hashed = "$2b$12$" + "a" * 53
    file.write_text(json.dumps([{"username": "carol", "password_hash": hashed, "user_id": "c\x1b[2J"}]))
    said = (2, "0 taken, 1 not taken\n", "auth-gateway: record 0: invalid_user_id\n")
    assert run("users", "import", str(file)) == said
