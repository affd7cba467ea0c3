"""What is believed of a request's circumstances."""

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from auth_gateway.api.bodies import VouchedFacts
from auth_gateway.api.edge import Edge
from auth_gateway.core.context import Client, LoginContext
from plumbing.refusals import Refused
from plumbing.tally import Tally

JA4 = "t13d1516h2_8daaf6152771_e5627efa2ab1"
NOW = 1_800_000_000.0
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
PUBLIC = Client(client_id="public")
FIRST_PARTY = Client(client_id="app", may_vouch=True)


def request(peer: str | None = "198.51.100.9", **headers: str | bytes) -> Request:
    pairs = [
        (name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]
    return Request({"type": "http", "client": (peer, 1) if peer else None, "headers": pairs})


def seen(given: Request, body: VouchedFacts | None = None, *, client: Client = PUBLIC) -> LoginContext:
    edge = Edge(trusted_networks=PROXIES, anyone_may_vouch=False)
    return edge.context(given, body or VouchedFacts(), client=client, device_id="dev_1", now=NOW)


def edge(tally: Tally, **given: str) -> Edge:
    return Edge(trusted_networks=PROXIES, anyone_may_vouch=False, unbelieved=tally, **given)


def counts(tally: Tally) -> dict[str, float]:
    return {kind: count for (kind,), count in tally.readings()}


def refusal(body: VouchedFacts, client: Client = FIRST_PARTY) -> Refused:
    with pytest.raises(Refused) as refused:
        seen(request(), body, client=client)
    return refused.value


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("198.51.100.9", "1.2.3.4", "198.51.100.9"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "1.2.3.4, 5.6.7.8", "5.6.7.8"),
        ("10.0.0.1", "1.2.3.4, 5.6.7.8, 10.9.9.9", "5.6.7.8"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "1.2.3.4, junk", "10.0.0.1"),
        (None, "1.2.3.4", ""),
        ("a-unix-socket", "1.2.3.4", ""),
    ],
)
def test_the_address_is_the_last_hop_that_is_not_ours(peer: str | None, forwarded: str, ip: str) -> None:
    """What stands left of it was written by a stranger."""
    assert seen(request(peer, x_forwarded_for=forwarded)).ip == ip


def test_two_forwarding_headers_are_one_way() -> None:
    """A stranger's own header comes first and is read last."""
    pairs = [(b"x-forwarded-for", b"9.9.9.9"), (b"x-forwarded-for", b"1.2.3.4")]
    given = Request({"type": "http", "client": ("10.0.0.1", 1), "headers": pairs})
    assert seen(given).ip == "1.2.3.4"


def test_one_of_several_fingerprints_is_none() -> None:
    """A proxy that appends leaves the stranger's own word first, so neither is believed."""
    pairs = [(b"x-ja4", JA4.encode()), (b"x-ja4", JA4.encode())]
    assert seen(Request({"type": "http", "client": ("10.0.0.1", 1), "headers": pairs})).ja4 is None


def test_a_proxy_on_a_dual_stack_socket_is_still_the_proxy() -> None:
    """`::ffff:10.0.0.1` is 10.0.0.1."""
    assert seen(request("::ffff:10.0.0.1", x_ja4=JA4)).ja4 == JA4


@pytest.mark.parametrize(("peer", "ja4"), [("10.0.0.1", JA4), ("198.51.100.9", None), (None, None)])
def test_fingerprints_count_from_our_proxies_alone(peer: str | None, ja4: str | None) -> None:
    """Anybody can send a header."""
    assert seen(request(peer, x_ja4=JA4)).ja4 == ja4


@pytest.mark.parametrize("header", ["x" * 257, "", b"\xff\xfe", b"a\x00b", b"a\tb"])
def test_a_fingerprint_that_is_no_text_is_none(header: str | bytes) -> None:
    """Missing is a value of its own."""
    context = seen(request("10.0.0.1", x_ja4=header, x_ja4h=header, x_ja4s=header))
    assert (context.ja4, context.ja4h, context.ja4s) == (None, None, None)


@pytest.mark.parametrize(
    "header", ["-", "unknown", JA4[:-1], JA4 + "0", JA4.upper(), "e7d705a3286e19ea42f587b344ee6865"]
)
def test_what_has_not_the_form_of_a_ja4_is_none_and_counted(header: str) -> None:
    """A proxy's word for "none" would be one fingerprint that all clients share; a JA3 is none either."""
    tally = Tally("edge")
    given = request("10.0.0.1", x_ja4=header, x_ja4h="-", x_ja4s="opaque")
    context = edge(tally).context(given, VouchedFacts(), client=PUBLIC, device_id="", now=NOW)
    assert (context.ja4, context.ja4h, context.ja4s) == (None, "-", "opaque")
    assert counts(tally) == {"ja4_malformed": 1}


@pytest.mark.parametrize(("name", "believed"), [("cf-ja4", True), ("x-ja4", False), ("none", False)])
def test_one_header_alone_tells_the_fingerprint(name: str, believed: bool) -> None:
    """An edge that has a header of its own does not strip a stranger's `X-JA4`, `X-JA4H` and `X-JA4S`."""
    given = request("10.0.0.1", **{name: JA4}, x_ja4h="ge11", x_ja4s="t13")
    configured = "none" if name == "none" else "cf-ja4"
    context = edge(Tally("edge"), ja4_header=configured).context(
        given, VouchedFacts(), client=PUBLIC, device_id="", now=NOW
    )
    assert (context.ja4, context.ja4h, context.ja4s) == (JA4 if believed else None, None, None)


