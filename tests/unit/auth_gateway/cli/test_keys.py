"""`auth-gateway keys` of a provider: two algorithms, each with its own row, rotated together."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth_gateway.cli.keys import app
from auth_gateway.settings import Settings


@pytest.fixture(autouse=True)
def _provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "auth_gateway_config"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("JWT_ISSUER", "https://id.example")


def rows(*arguments: str) -> list[list[str]]:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.stdout.splitlines()]


def test_a_rotation_announces_a_key_of_each_algorithm() -> None:
    """Two sign, two wait."""
    announced = {row[0] for row in rows("rotate")}
    listed = rows("list")
    assert len(announced) == 2
    assert sorted(row[1:3] for row in listed) == [
        ["announced", "ES256"],
        ["announced", "RS256"],
        ["signing", "ES256"],
        ["signing", "RS256"],
    ]
    assert {row[0] for row in listed if row[1] == "announced"} == announced


def test_an_emergency_replaces_both_at_once() -> None:
    """The keys that were there have retired, and are shown with their end."""
    rows("rotate")
    signing = {row[0] for row in rows("rotate", "--now")}
    listed = rows("list")
    assert {row[0] for row in listed if row[1] == "signing"} == signing
    assert [row[1] for row in listed].count("retired") == 4
    assert all(row[4].startswith("until ") for row in listed if row[1] == "retired")


def test_withdrawn_keys_are_gone_at_once() -> None:
    """Nobody who knows them can have anything believed; it asks first, and says what it breaks."""
    before = {row[0] for row in rows("rotate")} | {row[0] for row in rows("list")}
    assert CliRunner().invoke(app, ["withdraw"], input="n\n").exit_code == 1
    assert {row[0] for row in rows("list")} == before
    done = CliRunner().invoke(app, ["withdraw", "--yes"])
    assert (done.exit_code, "5 minutes" in done.stderr) == (0, True)
    listed = rows("list")
    assert not before & {row[0] for row in listed}
    assert [row[1] for row in listed] == ["signing", "signing"]


def test_new_keys_and_the_ends_of_old_ones_are_written_down(tmp_path: Path) -> None:
    """Each end once and when it is; an emergency brings an announced end forward, and that is said."""
    first = {row[0] for row in rows("rotate")}
    second = {row[0] for row in rows("rotate", "--now")}
    began = {row[0] for row in rows("list")} - first - second
    with closing(sqlite3.connect(tmp_path / "state" / "gateway.db")) as database:
        told = "SELECT kind, detail, facts FROM audit WHERE kind LIKE 'key.%'"
        lines = [(kind, detail, json.loads(facts)) for kind, detail, facts in database.execute(told)]
    assert all(facts == {"by": "operator"} for _, _, facts in lines)
    assert {detail for kind, detail, _ in lines if kind == "key.added"} == first | second
    ends = [detail.partition(" until ") for kind, detail, _ in lines if kind == "key.retired"]
    assert sorted(kid for kid, _, _ in ends) == sorted([*began, *began, *first])
    assert all(until.endswith("Z") for _, _, until in ends)


def test_a_gateway_that_stopped_being_a_provider_rotates_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that nobody rotates would be the one that is found."""
    rows("rotate")
    monkeypatch.setenv("JWT_ISSUER", "no-address")
    assert len(rows("rotate")) == 2
