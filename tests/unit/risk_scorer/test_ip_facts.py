"""What is known of an address: place, operator, kind and reputation, lists and overlays, junk, and broken tables."""

import ipaddress
import random
from pathlib import Path

import iporigin
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk_scorer.adapters.ip_claims import KINDS, RESERVED, BadNetworkFile, laid_over
from risk_scorer.adapters.ip_facts import IpLookup, packed_address
from risk_scorer.adapters.ip_table_format import FILE_NAME
from risk_scorer.adapters.recent_values import RecentValues
from risk_scorer.core.facts import IpFacts
from risk_scorer.core.observation import prefix_of

DEMO_NETWORKS = Path(__file__).resolve().parents[3] / "demo" / "networks.toml"


@pytest.fixture(scope="module")
def lookup(built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> IpLookup:
    return IpLookup.open(built_once.parent, cache_dir=tmp_path_factory.mktemp("cache"))


def opened(mini_tables: Path, tmp_path: Path, *, listed: str | None = None, overlay: str | None = None) -> IpLookup:
    lists, overlays = tmp_path / "listed.txt", tmp_path / "overlay.toml"
    lists.write_text(listed or "")
    overlays.write_text(overlay or "")
    return IpLookup.open(mini_tables, cache_dir=tmp_path / "cache", overlays=[overlays], listed=[lists])


def test_an_address_gets_place_operator_and_prefix(lookup: IpLookup) -> None:
    """Everything in one look-up."""
    assert lookup.facts("81.2.69.161") == IpFacts(
        asn=20712,
        asn_name="Andrews & Arnold Ltd",
        country="GB",
        region="England",
        city="London",
        latitude=51.51,
        longitude=-0.09,
        accuracy_km=20.0,
        prefix="81.2.69.0/24",
        kind="unknown",
        reputation=5.0,
    )


def test_many_are_answered_as_one_by_one(lookup: IpLookup) -> None:
    """Bulk and single agree, in order, with repeats and junk among them."""
    ips = ["1.0.0.1", "junk", "81.2.69.161", "1.0.0.1", "2a02:8206:3933::7"]
    assert lookup.facts_many(ips) == [lookup.facts(ip) for ip in ips]


def test_ipv4_written_as_ipv6_is_the_same_address(lookup: IpLookup) -> None:
    """A dual-stack socket reports mapped addresses."""
    assert lookup.facts("::ffff:81.2.69.161") == lookup.facts("::FFFF:5102:45a1") == lookup.facts("81.2.69.161")


@pytest.mark.parametrize(
    "text",
    ["", "x", "1.2.3", "1.2.3.4.5", "198.01.100.9", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4/24",
     "1.2.3.4\0", "fe80::1%eth0", "::g", ":", "[::1]", "1:2:3:4:5:6:7:8:9", "\ud800", "٣.1.1.1", "9" * 100_000],
)  # fmt: skip
def test_junk_is_unknown_and_never_an_error(lookup: IpLookup, text: str) -> None:
    """No place, no prefix, the reputation of the unknown."""
    assert lookup.facts(text) == IpFacts(reputation=5.0)


@given(st.text(max_size=50))
def test_any_text_is_an_address_here_only_if_python_thinks_so_too(text: str) -> None:
    """Nothing is accepted that ipaddress would refuse; zones are refused as well."""
    if packed_address(text) is not None:
        assert "%" not in text
        ipaddress.ip_address(text)


@pytest.mark.parametrize(
    "address",
    ["1.2.3.4", "0.0.0.0", "2a02:8206:3933::7", "2001:db8:0:1::1", "::1", "1::", "1:0:2::3", "fe80:0:0:1::"],  # noqa: S104
)
def test_prefixes_are_those_of_the_event(lookup: IpLookup, address: str) -> None:
    """One spelling of a prefix in the whole scorer: a second one would make a known network look new."""
    assert lookup.facts(address).prefix == prefix_of(address)


@pytest.mark.parametrize(
    ("address", "kind", "reputation"),
    [
        ("52.95.110.1", "hosting", 35.0),
        ("10.1.2.3", "reserved", 10.0),
        ("127.0.0.1", "reserved", 10.0),
        ("198.51.100.9", "reserved", 10.0),
        ("224.0.0.1", "reserved", 10.0),
        ("100.64.0.0", "reserved", 10.0),
        ("100.127.255.255", "reserved", 10.0),
        ("::1", "reserved", 10.0),
        ("fe80::1", "reserved", 10.0),
        ("2001:db8::1", "reserved", 10.0),
        ("2001:db9::1", "unknown", 5.0),
        ("2002:c633:6409::1", "reserved", 10.0),
    ],
)
def test_kind_and_reputation_follow_the_table(lookup: IpLookup, address: str, kind: str, reputation: float) -> None:
    """Both sides of the reserved ranges; hosting by its provider's own feed."""
    assert (lookup.facts(address).kind, lookup.facts(address).reputation) == (kind, reputation)


@pytest.mark.parametrize("address", ["9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "223.255.255.255"])
def test_the_neighbours_of_reserved_ranges_are_public(lookup: IpLookup, address: str) -> None:
    """A range that is one address too large would call somebody's customers nobody."""
    assert lookup.facts(address).kind != "reserved"


def test_tor_and_vpn_are_told_apart_from_hosting(lookup: IpLookup) -> None:
    """A known exit of each, found in the table itself, since exits come and go."""
    known = iporigin._data.dataset()
    for wanted, reputations in (("tor", {90.0}), ("vpn", {40.0, 15.0})):
        first = next(
            first
            for first, label in zip(known.v4_starts, known.v4_labels, strict=True)
            if known.labels[label][1] == wanted
        )
        found = lookup.facts(str(ipaddress.IPv4Address(first)))
        assert found.kind == wanted
        assert found.reputation in reputations


def test_kinds_agree_with_the_librarys_own_answer(lookup: IpLookup) -> None:
    """We read its table directly for speed; two thousand of its edges show that we read it rightly."""
    known, rng = iporigin._data.dataset(), random.Random(5)
    edges = [edge for pair in zip(known.v4_starts, known.v4_ends, strict=True) for edge in (pair[0], pair[1] + 1)]
    for edge in rng.sample(edges, 2_000):
        address = str(ipaddress.IPv4Address(edge))
        theirs = iporigin.classify(address).kind
        assert lookup.facts(address).kind == KINDS.get(theirs, "unknown"), address


def test_reserved_means_what_python_means(lookup: IpLookup) -> None:
    """The standard library agrees on every range, but for those that its older versions think of as public."""
    public = {"224.0.0.0/4", "192.88.99.0/24", "2002::/16", "8000::/1", "4000::/2", "::/3", "3fff::/20"}
    for text in RESERVED:
        network = ipaddress.ip_network(text)
        assert lookup.facts(str(network.network_address)).kind == "reserved"
        assert lookup.facts(str(network.broadcast_address)).kind == "reserved"
        assert text in public or not network.network_address.is_global


def test_an_operators_list_marks_its_networks_and_no_more(mini_tables: Path, tmp_path: Path) -> None:
    """CIDRs and single addresses of both families, comments, overlapping entries; both sides of each edge."""
    lookup = opened(
        mini_tables,
        tmp_path,
        listed="# our traps\n1.0.0.128/25\n1.0.0.192/26 # inside it\n\n81.2.69.161\n2a02:8206:3933::/48\n",
    )
    marked = ["1.0.0.128", "1.0.0.255", "81.2.69.161", "2a02:8206:3933::1", "::ffff:1.0.0.200"]
    clean = ["1.0.0.127", "1.0.1.0", "81.2.69.160", "81.2.69.162", "2a02:8206:3934::"]
    assert [lookup.facts(ip).is_listed for ip in marked] == [True] * 5
    assert [lookup.facts(ip).is_listed for ip in clean] == [False] * 5
    assert {lookup.facts(ip).reputation for ip in marked} == {95.0}
    assert lookup.facts("1.0.0.128").city == "Brisbane"


@pytest.mark.parametrize("line", ["1.0.0.1/24", "300.1.1.1", "example.com", "1.0.0.0-1.0.0.9", "1.0.0.0 255.0.0.0"])
def test_half_a_list_is_no_list(mini_tables: Path, tmp_path: Path, line: str) -> None:
    """A line that is no network stops the start and is named."""
    with pytest.raises(BadNetworkFile, match=r"listed\.txt, line 2"):
        opened(mini_tables, tmp_path, listed=f"1.0.0.0/24\n{line}\n")


def test_a_missing_list_stops_the_start(mini_tables: Path, tmp_path: Path) -> None:
    """A list that silently lists nothing protects nobody."""
    with pytest.raises(BadNetworkFile):
        IpLookup.open(mini_tables, cache_dir=tmp_path / "cache", listed=[tmp_path / "absent"])


def test_an_overlay_says_what_its_networks_are(mini_tables: Path, tmp_path: Path) -> None:
    """The demo's documentation networks, as the walk needs them."""
    lookup = IpLookup.open(mini_tables, cache_dir=tmp_path / "cache", overlays=[DEMO_NETWORKS])
    home, away, last, worst = lookup.facts_many(["198.51.100.9", "192.0.2.7", "203.0.113.127", "203.0.113.128"])
    assert (home.asn, home.asn_name, home.country, home.city, home.kind) == (
        64500, "Example Cable", "US", "San Jose", "residential")  # fmt: skip
    assert (away.asn, away.country, away.city, away.reputation) == (64501, "DE", "Berlin", 5.0)
    assert (last.asn, last.country, last.reputation, last.is_listed) == (64502, "BR", 15.0, False)
    assert (worst.asn, worst.country, worst.reputation) == (64511, "RU", 95.0)
    assert (worst.kind, worst.is_listed) == ("hosting", True)


def test_without_the_overlay_documentation_networks_are_nobodys(lookup: IpLookup) -> None:
    """The demo's places exist in the demo profile only."""
    found = lookup.facts("198.51.100.9")
    assert (found.country, found.asn, found.kind) == ("", 0, "reserved")


def test_the_smaller_overlay_wins_and_what_it_leaves_out_stays(mini_tables: Path, tmp_path: Path) -> None:
    """An overlay of kind alone keeps place and operator; nesting is by size, not by order."""
    lookup = opened(
        mini_tables,
        tmp_path,
        listed="1.0.0.7\n",
        overlay='[[network]]\ncidr = "1.0.0.0/28"\nkind = "vpn"\nreputation = 50\n\n'
        '[[network]]\ncidr = "1.0.0.0/24"\ncountry = "NZ"\n',
    )
    inner, outer, listed = lookup.facts_many(["1.0.0.1", "1.0.0.16", "1.0.0.7"])
    assert (inner.kind, inner.reputation, inner.city, inner.asn) == ("vpn", 50.0, "Brisbane", 13335)
    assert (outer.country, outer.city, outer.latitude, outer.asn) == ("NZ", "", None, 13335)
    assert (listed.is_listed, listed.reputation) == (True, 50.0)


@pytest.mark.parametrize(
    "text",
    [
        "[[network]]\nasn = 1\n",
        '[[network]]\ncidr = "1.0.0.0/24"\ncolour = "red"\n',
        '[[network]]\ncidr = "1.0.0.1/24"\n',
        '[[network]]\ncidr = "1.0.0.0/24"\nreputation = 101\n',
        '[[network]]\ncidr = "1.0.0.0/24"\nlatitude = nan\n',
        '[[network]]\ncidr = "1.0.0.0/24"\nkind = "nice"\n',
        "[[network\n",
    ],
)
def test_an_overlay_that_is_not_understood_stops_the_start(mini_tables: Path, tmp_path: Path, text: str) -> None:
    """A misspelt word must not quietly mean nothing."""
    with pytest.raises(BadNetworkFile, match=r"overlay\.toml"):
        opened(mini_tables, tmp_path, overlay=text)


def test_harmed_tables_leave_place_unknown_and_the_rest_at_work(mini_tables: Path, tmp_path: Path) -> None:
    """Fails open, says so, and still knows a reserved and a hosting address."""
    path = mini_tables / FILE_NAME
    path.write_bytes(path.read_bytes()[:-1])
    lookup = IpLookup.open(mini_tables, cache_dir=tmp_path / "cache")
    found = lookup.facts("81.2.69.161")
    assert (found.country, found.asn, found.prefix) == ("", 0, "81.2.69.0/24")
    assert lookup.facts("52.95.110.1").kind == "hosting"
    assert lookup.describe()["status"] == "unavailable"
    assert lookup.describe()["code"] == "ip_table_corrupt"
    assert lookup.age_days(0.0) is None


def test_a_cache_that_cannot_be_written_leaves_place_unknown(mini_tables: Path, tmp_path: Path) -> None:
    """A file where the directory should be: said, not crashed."""
    (tmp_path / "cache").write_text("in the way")
    lookup = IpLookup.open(mini_tables, cache_dir=tmp_path / "cache")
    assert lookup.problem is not None
    assert lookup.problem.code == "ip_table_unwritable"


def test_good_tables_describe_themselves(lookup: IpLookup) -> None:
    """Date, rows and attribution, for /ready and the console."""
    told = lookup.describe()
    assert (told["status"], told["city"]["date"], told["rows"]["asn_number"]) == ("ready", "2026-06-05", 5)
    assert lookup.operator_name(4134) == "Chinanet"


def test_claims_cover_every_address_of_a_family() -> None:
    """The first and the last address have a claim as any other."""
    for version, last in ((4, 2**32 - 1), (6, 2**64 - 1)):
        claims = laid_over(version, listed=[], overlays=[])
        assert claims.at(0).kind == claims.at(last).kind == "reserved"


def test_memory_of_answers_is_bounded_and_keeps_what_is_used() -> None:
    """Strangers' addresses push each other out, not the one that is asked for again and again."""
    recent: RecentValues[int] = RecentValues(10)
    recent.keep("mine", 1)
    for number in range(1_000):
        recent.keep(f"stranger {number}", number)
        assert recent.get("mine") == 1
    assert len(recent) <= 20
    assert recent.get("stranger 0") is None
