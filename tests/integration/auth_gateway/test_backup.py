"""`auth-gateway backup` and `restore`: a copy made under load is whole, and serves."""

import threading
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from auth_gateway.assembly import assemble
from auth_gateway.cli import commands
from auth_gateway.core.audit import AuditEvent
from auth_gateway.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("JWT_ISSUER", "https://id.example")
    return tmp_path


def run(name: str, at: Path) -> Result:
    return CliRunner().invoke(commands([name]), [name, str(at)])


def test_a_copy_made_while_others_write_is_whole_and_opens(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People, passwords and sealed factors are there, and every line up to one moment."""
    gateway, stopped = assemble(load_settings()), threading.Event()
    account = gateway.accounts.add("alice", "tidal-amber-cactus-97")
    secret = gateway.enrol_totp("alice").secret
    gateway.resealing()  # from now on a second key is needed

    def write() -> None:
        number = 0
        while not stopped.is_set():
            line = AuditEvent(event_id=f"evt_{number}", ts=float(number), kind="login.failed")
            gateway.database.write_sync(lambda tx, line=line: gateway.audit.record(tx, line))  # type: ignore[misc]
            number += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        done = run("backup", place / "copy")
    finally:
        stopped.set()
        writing.join()
    gateway.close()
    assert done.exit_code == 0, done.output
    assert [file.stat().st_mode & 0o777 for file in (place / "copy").iterdir()] == [0o600] * 3
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(place / "restored"))
    assert run("restore", place / "copy").exit_code == 0
    restored = assemble(load_settings())
    [found] = restored.accounts.list()
    assert restored.users.passwords.open(account.user_id, found.password_hash) == account.password_hash
    factor = restored.database.read(lambda tx: restored.factors.find(tx, account.user_id))
    assert factor is not None
    assert restored.vault.open(factor.sealed_secret, "totp-secret").decode() == secret
    lines = [line.event_id for line in restored.database.read(lambda tx: restored.audit.recent(tx, 100_000))]
    written = [each for each in reversed(lines) if each.startswith("evt_") and each[4:].isdigit()]
    assert written == [f"evt_{number}" for number in range(len(written))]
    restored.close()


def test_nothing_is_overwritten(place: Path) -> None:
    """Neither a directory that has something in it, nor a gateway that is there."""
    gateway = assemble(load_settings())
    gateway.accounts.add("alice", "tidal-amber-cactus-97")
    assert run("backup", place / "copy").exit_code == 0
    assert run("backup", place / "copy").exit_code == 2
    assert run("restore", place / "copy").exit_code == 2
    assert len(gateway.accounts.list()) == 1
    gateway.close()


@pytest.mark.parametrize("harm", ["no key", "no database", "damaged"])
def test_a_backup_that_is_not_whole_is_not_put_back(place: Path, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    """2, and the new place stays as it was."""
    assemble(load_settings()).close()
    assert run("backup", place / "copy").exit_code == 0
    if harm == "damaged":
        (place / "copy" / "gateway.db").write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    else:
        (place / "copy" / ("vault.key" if harm == "no key" else "gateway.db")).unlink()
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(place / "restored"))
    assert run("restore", place / "copy").exit_code == 2
    assert not (place / "restored").exists()


@pytest.mark.parametrize("harm", ["gap", "short", "empty root"])
def test_keys_that_could_open_nothing_are_said_before_anything_is_put_back(
    place: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    """A number that is left out, a file that was cut short: people would be locked out after the restore."""
    gateway = assemble(load_settings())
    gateway.resealing()
    gateway.resealing()
    gateway.close()
    assert run("backup", place / "copy").exit_code == 0
    if harm == "gap":
        (place / "copy" / "sealing.key.1").unlink()
    else:
        (place / "copy" / ("sealing.key.2" if harm == "short" else "vault.key")).write_bytes(b"")
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(place / "restored"))
    said = run("restore", place / "copy")
    assert said.exit_code == 2
    assert ("is missing" if harm == "gap" else "is no key") in said.output
    assert not (place / "restored").exists()


def test_a_server_s_database_is_left_to_its_own_tools(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which, and which files are needed beside."""
    monkeypatch.setenv("AUTH_GATEWAY_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    done = run("backup", place / "copy")
    assert (done.exit_code, "pg_dump" in done.stderr, "vault.key" in done.stderr) == (2, True, True)
