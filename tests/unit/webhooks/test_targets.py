"""A webhook goes outside or nowhere."""

from collections.abc import Sequence

import pytest

from webhooks.targets import Target, TargetRefused, is_inside, parse_target, pinned_addresses

pytestmark = pytest.mark.anyio

INSIDE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1
198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1
100::1 2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1
5f00::1 2a00:1450::5efe:127.0.0.1 2a00:1450::200:5efe:10.0.0.1
fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 feff::1 ff02::1 ff0e::1
""".split()  # noqa: SIM905 - a table is read in rows

OUTSIDE = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 169.253.255.255
169.255.0.1 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.255
2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00:1450:4001::1 2a00:1450::5efd:127.0.0.1
""".split()  # noqa: SIM905 - a table is read in rows


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_a_stranger_cannot_reach_is_inside(address: str) -> None:
    """Private, local, reserved, documentation, multicast, and every way to write an IPv4 address in an IPv6 one."""
    assert is_inside(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_address_next_to_a_closed_network_is_outside(address: str) -> None:
    """The other side of each boundary."""
    assert not is_inside(address)


INSIDE_URLS = """
https://localhost/ https://LOCALHOST/ https://localhost./ https://a.localhost/ https://printer.local/
https://metadata.google.internal/ https://nas.home.arpa/
https://127.0.0.1/ https://127.1/ https://127.0.1/ https://2130706433/ https://0x7f000001/ https://0x7f.0.0.1/
https://017700000001/ https://0177.0.0.1/ https://0/ https://0.0.0.0/ https://10.1/ https://169.254.169.254/latest/
https://192.168.0.1:8443/ https://127.0.0.1./ https://[::1]/ https://[::]/ https://[::ffff:127.0.0.1]/
https://[::ffff:7f00:1]/ https://[0:0:0:0:0:ffff:10.0.0.1]/ https://[64:ff9b::10.0.0.1]/ https://[2002:7f00:1::]/
https://[fe80::1]/ https://[fec0::1]/ https://[fd00::1]/ https://[ff02::1]/ https://[2001:db8::1]/
https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/ https://100.64.0.1/ https://198.18.0.1/ https://203.0.113.7/
""".split()  # noqa: SIM905 - a table is read in rows


@pytest.mark.parametrize("url", INSIDE_URLS)
def test_a_url_that_points_inside_is_refused_by_its_text(url: str) -> None:
    """In whatever spelling the C library would take for an address."""
    with pytest.raises(TargetRefused) as refused:
        parse_target(url, allow_private=False)
    assert refused.value.code == "inside"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/", "not_https"),
        ("ftp://hooks.example.com/", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("gopher://x/", "bad_url"),
        ("//hooks.example.com/", "bad_url"),
        ("hooks.example.com", "bad_url"),
        ("https://", "bad_url"),
        ("https:///path", "bad_url"),
        ("https://user@hooks.example.com/", "bad_url"),
        ("https://user:pass@hooks.example.com/", "bad_url"),
        ("https://hooks.example.com@127.0.0.1/", "bad_url"),
        ("https://hooks.example.com\\@127.0.0.1/", "bad_url"),
        ("https://hooks.example.com /", "bad_url"),
        ("https://hooks.example.com/\r\nx: y", "bad_url"),
        ("https://hooks.exämple.com/", "bad_url"),
        ("https://127。0。0。1/", "bad_url"),
        ("https://①②⑦.0.0.1/", "bad_url"),
        ("https://hooks.example.com:0/", "bad_url"),
        ("https://hooks.example.com:99999/", "bad_url"),
        ("https://hooks.example.com:x/", "bad_url"),
        ("https://%31%32%37.0.0.1/", "bad_url"),
        ("https://[fe80::1%25eth0]/", "bad_url"),
        ("https://[::1", "bad_url"),
        ("https://[v1.x]/", "bad_url"),
        ("", "bad_url"),
    ],
)
def test_a_url_that_two_readers_could_take_differently_is_refused(url: str, code: str) -> None:
    """Only plain https URLs in ASCII, without credentials, pass."""
    with pytest.raises(TargetRefused) as refused:
        parse_target(url, allow_private=False)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com/in?a=b", Target("https", "hooks.example.com", 443)),
        ("https://HOOKS.example.com:8443/", Target("https", "hooks.example.com", 8443)),
        ("https://8.8.8.8/", Target("https", "8.8.8.8", 443)),
        ("https://[2606:4700::1]/", Target("https", "2606:4700::1", 443)),
        ("https://xn--bcher-kva.example/", Target("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_a_plain_url_passes(url: str, target: Target) -> None:
    """Any port, any public name or address."""
    assert parse_target(url, allow_private=False) == target


def test_the_demo_may_send_to_this_very_machine() -> None:
    """Without TLS, too; the form is still checked."""
    assert parse_target("http://127.0.0.1:9900/hook", allow_private=True) == Target("http", "127.0.0.1", 9900)
    with pytest.raises(TargetRefused):
        parse_target("http://a@127.0.0.1/", allow_private=True)


async def resolved(*addresses: str, allow_private: bool = False) -> Sequence[str]:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return addresses

    target = Target("https", "hooks.example.com", 443)
    return await pinned_addresses(target, allow_private=allow_private, resolver=resolver)


async def test_a_name_that_points_outside_is_pinned_to_its_addresses() -> None:
    """What was checked is what is connected to."""
    assert list(await resolved("8.8.8.8", "2606:4700::1")) == ["8.8.8.8", "2606:4700::1"]


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_that_points_inside_is_refused(address: str) -> None:
    """Alone, or hidden among good addresses."""
    for addresses in ((address,), ("8.8.8.8", address), (address, "8.8.8.8")):
        with pytest.raises(TargetRefused, match="inside"):
            await resolved(*addresses)


async def test_a_name_without_an_address_is_unresolved() -> None:
    """An empty answer of the resolver is no answer."""
    with pytest.raises(TargetRefused, match="unresolved"):
        await resolved()


@pytest.mark.parametrize("error", [OSError(), UnicodeError()])
async def test_a_resolver_that_fails_is_unresolved(error: Exception) -> None:
    """A label of 64 characters is a UnicodeError, an unknown name an OSError."""

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        raise error

    with pytest.raises(TargetRefused, match="unresolved"):
        await pinned_addresses(Target("https", "x.example", 443), allow_private=False, resolver=resolver)


async def test_the_machines_own_resolver_is_asked() -> None:
    """An address is its own answer."""
    assert list(await pinned_addresses(Target("https", "127.0.0.1", 443), allow_private=True)) == ["127.0.0.1"]
