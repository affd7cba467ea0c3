"""Tables built from small databases: every boundary, every failure of the file, two processes at once."""

import ipaddress
import multiprocessing
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import maxminddb
import numpy as np
import pytest

from risk_scorer.adapters.ip_table_format import FILE_NAME, BadIpTable, read_header
from risk_scorer.adapters.ip_table_upkeep import build, replace
from risk_scorer.adapters.ip_tables import PACKAGED, IpTables, age_days, tables_in_use
from risk_scorer.tables_cli import tables as commands

LARGEST_COMMITTED = 20_000_000
DAY = 86_400.0


def at(tables: IpTables, text: str) -> tuple[str, str, int]:
    """Country, city and operator of an address."""
    address = ipaddress.ip_address(text)
    number = int(address) if address.version == 4 else int(address) >> 64
    spot = tables.spot(address.version, number)
    return spot.country, spot.city, tables.operator(address.version, number)[0]


@pytest.fixture
def tables(mini_tables: Path, tmp_path: Path) -> IpTables:
    return IpTables.open(mini_tables, tmp_path / "cache")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("0.0.0.1", ("", "", 0)),
        ("0.255.255.255", ("", "", 0)),
        ("1.0.0.0", ("AU", "Brisbane", 13335)),
        ("1.0.0.255", ("AU", "Brisbane", 13335)),
        ("1.0.1.0", ("AU", "Brisbane", 0)),
        ("1.0.1.255", ("AU", "Brisbane", 0)),
        ("1.0.2.0", ("CN", "Fuzhou", 4134)),
        ("1.0.3.255", ("CN", "Fuzhou", 4134)),
        ("1.0.4.0", ("", "", 0)),
        ("81.2.69.159", ("", "", 20712)),
        ("81.2.69.160", ("GB", "London", 20712)),
        ("81.2.69.191", ("GB", "London", 20712)),
        ("81.2.69.192", ("", "", 20712)),
        ("255.255.255.254", ("", "", 0)),
        ("255.255.255.255", ("ZZ", "Last", 0)),
        ("::", ("", "", 0)),
        ("2a02:8205:ffff:ffff:ffff:ffff:ffff:ffff", ("", "", 0)),
        ("2a02:8206:3932:ffff:ffff:ffff:ffff:ffff", ("", "", 8881)),
        ("2a02:8206:3933::", ("DE", "Borgholzhausen", 8881)),
        ("2a02:8206:3933:ffff:ffff:ffff:ffff:ffff", ("DE", "Borgholzhausen", 8881)),
        ("2a02:8206:3934::", ("", "", 8881)),
        ("2a02:8206:3934:7fff:ffff:ffff:ffff:ffff", ("", "", 8881)),
        ("2a02:8206:3934:8000::", ("DE", "Halle", 8881)),
        ("2a02:8207::", ("", "", 0)),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ("", "", 0)),
    ],
)
def test_a_range_ends_where_the_source_says(tables: IpTables, address: str, expected: tuple[str, str, int]) -> None:
    """First and last address of each range, and the ones beside them."""
    assert at(tables, address) == expected


def test_half_a_64_stands_for_all_of_it(tables: IpTables) -> None:
    """IPv6 is kept by its upper 64 bits: one customer's own network is one place."""
    assert at(tables, "2a02:8206:3935:1::")[1] == at(tables, "2a02:8206:3935:1:8000::")[1] == "Half"
    assert at(tables, "2a02:8206:3935:2::")[1] == ""


def test_every_address_is_where_the_source_says(tables: IpTables, mini_sources: tuple[Path, Path]) -> None:
    """Two thousand addresses near the ranges, looked up in the source by the database's own reader."""
    rng = random.Random(11)
    with maxminddb.open_database(mini_sources[0] / "city-ipv4.mmdb") as reader:
        for _ in range(2_000):
            address = str(ipaddress.IPv4Address(rng.choice([0x01000000, 0x51024500]) + rng.randrange(2_048)))
            record = reader.get(address)
            expected = (record["country_code"], record["city"]) if isinstance(record, dict) else ("", "")
            assert at(tables, address)[:2] == expected, address


def test_places_keep_their_coordinates_to_a_kilometre(tables: IpTables) -> None:
    """A hundredth of a degree is kept; accuracy is at least what a city's size allows to say."""
    london = tables.spot(4, int(ipaddress.ip_address("81.2.69.160")))
    assert (london.region, london.latitude, london.longitude) == ("England", 51.51, -0.09)
    assert london.accuracy_km is not None
    assert london.accuracy_km >= 20


