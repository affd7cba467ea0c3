"""Which hop of the way is the client: chains as proxies write them, and as strangers forge them."""

from ipaddress import ip_network

import pytest

from auth_gateway.core.forwarded import LONGEST_HOP, MOST_HOPS, Seen, client_address, is_trusted_peer

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
PEER = "10.0.0.1"
MALFORMED, HIDDEN = Seen(PEER, "malformed"), Seen(PEER, "hidden")
CLIENT = Seen("203.0.113.5")
XFF = "x-forwarded-for"


def shown(value: object) -> str:
    return repr(value)[:60]


def seen(header: str, *values: str, peer: str = PEER) -> Seen:
    return client_address(peer, values, PROXIES, header=header)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("203.0.113.5", CLIENT),
        ("1.1.1.1, 203.0.113.5", CLIENT),  # the left one was written by a stranger
        ("1.1.1.1, 203.0.113.5, 10.0.0.2", CLIENT),
        ("203.0.113.5,10.0.0.2,10.0.0.3,fd00::7", CLIENT),
        ("10.0.0.9, 203.0.113.5, 10.0.0.2", CLIENT),  # a stranger who names our own network hides nothing
        ("127.0.0.1, 203.0.113.5", CLIENT),
        ("nonsense, 203.0.113.5", CLIENT),  # what stands left of the client is never read
        ('for="1.1.1.1, 203.0.113.5', CLIENT),
        ('", 203.0.113.5', CLIENT),  # quotes mean nothing here
        ("x" * 60_000 + ", 203.0.113.5", CLIENT),
        ("," * 60_000 + "203.0.113.5", CLIENT),
        ("\t203.0.113.5 ", CLIENT),
        ("203.0.113.5:443", CLIENT),  # Azure's gateways add the port
        ("[2001:db8::5]:443", Seen("2001:db8::5")),
        ("[2001:db8::5]", Seen("2001:db8::5")),
        ("2001:DB8:0::5", Seen("2001:db8::5")),
        ("::ffff:203.0.113.5", CLIENT),
        ("10.0.0.3, 10.0.0.2", Seen("10.0.0.3")),  # somebody inside
        ("", MALFORMED),
        (" ", MALFORMED),
        (",,,", MALFORMED),
        ("203.0.113.5,", MALFORMED),
        ("203.0.113.5, nonsense", MALFORMED),
        ("203.0.113.5, nonsense, 10.0.0.2", MALFORMED),
        ("203.0.113.5 1.1.1.1", MALFORMED),
        ("203.0.113.5;1.1.1.1", MALFORMED),
        ("198.01.100.9", MALFORMED),  # octal to some readers
        ("3405803781", MALFORMED),
        ("0xcb007105", MALFORMED),
        ("203.0.113", MALFORMED),
        ("203.0.113.5.1", MALFORMED),
        ("203.0.113.256", MALFORMED),
        ("203.0.113.5:", MALFORMED),
        ("203.0.113.5:65536", MALFORMED),
        ("203.0.113.5:443:443", MALFORMED),
        ("203.0.113.5%eth0", MALFORMED),
        ("fe80::1%eth0", MALFORMED),  # a zone is of another machine
        ("[203.0.113.5]", MALFORMED),
        ("[2001:db8::5", MALFORMED),
        ("2001:db8::5]", MALFORMED),
        ("[2001:db8::5]x", MALFORMED),
        ("[2001:db8::5]443", MALFORMED),
        ("2001:db8::5::1", MALFORMED),
        ("\xa0203.0.113.5", MALFORMED),
        ("２03.0.113.5", MALFORMED),
        ("203.0.113.5\x00", MALFORMED),
        ('"203.0.113.5"', MALFORMED),
        ("for=203.0.113.5", MALFORMED),
        ("localhost", MALFORMED),
        ("203.0.113.5" + " " * LONGEST_HOP, MALFORMED),
        ("unknown", HIDDEN),  # as Squid writes it
        ("203.0.113.5, unknown", HIDDEN),
    ],
    ids=shown,
)
def test_a_chain_of_x_forwarded_for(value: str, expected: Seen) -> None:
    """A client cannot choose its address, and what cannot be read is not believed."""
    assert seen(XFF, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=203.0.113.5", CLIENT),
        ("For=203.0.113.5;Proto=https;BY=10.0.0.1", CLIENT),
        ("by=10.0.0.1;for=203.0.113.5", CLIENT),
        ('for="203.0.113.5:4711"', CLIENT),
        ('for="203.0.113.5:_port"', CLIENT),
        ('for="[2001:db8::5]"', Seen("2001:db8::5")),
        ('for="[2001:db8::5]:4711";proto=https', Seen("2001:db8::5")),
        ('for="\\203.0.113.5"', CLIENT),  # a quoted pair is the character itself
        ('for="[::ffff:203.0.113.5]"', CLIENT),
        ("for=1.1.1.1, for=203.0.113.5", CLIENT),
        ("for=1.1.1.1,for=203.0.113.5;proto=https , for=10.0.0.2", CLIENT),
        ('for=1.1.1.1, for=203.0.113.5;host="a, for=8.8.8.8"', CLIENT),  # a comma in quotes ends nothing
        ('for=1.1.1.1, for=203.0.113.5;host="a\\", for=8.8.8.8"', CLIENT),
        ('for="1.1.1.1, for=203.0.113.5', CLIENT),  # a quote that a stranger left open swallows nothing
        ('for="1.1.1.1\\, for=203.0.113.5', CLIENT),
        ('for="1.1.1.1;host="x, for=203.0.113.5', CLIENT),
        ('", for=203.0.113.5;host="x"', CLIENT),
        ("nonsense, for=203.0.113.5", CLIENT),
        ("for=203.0.113.5, for=fd00::1", MALFORMED),  # IPv6 stands in quotes and brackets
        ('for=203.0.113.5, for="fd00::1"', MALFORMED),
        ('for=203.0.113.5, for="[fd00::1]"', CLIENT),
        ("for=10.0.0.3, for=10.0.0.2", Seen("10.0.0.3")),
        ("for=unknown", HIDDEN),
        ("for=UNKNOWN", HIDDEN),
        ('for="unknown:4711"', HIDDEN),
        ("for=_hidden", HIDDEN),
        ("for=203.0.113.5, for=_SEVKISEK", HIDDEN),
        ("for=unknown, for=203.0.113.5", CLIENT),
        ("for=_a, for=203.0.113.5, for=10.0.0.2", CLIENT),
        ("", MALFORMED),
        ("203.0.113.5", MALFORMED),
        ("for=", MALFORMED),
        ("for=_", MALFORMED),
        ('for=""', MALFORMED),
        ("proto=https", MALFORMED),  # our own proxy, and it does not say for whom
        ("for=203.0.113.5, proto=https", MALFORMED),
        ("for=203.0.113.5:4711", MALFORMED),  # a colon stands in quotes
        ("for=[2001:db8::5]", MALFORMED),
        ('for="2001:db8::5"', MALFORMED),
        ('for="[2001:db8::5"', MALFORMED),
        ('for="203.0.113.5', MALFORMED),
        ('for=203.0.113.5"', MALFORMED),
        ('for="203.0.113.5"x', MALFORMED),
        ("for=203.0.113.5;for=1.1.1.1", MALFORMED),
        ("for=203.0.113.5;FOR=203.0.113.5", MALFORMED),
        ("for=203.0.113.5;", MALFORMED),
        (";for=203.0.113.5", MALFORMED),
        ("for=203.0.113.5;;proto=https", MALFORMED),
        ("for = 203.0.113.5", MALFORMED),
        ("for=203.0.113.5; proto=https", MALFORMED),
        ("for=203.0.113.5 proto=https", MALFORMED),
        ('for="203.0.113.5:65536"', MALFORMED),
        ('for="203.0.113.5:"', MALFORMED),
        ("for=203.0.113.256", MALFORMED),
        ('for="fe80::1%eth0"', MALFORMED),
        ("for=203.0.113.5,", MALFORMED),
        ("for=203.0.113.5;x=" + "y" * LONGEST_HOP, MALFORMED),
    ],
    ids=shown,
)
def test_a_chain_of_forwarded(value: str, expected: Seen) -> None:
    """RFC 7239 to the letter, from the right."""
    assert seen("forwarded", value) == expected


