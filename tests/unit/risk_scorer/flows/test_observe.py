"""What is refused before anything is looked up or scored, and what outranks what."""

from collections.abc import Sequence
from typing import Any

import pytest

from plumbing.refusals import Refused
from risk_scorer.contract.events import LoginEvent, SessionContext
from risk_scorer.core.facts import AgentFacts, FingerprintFacts, IpFacts, SessionFacts
from risk_scorer.core.observation import Observation
from risk_scorer.flows.observe import Observer

NOW = 1_760_000_000.0


class Facts:
    """Look-ups that know one place, one browser, one fingerprint and one time zone."""

    def facts_many(self, ips: Sequence[str]) -> list[IpFacts]:
        return [
            IpFacts(asn=64500, asn_name="Example Cable", country="US", city="San Jose", reputation=5.0) for _ in ips
        ]


class Agents:
    def facts(self, ua: str) -> AgentFacts:
        return AgentFacts(browser="Firefox", browser_version="128", os="Linux")


class Fingerprints:
    def facts(self, ja4: str) -> FingerprintFacts:
        return FingerprintFacts(parses=ja4.startswith("t13"))


class Zones:
    def local(self, country: str, latitude: float | None, longitude: float | None, moment: float) -> tuple[str, int]:
        return {"US": ("America/Los_Angeles", -25_200)}.get(country, ("", 0))


def observed(*events: dict[str, Any]) -> list[Observation]:
    reported = [LoginEvent(**{"user_id": "u1", "ip": "198.51.100.9", **fields}) for fields in events]
    observer = Observer(Facts(), Agents(), Fingerprints(), Zones())  # type: ignore[arg-type]
    ids = [f"evt_{number}" for number in range(len(reported))]
    return observer.observations(reported, ids, now=NOW, where=lambda i: f"$[{i}]")


def refusal(**fields: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        observed({}, fields)
    return caught.value


@pytest.mark.parametrize(
    "address",
    ["198.01.100.9", "198.51.100", "198.51.100.256", "0x7f.1", "2130706433", " 198.51.100.9", "198.51.100.9 ",
     "fe80::1%eth0", "::ffff:198.01.100.9", "1:2:3", "localhost", "١٩٨.51.100.9", "198.51.100.9/32", "[::1]"],
)  # fmt: skip
def test_what_is_not_an_address_is_refused(address: str) -> None:
    """Leading zeros, zones, names and shorthand are read differently by different programs, so none of them is read."""
    refused = refusal(ip=address)
    assert (refused.status, refused.code) == (422, "invalid_ip")
    assert refused.evidence["field"] == "$[1].ip"
    assert address not in refused.message


@pytest.mark.parametrize(
    ("given", "expected"),
    [("198.51.100.9", "198.51.100.9"), ("::ffff:198.51.100.9", "198.51.100.9"), ("2001:DB8::0:1", "2001:db8::1")],
)
def test_an_address_has_one_spelling(given: str, expected: str) -> None:
    """The same network place is the same value in histories, however it was written."""
    [seen] = observed({"ip": given})
    assert seen.ip == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, NOW),
        ("2025-08-09T12:00:00Z", 1754740800.0),
        ("2025-08-09T14:00:00+02:00", 1754740800.0),
        ("2025-08-09T12:00:00", 1754740800.0),
        (1754740800, 1754740800.0),
        (1754740800.5, 1754740800.5),
        ("1754740800", 1754740800.0),
        (946684800, 946684800.0),
    ],
)
def test_a_time_is_iso_or_epoch_seconds(given: Any, expected: float) -> None:
    """Without an offset it is UTC, without a time it is now."""
    [seen] = observed({"timestamp": given})
    assert seen.ts == expected