def test_equal_neighbours_are_one_row(tables: IpTables) -> None:
    """Two /24 of one city take one row: start, gap before, three cities, gaps between, the last address."""
    assert tables.rows["city4_starts"] == 7


def test_an_operator_is_found_by_number(tables: IpTables) -> None:
    """An event may bring its ASN; the name is ours."""
    names = [tables.operator_name(number) for number in (13335, 8881, 0, 13336, 2**32 - 1)]
    assert names == ["Cloudflare, Inc.", "1&1 Versatel", "", "", ""]


def test_dates_come_from_the_packages_and_age_from_the_older(tables: IpTables) -> None:
    """The version ends in the day of the data."""
    assert (tables.header.city.date, tables.header.asn.date) == ("2026-06-05", "2026-06-17")
    midnight_2026_06_05 = 1_780_617_600.0
    assert age_days(tables.header, midnight_2026_06_05 + 10 * DAY) == 10.0


def test_attribution_travels_with_the_tables(tables: IpTables) -> None:
    """CC BY 4.0 asks for it wherever the data is shown."""
    told = tables.describe()
    assert told["city"]["attribution"] == "IP Geolocation by DB-IP"
    assert told["city"]["url"] == "https://db-ip.com"
    assert "RouteViews" in told["asn"]["attribution"]


def test_the_same_sources_make_the_same_bytes(
    mini_sources: tuple[Path, Path], mini_tables: Path, tmp_path: Path
) -> None:
    """Whoever doubts the committed tables can make them again."""
    again = build(tmp_path / "again", city=mini_sources[0], asn=mini_sources[1], progress=lambda _: None)
    assert again.read_bytes() == (mini_tables / FILE_NAME).read_bytes()


def test_a_second_start_unpacks_nothing(mini_tables: Path, tmp_path: Path) -> None:
    """The unpacked files are used as they are."""
    IpTables.open(mini_tables, tmp_path / "cache")
    before = {path: path.stat().st_ino for path in (tmp_path / "cache").rglob("*.npy")}
    IpTables.open(mini_tables, tmp_path / "cache")
    assert {path: path.stat().st_ino for path in (tmp_path / "cache").rglob("*.npy")} == before
    assert before


@pytest.mark.parametrize("harm", ["truncate", "remove", "swap", "pickle"])
def test_a_harmed_cache_is_made_anew(mini_tables: Path, tmp_path: Path, harm: str) -> None:
    """A power cut, a curious hand or another dtype costs one more unpacking, never a wrong answer, never a pickle."""
    IpTables.open(mini_tables, tmp_path / "cache")
    victim = next((tmp_path / "cache").rglob("city4_starts.npy"))
    if harm == "truncate":
        victim.write_bytes(victim.read_bytes()[:-4])
    elif harm == "remove":
        victim.unlink()
    elif harm == "swap":
        np.save(victim, np.zeros(3, dtype=np.float64))
    else:
        np.save(victim, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert at(IpTables.open(mini_tables, tmp_path / "cache"), "1.0.0.0") == ("AU", "Brisbane", 13335)


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda content: content[:-1], "ip_table_corrupt"),
        (lambda content: content[:-40] + bytes(40), "ip_table_corrupt"),
        (lambda content: content[:60] + b"!" + content[61:], "ip_table_corrupt"),
        (lambda content: content[:20], "ip_table_version"),
        (lambda content: b"", "ip_table_version"),
        (lambda content: b"RGIPTAB9" + content[8:], "ip_table_version"),
    ],
)
def test_harmed_tables_are_refused_by_name(
    mini_tables: Path, tmp_path: Path, harm: Callable[[bytes], bytes], code: str
) -> None:
    """Every byte is under a hash, and a refusal leaves nothing behind that a later start would believe."""
    path = mini_tables / FILE_NAME
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(BadIpTable) as refusal:
        IpTables.open(mini_tables, tmp_path / "cache")
    assert refusal.value.code == code
    assert list((tmp_path / "cache").glob("*/*.npy")) == []


def test_missing_tables_are_missing(tmp_path: Path) -> None:
    """Not there is told apart from not readable."""
    with pytest.raises(BadIpTable) as refusal:
        IpTables.open(tmp_path, tmp_path / "cache")
    assert refusal.value.code == "ip_table_missing"