@pytest.mark.parametrize("header", ["x-real-ip", "cf-connecting-ip", "true-client-ip"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["203.0.113.5"], CLIENT),
        ([" 2001:db8::5\t"], Seen("2001:db8::5")),
        (["10.0.0.7"], Seen("10.0.0.7")),
        ([], Seen(PEER)),
        (["1.1.1.1", "203.0.113.5"], MALFORMED),  # a proxy that adds a line to the stranger's own
        (["203.0.113.5", "203.0.113.5"], MALFORMED),
        (["1.1.1.1, 203.0.113.5"], MALFORMED),
        (["for=203.0.113.5"], MALFORMED),
        ([""], MALFORMED),
        (["unknown"], HIDDEN),
    ],
    ids=shown,
)
def test_a_header_of_one_address(header: str, values: list[str], expected: Seen) -> None:
    """It has exactly one, or it is not believed."""
    assert seen(header, *values) == expected


@pytest.mark.parametrize("header", [XFF, "forwarded", "x-real-ip"])
@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("198.51.100.9", "198.51.100.9"),
        ("11.0.0.0", "11.0.0.0"),  # one past our network
        ("9.255.255.255", "9.255.255.255"),
        ("fe00::1", "fe00::1"),
        ("", ""),
        ("a-socket", ""),
    ],
)
def test_a_strangers_own_header_is_a_claim(header: str, peer: str, expected: str) -> None:
    """Neither read nor counted when the connection does not come from a proxy of ours."""
    for value in ("203.0.113.5", "for=203.0.113.5", "nonsense", ""):
        assert seen(header, value, peer=peer) == Seen(expected)


