"""Filters from a query string and back."""

from urllib.parse import parse_qsl

import pytest

from risk_scorer.core.console.sign_in_filter import BadFilter, SignInFilter, filter_of

NOW = 1_760_000_000.0


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, SignInFilter()),
        ({"user": " alice ", "before": "1_2", "limit": "5"}, SignInFilter(user="alice")),
        ({"user": "", "level": ""}, SignInFilter()),
        ({"ip": "203.0.113.9"}, SignInFilter(ip="203.0.113.9")),
        ({"ip": "203.0.113.9/24"}, SignInFilter(ip="203.0.113.0/24")),
        ({"ip": "2001:DB8:1::5"}, SignInFilter(ip="2001:db8:1::5")),
        ({"ip": "2001:db8:1::/48"}, SignInFilter(ip="2001:db8:1::/48")),
        ({"asn": "AS64500"}, SignInFilter(asn=64500)),
        ({"asn": "0"}, SignInFilter(asn=0)),
        ({"country": "de"}, SignInFilter(country="DE")),
        ({"least": "60", "most": "79.5"}, SignInFilter(least=60.0, most=79.5)),
        ({"since": "24h"}, SignInFilter(since=NOW - 86_400)),
        ({"since": "2025-10-09", "until": "2025-10-09T08:53:20+00:00"}, SignInFilter(since=1_759_968_000.0, until=NOW)),
        ({"until": "1760000000"}, SignInFilter(until=NOW)),
        ({"reason": "new_device", "kind": "refresh"}, SignInFilter(reason="new_device", kind="refresh")),
        ({"reason": "New TLS fingerprint"}, SignInFilter(reason="new_ja4")),
    ],
)
def test_a_query_string_says_what_is_wanted(query: dict[str, str], wanted: SignInFilter) -> None:
    """And what is wanted is written as a query string that says the same."""
    assert filter_of(query, now=NOW) == wanted
    assert filter_of(dict(parse_qsl(wanted.query)), now=NOW) == wanted


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"user": "x" * 257}, "user"),
        ({"user": "a\x00b"}, "user"),
        ({"ip": "203.0.113"}, "ip"),
        ({"ip": "203.0.113.0/16"}, "ip"),
        ({"ip": "fe80::1%eth0"}, "ip"),
        ({"asn": "-1"}, "asn"),
        ({"asn": "4294967296"}, "asn"),
        ({"country": "DEU"}, "country"),
        ({"level": "High"}, "level"),
        ({"decision": "' OR 1"}, "decision"),
        ({"outcome": "passed"}, "outcome"),
        ({"verdict": "none"}, "verdict"),
        ({"kind": "x"}, "kind"),
        ({"reason": "100%"}, "reason"),
        ({"least": "nan"}, "least"),
        ({"least": "101"}, "least"),
        ({"least": "70", "most": "60"}, "least"),
        ({"since": "yesterday"}, "since"),
        ({"since": "9999999999999"}, "since"),
        ({"since": "2h", "until": "3h"}, "since"),
    ],
)
def test_what_cannot_be_asked_for_is_named(query: dict[str, str], field: str) -> None:
    """By the field."""
    with pytest.raises(BadFilter) as bad:
        filter_of(query, now=NOW)
    assert bad.value.field == field
