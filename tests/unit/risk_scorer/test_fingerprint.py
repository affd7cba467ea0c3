"""The grammar of JA4, and whether a fingerprint fits the browser that is claimed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk_scorer.contract.ja4 import parse
from risk_scorer.core.facts import NO_AGENT_FACTS, NO_FINGERPRINT_FACTS, AgentFacts, FingerprintFacts
from risk_scorer.core.fingerprint import agrees, claimed_client, contradicts

CHROME = AgentFacts(browser="Chrome", browser_version="124", os="Windows", device_type="desktop")
FIREFOX = AgentFacts(browser="Firefox", browser_version="125", os="Linux", device_type="desktop")
CHROME_ON_IPHONE = AgentFacts(browser="Chrome Mobile iOS", browser_version="124", os="iOS", device_type="mobile")
APP_ON_IPHONE = AgentFacts(browser="Example", browser_version="1", os="iOS", device_type="mobile")
CURL = AgentFacts(browser="curl", browser_version="8", device_type="bot", is_bot=True)


def shake(client: str | None = None, *, version: str = "1.3", alpn: str = "h2") -> FingerprintFacts:
    return FingerprintFacts(parses=True, tls_version=version, alpn=alpn, client=client)


def test_a_published_fingerprint_is_read_part_by_part() -> None:
    """The example of FoxIO's technical details."""
    found = parse("t13d1516h2_8daaf6152771_e5627efa2ab1")
    assert found is not None
    assert (found.transport, found.tls_version, found.has_server_name) == ("t", "1.3", True)
    assert (found.ciphers, found.extensions, found.alpn) == (15, 16, "h2")
    assert (found.cipher_hash, found.extension_hash) == ("8daaf6152771", "e5627efa2ab1")


@pytest.mark.parametrize(
    "text",
    [
        "q13d0312h3_55b375c5d22e_06cda9e17597",
        "t12i190700_d83cc789557e_16bbda4055b2",
        "t00d880900_fcb5b95cb75a_b0d3b4ac2a14",
        "dd2d1516h2_8daaf6152771_e5627efa2ab1",
        "t13i000000_000000000000_000000000000",
        "ts3d1516h2_8daaf6152771_000000000000",
    ],
)
def test_what_a_hello_can_be_parses(text: str) -> None:
    """TCP, QUIC and DTLS, with and without a server name, down to an empty hello."""
    assert parse(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "t13d301000_1234_5678",
        "x13d1516h2_8daaf6152771_e5627efa2ab1",
        "t14d1516h2_8daaf6152771_e5627efa2ab1",
        "t13x1516h2_8daaf6152771_e5627efa2ab1",
        "t13d1516h2_8DAAF6152771_e5627efa2ab1",
        "t13d1516h2_8daaf615277_e5627efa2ab1",
        "t13d1516h2_8daaf6152771_e5627efa2ab1\n",
        " t13d1516h2_8daaf6152771_e5627efa2ab1",
        "t13d1516h-_8daaf6152771_e5627efa2ab1",
        "t13d٣٣16h2_8daaf6152771_e5627efa2ab1",
        "q12d0312h3_55b375c5d22e_06cda9e17597",
        "t" + "d2" + "d1516h2_8daaf6152771_e5627efa2ab1",
        "d13d1516h2_8daaf6152771_e5627efa2ab1",
        "t13d0016h2_8daaf6152771_e5627efa2ab1",
        "t13d1516h2_000000000000_e5627efa2ab1",
    ],
)
def test_what_no_hello_can_be_does_not_parse(text: str) -> None:
    """Wrong form, wrong alphabet, QUIC before TLS 1.3, TLS over the wrong transport, a hash of no ciphers."""
    assert parse(text) is None


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """The text comes from strangers."""
    found = parse(text)
    assert found is None or len(text) == 36


@pytest.mark.parametrize(
    ("fingerprint", "agent", "expected"),
    [
        (shake("Chromium"), CHROME, True),
        (shake("Firefox"), FIREFOX, True),
        (shake("Safari"), CHROME_ON_IPHONE, True),
        (shake("Go"), CHROME, False),
        (shake("Chromium"), FIREFOX, False),
        (shake("Chromium"), CHROME_ON_IPHONE, False),
        (shake("Go/WinINet"), CHROME, False),
        (shake("Go/WinINet"), AgentFacts(browser="Go-http-client", is_bot=True), True),
        (shake("Chromium"), CURL, None),
        (shake("Go"), APP_ON_IPHONE, None),
        (shake(None), CHROME, None),
        (shake("Go"), NO_AGENT_FACTS, None),
        (NO_FINGERPRINT_FACTS, CHROME, None),
        (FingerprintFacts(client="Go"), CHROME, None),
    ],
)
def test_a_fingerprint_agrees_contradicts_or_says_nothing(
    fingerprint: FingerprintFacts, agent: AgentFacts, expected: bool | None
) -> None:
    """Known clients are compared; whatever is unknown on either side is no verdict."""
    assert agrees(fingerprint, agent) is expected
    assert contradicts(fingerprint, agent) is (expected is False)


@pytest.mark.parametrize(
    ("version", "alpn", "browser_version", "expected"),
    [
        ("1.2", "h2", "70", False),
        ("1.2", "h2", "69", None),
        ("1.3", "00", "70", False),
        ("1.3", "h1", "70", None),
        ("1.2", "h2", "", None),
        ("1.2", "h2", "²", None),
        ("unknown", "h2", "124", None),
    ],
)
def test_an_unknown_hello_without_what_the_browser_always_offers_contradicts_it(
    version: str, alpn: str, browser_version: str, expected: bool | None
) -> None:
    """Chrome speaks TLS 1.3 and names its protocols since version 70; older ones are let be."""
    agent = AgentFacts(browser="Chrome", browser_version=browser_version, os="Windows")
    assert agrees(shake(None, version=version, alpn=alpn), agent) is expected


def test_every_browser_on_ios_connects_as_safari() -> None:
    """The platform makes the connection, whatever the name on the app."""
    assert claimed_client(CHROME_ON_IPHONE) == "Safari"
    assert claimed_client(CHROME) == "Chromium"
