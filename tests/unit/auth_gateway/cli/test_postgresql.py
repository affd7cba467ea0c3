"""A gateway that is pointed at a PostgreSQL server which it cannot use: one clear line, no password in it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from auth_gateway.adapters.storage import MIGRATIONS
from auth_gateway.settings import Settings, SettingsError, load_settings
from risk_scorer.adapters.storage import BadStorage, open_database, open_state
from tests.migrated import migrated_database
from tests.postgresql import Server

ROOT = Path(__file__).resolve().parents[4]
COMMAND = "from auth_gateway.cli import main; main()"
Run = Callable[..., tuple[int, str, str]]
NO_DRIVER = f"import sys; sys.modules['psycopg'] = None; {COMMAND}"


def in_a_process(state: Path, url: str, *arguments: str, code: str = COMMAND) -> tuple[int, str, str]:
    """One command in a process of its own: status, output and errors."""
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    given = {"PYTHONPATH": str(ROOT), "AUTH_GATEWAY_STATE": str(state), "AUTH_GATEWAY_DATABASE": url}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env={**inherited, **given}, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def run_with(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command beside that state and with that database."""

    def command(state: Path, url: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("AUTH_GATEWAY_STATE", str(state))
        monkeypatch.setenv("AUTH_GATEWAY_DATABASE", url)
        return run(*arguments)

    return command


@pytest.fixture
def migrated_url(postgresql_server: Server) -> Iterator[str]:
    """A gateway's database."""
    yield from migrated_database(postgresql_server)


def complaint(done: tuple[int, str, str]) -> str:
    """The one line that it ended with."""
    status, output, errors = done
    assert (status, output) == (2, "")
    assert errors.startswith("auth-gateway: ")
    assert errors.count("\n") == 1
    return errors


def test_a_server_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path, run_with: Run) -> None:
    """For the server as for the commands."""
    url = f"postgresql://gateway:se-cret@/x?host={tmp_path}"
    for done in (run_with(tmp_path / "state", url, "users", "list"), in_a_process(tmp_path / "state", url, "serve")):
        said = complaint(done)
        assert "the database of AUTH_GATEWAY_DATABASE cannot be opened" in said
        assert "se-cret" not in said


def test_without_the_driver_it_says_what_to_install(tmp_path: Path) -> None:
    """The driver is an extra, so its absence is no bug."""
    said = complaint(in_a_process(tmp_path / "state", "postgresql://h/x", "users", "list", code=NO_DRIVER))
    assert "pip install 'riskgate[postgresql]'" in said


def test_a_url_that_libpq_cannot_read_is_not_repeated(tmp_path: Path, run_with: Run) -> None:
    """Where the fault is a sign in the password, libpq's own message would show it."""
    said = complaint(run_with(tmp_path / "state", "postgresql://u:se%cret@h/x", "users", "list"))
    assert "cannot be read as postgresql://" in said
    assert "cret" not in said


def test_a_database_of_another_encoding_is_refused(tmp_path: Path, run_with: Run, postgresql_server: Server) -> None:
    """Names that it cannot hold would fail one login at a time."""
    url = postgresql_server.new_database("LATIN1")
    assert "UTF8" in complaint(run_with(tmp_path / "state", url, "users", "list"))
    postgresql_server.drop_database(url)


def test_a_lost_vault_key_is_not_replaced(tmp_path: Path, run_with: Run, postgresql_url: str) -> None:
    """A second machine without the key makes none of its own over what the first has sealed."""
    assert run_with(tmp_path / "first", postgresql_url, "keys", "rotate")[0] == 0
    said = complaint(run_with(tmp_path / "second", postgresql_url, "keys", "list"))
    assert "vault.key is missing, and the database of AUTH_GATEWAY_DATABASE holds what it sealed" in said
    assert not (tmp_path / "second" / "vault.key").exists()
    assert not (tmp_path / "second" / "gateway.db").exists()


@pytest.mark.parametrize("url", ["mysql://h/x", "postgresql+psycopg://h/x", "gateway.db", "sqlite:///x.db"])
def test_another_kind_of_url_is_refused(url: str) -> None:
    """The setting is named, its value is not."""
    with pytest.raises(SettingsError, match="AUTH_GATEWAY_DATABASE") as refused:
        load_settings(auth_gateway_database=url)
    assert url not in str(refused.value)


def test_a_password_does_not_show_in_what_settings_print() -> None:
    """Nor does anything else of the URL."""
    settings = load_settings(auth_gateway_database="postgresql://u:se-cret@h/x")
    assert settings.database_url == "postgresql://u:se-cret@h/x"
    assert "se-cret" not in repr(settings)


UPGRADE = "import sys; from plumbing.database import upgrade; upgrade(sys.argv[1], sys.argv[2])"


def test_gateways_that_start_at_once_migrate_once(postgresql_url: str) -> None:
    """Four of them: each finds the newest schema, and none gets in another's way."""
    command = [sys.executable, "-c", UPGRADE, postgresql_url, str(MIGRATIONS)]
    started = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=60)[1] for process in started] == [""] * 4
    assert [process.returncode for process in started] == [0] * 4
    newest = max(file.name[:4] for file in (MIGRATIONS / "versions").glob("0*.py"))
    with psycopg.connect(postgresql_url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]


def test_neither_service_takes_the_others_database(tmp_path: Path, run_with: Run, postgresql_url: str) -> None:
    """A URL given to the wrong one is refused in words that say so, and nothing of the other's is touched."""
    open_database(postgresql_url).close()
    said = complaint(run_with(tmp_path / "state", postgresql_url, "users", "list"))
    assert "the database of AUTH_GATEWAY_DATABASE cannot be used: another program keeps its tables there" in said
    open_state(tmp_path / "scorer", postgresql_url).close()


def test_the_scorer_does_not_take_the_gateways(tmp_path: Path, migrated_url: str) -> None:
    """The other way round."""
    with pytest.raises(
        BadStorage,
        match="the database of RISK_SCORER_DATABASE cannot be opened: another program keeps its tables there",
    ):
        open_state(tmp_path / "scorer", migrated_url)
