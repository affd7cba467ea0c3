"""Known TLS clients: the packaged table, and one of the operator's own."""

from pathlib import Path

import pytest

from risk_scorer.adapters.ja4 import BadClientTable, Fingerprints
from risk_scorer.core.facts import NO_FINGERPRINT_FACTS, FingerprintFacts

KNOWN = Fingerprints.open()
HEADER = "ja4,client,kind,library\n"


@pytest.mark.parametrize(
    ("ja4", "client"),
    [
        ("t13d1516h2_8daaf6152771_02713d6af862", "Chromium"),
        ("q13d0312h3_55b375c5d22e_06cda9e17597", "Chromium"),
        ("t13d1715h2_5b57614c22b0_7121afd63204", "Firefox"),
        ("t13d2014h2_a09f3c656075_14788d8d241b", "Safari"),
        ("t13d181000_85036bcba153_d41ae481755e", "Python"),
        ("t12d190800_d83cc789557e_7af1ed941c26", "Go/WinINet"),
        ("t13d880900_fcb5b95cb75a_b0d3b4ac2a14", "SoftEther VPN"),
    ],
)
def test_published_clients_are_known(ja4: str, client: str) -> None:
    """FoxIO's table: browsers, libraries, and both names where two clients share one hello."""
    assert KNOWN.facts(ja4).client == client
    assert not KNOWN.facts(ja4).is_malicious


def test_malware_with_a_hello_of_its_own_is_called_malicious() -> None:
    """Cobalt Strike and IcedID."""
    beacon = KNOWN.facts("t12d190800_d83cc789557e_16bbda4055b2")
    assert (beacon.client, beacon.is_malicious) == ("Cobalt Strike", True)
    assert KNOWN.facts("t13d201100_2b729b4bf6f3_9e7b989ebec8").is_malicious


def test_malware_that_looks_like_every_go_program_accuses_no_go_program() -> None:
    """Sliver uses Go's own TLS: the fingerprint says Go and nothing more."""
    found = KNOWN.facts("t13d190900_9dc949149365_97f8aa674fd9")
    assert (found.client, found.is_malicious) == ("Go", False)


def test_a_browsers_next_version_is_known_by_its_ciphers() -> None:
    """Extensions change with each version, the list of ciphers hardly ever."""
    assert KNOWN.facts("t13d1516h2_8daaf6152771_d8a2da3f94cd").client == "Chromium"


def test_ciphers_that_several_clients_share_name_nobody() -> None:
    """Go, WinINet and Cobalt Strike offer one list: an unknown hello with it is unknown."""
    found = KNOWN.facts("t12d190800_d83cc789557e_000000000001")
    assert (found.parses, found.client, found.is_malicious) == (True, None, False)


def test_an_unknown_fingerprint_still_says_what_it_says() -> None:
    """Version and protocol are in the text itself."""
    assert KNOWN.facts("t12i0506h1_aaaaaaaaaaaa_bbbbbbbbbbbb") == FingerprintFacts(
        parses=True, tls_version="1.2", alpn="h1"
    )


@pytest.mark.parametrize("text", ["", "t13d301000_1234_5678", "x" * 36, "\ud800" * 36, "t" * 100_000])
def test_junk_is_no_facts(text: str) -> None:
    """An opaque value may be any text; it does not parse, and that is all."""
    assert KNOWN.facts(text) == NO_FINGERPRINT_FACTS


def test_the_table_may_be_replaced(tmp_path: Path) -> None:
    """Comments and quoted names included."""
    table = tmp_path / "own.csv"
    table.write_text(f'# ours\n{HEADER}t12i0506h1_aaaaaaaaaaaa_bbbbbbbbbbbb,"Kiosk, ours",program,\n')
    found = Fingerprints.open(table)
    assert found.facts("t12i0506h1_aaaaaaaaaaaa_bbbbbbbbbbbb").client == "Kiosk, ours"
    assert found.facts("t13d1516h2_8daaf6152771_02713d6af862").client is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "first line"),
        ("ja4,client\n", "first line"),
        (f"# one\n{HEADER}\nnonsense,Kiosk,program,\n", "line 4"),
        (f"{HEADER}t12i0506h1_aaaaaaaaaaaa_bbbbbbbbbbbb,,program,\n", "line 2"),
        (f"{HEADER}t12i0506h1_aaaaaaaaaaaa_bbbbbbbbbbbb,Kiosk,nice,\n", "line 2"),
        (f"{HEADER}t12i0506h1_aaaaaaaaaaaa_bbbbbbbbbbbb,Kiosk,program\n", "line 2"),
    ],
)
def test_a_table_that_is_not_understood_is_refused_by_line(tmp_path: Path, text: str, line: str) -> None:
    """Half a table would know half the malware."""
    table = tmp_path / "own.csv"
    table.write_text(text)
    with pytest.raises(BadClientTable, match=line):
        Fingerprints.open(table)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    """Named by the operator and not there."""
    with pytest.raises(BadClientTable):
        Fingerprints.open(tmp_path / "absent.csv")
