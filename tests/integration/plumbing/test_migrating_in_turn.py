"""Whoever has steps to take waits for its turn in a way that holds up nobody, and whoever has none does not wait."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from plumbing import migrations
from plumbing.migrations import ADVISORY_LOCK, SchemaBehind, pending, upgrade
from tests.integration.plumbing.test_migrations import add_migration
from tests.integration.plumbing.test_schema_steps import INDEX_ALONE


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with one migration."""
    add_migration(tmp_path / "scripts", "0001", None, "people")
    return tmp_path / "scripts"


def test_those_who_wait_do_not_hold_up_an_index_that_is_built(
    postgresql_url: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three at once: one takes the steps, the others find them taken."""
    upgrade(postgresql_url, str(place))
    add_migration(place, "0002", "0001", "coins")
    (place / "versions" / "0003.py").write_text(INDEX_ALONE.replace('["name"]', '["id"]'))
    monkeypatch.setattr(migrations, "LOCK_TRIES", 2)
    with ThreadPoolExecutor(3) as pool:
        with psycopg.connect(postgresql_url, autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
            done = [pool.submit(upgrade, postgresql_url, str(place)) for _ in range(3)]
            time.sleep(0.5)
            assert not any(each.done() for each in done)
        for each in done:
            each.result(30)
    assert pending(postgresql_url, str(place)) == []


def test_whoever_has_nothing_to_take_does_not_wait(postgresql_url: str, place: Path) -> None:
    """A newer release builds an index for an hour: processes of the old one start meanwhile."""
    upgrade(postgresql_url, str(place))
    with ThreadPoolExecutor(1) as pool, psycopg.connect(postgresql_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        pool.submit(upgrade, postgresql_url, str(place)).result(10)


def test_a_file_that_is_not_there_is_not_made_by_a_look(tmp_path: Path, place: Path) -> None:
    """Else a backup would find a database where it is to be put back."""
    url = f"sqlite:///{tmp_path}/state/x.db"
    assert [step.revision for step in pending(url, str(place))] == ["0001"]
    with pytest.raises(SchemaBehind, match="lacks 0001"):
        upgrade(url, str(place), may_migrate=False)
    assert not (tmp_path / "state").exists()
