"""An event is checked once, and what cannot be scored is refused without being repeated."""

from typing import Any

import pytest

from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.facts import NO_AGENT_FACTS, NO_FINGERPRINT_FACTS, IpFacts
from risk_scorer.core.observation import BadEvent, Observation, canonical_address, moment, observe, prefix_of

NOW = 1_600_000_000.0


def observed(*, network: IpFacts | None = None, **fields: Any) -> Observation:
    event = LoginEvent(**{"user_id": "alice", "ip": "198.51.100.9", **fields})
    return observe(
        event,
        address=event.ip,
        now=NOW,
        event_id="evt_made",
        network=network or IpFacts(asn=64500, country="US", city="San Jose", reputation=5.0),
        agent=NO_AGENT_FACTS,
        fingerprint=NO_FINGERPRINT_FACTS,
    )


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("198.51.100.9", "198.51.100.9"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:198.51.100.9", "198.51.100.9"),
    ],
)
def test_an_address_has_one_spelling(text: str, canonical: str) -> None:
    """However it is written, one address is one value for history and frequency."""
    assert canonical_address(text) == canonical


@pytest.mark.parametrize(
    "text", ["198.01.100.9", "198.51.100", "198.51.100.256", "fe80::1%eth0", "localhost", " ", "1"]
)
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    """Leading zeros, zones and names are not addresses; the refusal does not echo them."""
    with pytest.raises(BadEvent) as refused:
        canonical_address(text)
    assert (refused.value.code, refused.value.field) == ("invalid_address", "$.ip")
    assert text.strip() == "" or text not in refused.value.message.split()


@pytest.mark.parametrize(
    ("address", "prefix"),
    [("198.51.100.9", "198.51.100.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")],
)
def test_the_prefix_is_what_one_customer_usually_has(address: str, prefix: str) -> None:
    """/24 for IPv4, /48 for IPv6."""
    assert prefix_of(address) == prefix


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [
        (None, NOW),
        ("2025-08-09T12:00:00Z", 1_754_740_800.0),
        ("2025-08-09T14:00:00+02:00", 1_754_740_800.0),
        ("2025-08-09T12:00:00", 1_754_740_800.0),
        ("1754740800", 1_754_740_800.0),
        (1_754_740_800, 1_754_740_800.0),
        (1_754_740_800.5, 1_754_740_800.5),
        (0, 0.0),
        (4_102_444_800, 4_102_444_800.0),
    ],
)
def test_a_timestamp_is_iso_8601_or_epoch_seconds(timestamp: Any, seconds: float) -> None:
    """No offset means UTC, none at all means now."""
    assert moment(timestamp, now=NOW) == seconds


@pytest.mark.parametrize(
    "timestamp", ["soon", "", "nan", "inf", -1, 4_102_444_801, 1_754_740_800_000, 10**30, "9" * 400]
)
def test_a_timestamp_outside_1970_to_2100_is_refused(timestamp: Any) -> None:
    """Milliseconds, overflow and words are refused, not guessed at."""
    with pytest.raises(BadEvent) as refused:
        moment(timestamp, now=NOW)
    assert refused.value.code == "invalid_timestamp"


@pytest.mark.parametrize("field", ["user_id", "user_agent", "device_id", "country", "city", "ja4", "event_id"])
@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_nul_and_lone_surrogates_are_refused(field: str, text: str) -> None:
    """Such texts cannot be stored or shown everywhere, so they are stored and shown nowhere."""
    with pytest.raises(BadEvent) as refused:
        observed(**{field: text})
    assert refused.value.code == "invalid_text"


def test_what_the_event_says_outranks_what_was_looked_up() -> None:
    """`asn`, `ip_rep`, `country` and `city` of the event win; where it is silent the look-up speaks."""
    told = observed(asn=1, ip_rep=50.0, country="DE", city="Berlin")
    silent = observed()
    assert (told.asn, told.asn_key, told.ip_rep, told.country, told.city) == (1, "1", 50.0, "DE", "Berlin")
    assert (silent.asn, silent.ip_rep, silent.country, silent.city) == (64500, 5.0, "US", "San Jose")


def test_an_event_keeps_its_own_id() -> None:
    """The id that was made for it is used only when it brings none."""
    assert observed(event_id="mine").event_id == "mine"
    assert observed().event_id == "evt_made"