def open_once(job: tuple[Path, Path]) -> str:
    return at(IpTables.open(*job), "1.0.2.0")[1]


def test_two_processes_may_start_at_once(mini_tables: Path, tmp_path: Path) -> None:
    """Four processes unpack into one empty cache; all answer, and one copy is left."""
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(open_once, [(mini_tables, tmp_path / "cache")] * 4) == ["Fuzhou"] * 4
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 1


def test_old_tables_leave_the_cache_and_strangers_stay(mini_tables: Path, tmp_path: Path) -> None:
    """Only what we made ourselves is deleted."""
    cache = tmp_path / "cache"
    (cache / ("0" * 32)).mkdir(parents=True)
    (cache / "somebody-elses").mkdir()
    IpTables.open(mini_tables, cache)
    assert not (cache / ("0" * 32)).exists()
    assert (cache / "somebody-elses").exists()


def test_replaced_places_leave_the_operators_alone(
    mini_tables: Path, tmp_path: Path, write_mmdb: Callable[..., Path]
) -> None:
    """A user's own city database in MaxMind's spelling, with its own accuracy; operators stay."""
    record = {
        "country": {"iso_code": "DE"},
        "city": {"names": {"de": "Köln", "en": "Cologne"}},
        "subdivisions": [{"names": {"en": "North Rhine-Westphalia"}}],
        "location": {"latitude": 50.94, "longitude": 6.96, "accuracy_radius": 5},
    }
    own = write_mmdb("own.mmdb", {"1.0.0.0/24": record}, kind="GeoLite2-City")
    replace(tmp_path / "new", current=mini_tables, city_mmdb=[own], asn_mmdb=[], progress=lambda _: None)
    found = IpTables.open(tmp_path / "new", tmp_path / "cache")
    assert found.spot(4, 0x01000001) == ("DE", "North Rhine-Westphalia", "Cologne", 50.94, 6.96, 5.0)
    assert found.operator(4, 0x01000001) == (13335, "Cloudflare, Inc.")
    assert (found.header.city.name, found.header.city.date) == ("GeoLite2-City", "2026-06-05")


def test_replaced_operators_leave_the_places_alone(
    mini_tables: Path, tmp_path: Path, write_mmdb: Callable[..., Path]
) -> None:
    """A user's own ASN database."""
    record = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Cable"}
    own = write_mmdb("own.mmdb", {"1.0.0.0/24": record}, kind="GeoLite2-ASN")
    replace(tmp_path / "new", current=mini_tables, city_mmdb=[], asn_mmdb=[own], progress=lambda _: None)
    found = IpTables.open(tmp_path / "new", tmp_path / "cache")
    assert at(found, "1.0.0.1") == ("AU", "Brisbane", 64500)
    assert at(found, "1.0.2.1") == ("CN", "Fuzhou", 0)


def test_a_file_that_is_no_database_changes_nothing(mini_tables: Path, tmp_path: Path) -> None:
    """The tables in use survive a wrong path and a wrong file."""
    before = (mini_tables / FILE_NAME).read_bytes()
    junk = tmp_path / "junk.mmdb"
    junk.write_bytes(b"junk")
    for given in ([junk], [tmp_path / "absent.mmdb"], []):
        with pytest.raises(BadIpTable) as refusal:
            replace(mini_tables, current=mini_tables, city_mmdb=given, asn_mmdb=[], progress=lambda _: None)
        assert refusal.value.code == "ip_table_source"
    assert (mini_tables / FILE_NAME).read_bytes() == before


def test_built_tables_are_used_from_then_on(mini_tables: Path, tmp_path: Path) -> None:
    """What an operator built in the state wins over what came with the package."""
    assert tables_in_use(tmp_path / "state") == PACKAGED
    shutil.copytree(mini_tables, tmp_path / "state" / "tables")
    assert tables_in_use(tmp_path / "state") == tmp_path / "state" / "tables"


def test_the_packaged_tables_are_whole_and_small_enough() -> None:
    """At most 20 MB are committed, with date and attribution."""
    header, _ = read_header(PACKAGED / FILE_NAME)
    assert (PACKAGED / FILE_NAME).stat().st_size < LARGEST_COMMITTED
    assert header.city.date >= "2026-06-05"
    assert header.city.licence == header.asn.licence == "CC BY 4.0"


def test_the_command_line_has_the_three_commands() -> None:
    """show, build, replace."""
    assert sorted(command.name or "" for command in commands.registered_commands) == ["build", "replace", "show"]