@pytest.mark.parametrize(
    "timestamp",
    [946684799, -1, 1754740800000, 4102444801, float("inf"), float("nan"), "yesterday", "", "2025-13-01T00:00:00Z",
     "nan", "1e400", 10**30, "1970-01-01T00:00:00Z"],
)  # fmt: skip
def test_a_time_outside_any_login_is_refused(timestamp: Any) -> None:
    """Before 2000, after 2100 and milliseconds are a broken clock, not a login."""
    refused = refusal(timestamp=timestamp)
    assert (refused.status, refused.code) == (422, "invalid_timestamp")
    assert refused.evidence["field"] == "$[1].timestamp"


@pytest.mark.parametrize("field", ["user_id", "user_agent", "device_id", "country", "city", "ja4", "ja4h", "event_id"])
@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_texts_that_storage_cannot_hold_are_refused(field: str, text: str) -> None:
    """NUL and lone surrogates never reach a database, a header or an answer."""
    refused = refusal(**{field: text})
    assert (refused.status, refused.code) == (422, "invalid_text")


def test_the_callers_facts_outrank_the_look_up() -> None:
    """Callers are authenticated services: the asn, reputation, country and city that they report are believed."""
    [plain, told] = observed({}, {"asn": 64999, "ip_rep": 77.0, "country": "DE", "city": "Berlin"})
    assert (plain.asn, plain.ip_rep, plain.country, plain.city) == (64500, 5.0, "US", "San Jose")
    assert (told.asn, told.ip_rep, told.country, told.city) == (64999, 77.0, "DE", "Berlin")


def test_zero_is_an_answer_and_not_a_gap() -> None:
    """A reported reputation of 0 means "nothing against it", not "look it up"."""
    [seen] = observed({"ip_rep": 0.0})
    assert seen.ip_rep == 0.0


def test_an_event_keeps_the_id_it_brings() -> None:
    """Ours are for events without one."""
    [mine, theirs] = observed({}, {"event_id": "login-77"})
    assert (mine.event_id, theirs.event_id) == ("evt_0", "login-77")


def test_the_time_zone_is_that_of_the_country_that_counts() -> None:
    """The caller's country outranks the look-up here as well; of an unknown one no zone is known."""
    [plain, told] = observed({}, {"country": "XX"})
    assert (plain.zone, plain.utc_offset_s) == ("America/Los_Angeles", -25_200)
    assert (told.zone, told.utc_offset_s) == ("", 0)


def test_a_session_is_looked_up_as_the_login_was() -> None:
    """Network, client and fingerprint as they were when it began; nothing is known of what is not told."""
    told = SessionContext(ip="::ffff:203.0.113.7", user_agent="Firefox", device_id="d1", ja4="t13")
    [without, whole, empty] = observed({}, {"kind": "refresh", "session": told}, {"session": SessionContext()})
    assert without.session is None
    assert (whole.kind, whole.session) == (
        "refresh",
        SessionFacts(prefix="203.0.113.0/24", asn_key="64500", country="US", browser="Firefox", os="Linux",
                     device_type="unknown", device_id="d1", ja4="t13"),
    )  # fmt: skip
    assert empty.session is not None
    assert (empty.session.prefix, empty.session.asn_key, empty.session.country) == ("", "", "")


@pytest.mark.parametrize("address", ["198.01.100.9", "localhost", " "])
def test_a_session_that_began_at_no_address_is_refused(address: str) -> None:
    """It is named by its own path, and not repeated."""
    refused = refusal(session=SessionContext(ip=address))
    assert (refused.status, refused.code) == (422, "invalid_ip")
    assert refused.evidence["field"] == "$[1].session.ip"
    assert address.strip() == "" or address not in refused.message


@pytest.mark.parametrize("field", ["user_agent", "device_id", "ja4"])
@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_a_sessions_texts_are_checked_as_well(field: str, text: str) -> None:
    """They are kept in the log with the event."""
    refused = refusal(session=SessionContext(**{field: text}))
    assert (refused.status, refused.code, refused.evidence["field"]) == (422, "invalid_text", "$[1].session")