def test_one_header_alone_tells_the_address() -> None:
    """A proxy that writes one header leaves the stranger's word in the other."""
    given = request("10.0.0.1", x_forwarded_for="1.1.1.1", x_real_ip="2.2.2.2", forwarded="for=3.3.3.3")
    addresses = [
        edge(Tally("edge"), forwarded_header=header).address(given)
        for header in ("x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "none")
    ]
    assert addresses == ["1.1.1.1", "2.2.2.2", "3.3.3.3", "10.0.0.1", "10.0.0.1"]


def test_what_our_proxies_say_and_nobody_can_read_is_counted() -> None:
    """A proxy that is set up wrong shows; what strangers send is not counted."""
    tally = Tally("edge")
    for value in ("nonsense", "nonsense", "unknown", "1.2.3.4"):
        edge(tally).address(request("10.0.0.1", x_forwarded_for=value))
    edge(tally).address(request("198.51.100.9", x_forwarded_for="nonsense", x_ja4="nonsense"))
    assert counts(tally) == {"address_malformed": 2, "address_hidden": 1}


def test_a_user_agent_is_cut_and_cleaned() -> None:
    """It is stored and shown; control characters could forge a line of the log."""
    assert seen(request(user_agent=b"a\x00b\x1b[2Jc")).user_agent == "ab[2Jc"
    assert len(seen(request(user_agent="M" * 6000)).user_agent) == 2048
    assert seen(request()).user_agent == ""


@pytest.mark.parametrize("client", [PUBLIC, Client(client_id="app", may_see_scores=True)])
@pytest.mark.parametrize("field", VouchedFacts.__struct_fields__)
def test_context_is_refused_from_whoever_may_not_vouch(field: str, client: Client) -> None:
    """Each field alone is enough; empty text says something too."""
    value: object = {"asn": 0, "ip_rep": 0.0, "timestamp": 0}.get(field, "")
    refused = refusal(VouchedFacts(**{field: value}), client)
    assert (refused.code, refused.status, refused.evidence) == ("context_not_allowed", 400, {"fields": [field]})


def test_vouched_facts_replace_what_we_see_and_the_rest_stays() -> None:
    """A first-party client stands between us and the person."""
    body = VouchedFacts(ip="203.0.113.5", city="Berlin", device_id="phone", timestamp=1e9)
    context = seen(request(user_agent="App/1"), body, client=FIRST_PARTY)
    assert (context.ip, context.city, context.device_id, context.timestamp) == ("203.0.113.5", "Berlin", "phone", 1e9)
    assert (context.user_agent, context.client_id, context.is_vouched) == ("App/1", "app", True)


@pytest.mark.parametrize(
    ("ip", "canonical"),
    [("1.2.3.4", "1.2.3.4"), ("::ffff:1.2.3.4", "1.2.3.4"), ("2001:DB8::0:1", "2001:db8::1"), ("::1", "::1")],
)
def test_an_address_has_one_form(ip: str, canonical: str) -> None:
    """What is counted and compared is always the same text."""
    assert seen(request(), VouchedFacts(ip=ip), client=FIRST_PARTY).ip == canonical


@pytest.mark.parametrize(
    "ip",
    [
        *("198.01.100.9", "198.51.100", "198.51.100.256", "", " 1.2.3.4", "1.2.3.4\n", "localhost", "::1%eth0"),
        *("1.2.3.4/32", "0x7f.1", "2130706433", "\uff11.2.3.4", "1.2.3.4\0", "::ffff:1.2.3.04"),
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(ip: str) -> None:
    """422 and the name of the field; the value is not repeated."""
    refused = refusal(VouchedFacts(ip=ip))
    assert (refused.code, refused.status, refused.evidence) == ("invalid_ip", 422, {"field": "$.ip"})
    assert not ip or ip not in refused.message


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [
        ("2025-08-09T12:34:56Z", 1754742896.0),
        ("2025-08-09T14:34:56+02:00", 1754742896.0),
        ("2025-08-09T12:34:56", 1754742896.0),
        (1754742896, 1754742896.0),
        (1754742896.5, 1754742896.5),
        (946_684_800, 946_684_800.0),
    ],
)
def test_a_vouched_time_is_iso_or_epoch(timestamp: str | float, seconds: float) -> None:
    """UTC unless it says otherwise."""
    assert seen(request(), VouchedFacts(timestamp=timestamp), client=FIRST_PARTY).timestamp == seconds


@pytest.mark.parametrize(
    "timestamp",
    [
        "yesterday",
        "",
        -1,
        0,
        946_684_799,
        4_102_444_800,
        1e300,
        10**400,
        float("nan"),
        "9999-12-31T23:59:59Z",
        "1900-01-01",
        "0001-01-01T00:00:00Z",
    ],
)
def test_a_time_that_is_none_is_refused(timestamp: str | float) -> None:
    """422 and the name of the field."""
    refused = refusal(VouchedFacts(timestamp=timestamp))
    assert (refused.code, refused.status, refused.evidence) == ("invalid_timestamp", 422, {"field": "$.timestamp"})


@pytest.mark.parametrize("field", ["user_agent", "device_id", "country", "region", "city", "ja4", "ja4h", "ja4s"])
def test_text_with_nul_is_refused(field: str) -> None:
    """The scorer would refuse it, and no honest client sends it."""
    assert refusal(VouchedFacts(**{field: "a\0b"})).evidence == {"field": f"$.{field}"}