@pytest.mark.parametrize("peer", ["10.0.0.0", "10.255.255.255", "::ffff:10.0.0.1", "fd00::1", "fd00::1%eth0"])
def test_our_own_proxies_are_believed(peer: str) -> None:
    """On a dual-stack socket too, and on a link of this machine."""
    assert seen(XFF, "203.0.113.5", peer=peer) == CLIENT
    assert is_trusted_peer(peer, PROXIES)


def test_several_lines_are_one_way() -> None:
    """The proxy's line comes last, whatever stands in those before it (RFC 9110, section 5.3)."""
    assert seen(XFF, "1.1.1.1", "203.0.113.5") == CLIENT
    assert seen(XFF, "203.0.113.5", "10.0.0.2") == CLIENT
    assert seen("forwarded", 'for="1.1.1.1', "for=203.0.113.5") == CLIENT
    assert seen(XFF, "203.0.113.5", "") == MALFORMED


def test_no_header_is_read_where_none_is_configured() -> None:
    """For a gateway whose connections tell the address themselves."""
    assert seen("none", "203.0.113.5") == Seen(PEER)


def test_only_the_nearest_hops_are_read() -> None:
    """A header of a hundred thousand hops costs no more than one of 32."""
    ours = ",".join(["10.0.0.2"] * (MOST_HOPS - 1))
    assert seen(XFF, f"203.0.113.5,{ours}") == CLIENT
    assert seen(XFF, f"203.0.113.5,10.0.0.2,{ours}") == Seen("10.0.0.2")
    assert seen(XFF, "203.0.113.5," + ",".join(["10.0.0.2"] * 100_000)) == Seen("10.0.0.2")


def test_backslashes_without_end_cost_little() -> None:
    """A hop is read within its bound."""
    assert seen("forwarded", '"' + "\\" * 60_000 + '"') == MALFORMED
    assert seen("forwarded", '\\"' * 30_000) == MALFORMED
