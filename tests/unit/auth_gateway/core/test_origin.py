"""What a returning request is held against."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.account import device_digest
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.origin import (
    Browser,
    Origin,
    as_scored,
    context_digest,
    first_of,
    is_context_unknown,
    is_same_client,
    is_same_context,
)
from risk_scorer.contract.events import SessionContext

ORIGIN = Origin(
    ip="198.51.100.9",
    user_agent="Firefox",
    device_digest=device_digest("dev-1"),
    ja4="t13d",
    started_at=1000.0,
    is_vouched=False,
    country="US",
)
SEEN = LoginContext(ip="198.51.100.9", timestamp=2000.0, user_agent="Firefox", device_id="dev-1", ja4="t13d")


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, True),
        ({"ip": "198.51.100.250"}, True),
        ({"ip": "198.51.101.9"}, False),
        ({"ip": "2001:db8::1"}, False),
        ({"ip": ""}, False),
        ({"user_agent": "Firefox/2"}, False),
        ({"user_agent": ""}, False),
        ({"device_id": "dev-2"}, False),
        ({"device_id": ""}, False),
        ({"ja4": "t13i"}, False),
        ({"ja4": None}, False),
        ({"timestamp": 9000.0, "country": "BR"}, True),
    ],
)
def test_without_a_score_only_what_has_not_changed_is_the_same(changes: dict[str, Any], is_same: bool) -> None:
    """The /24, the user agent to the letter; device and fingerprint are shown again, and missing is changed."""
    assert is_same_context(ORIGIN, msgspec.structs.replace(SEEN, **changes)) is is_same


@pytest.mark.parametrize(
    ("began", "changes", "must_show", "is_same"),
    [
        ({"device_digest": None, "ja4": None}, {}, True, True),
        ({"device_digest": None}, {"device_id": ""}, True, True),
        ({}, {"device_id": "", "ja4": None}, False, True),
        ({}, {"device_id": "dev-2"}, False, False),
        ({}, {"user_agent": ""}, False, False),
    ],
)
def test_only_what_was_there_in_the_beginning_must_be_shown(
    began: dict[str, Any], changes: dict[str, Any], *, must_show: bool, is_same: bool
) -> None:
    """What is new proves nothing and takes nothing away; where it need not be shown, it still may not be another."""
    origin, context = msgspec.structs.replace(ORIGIN, **began), msgspec.structs.replace(SEEN, **changes)
    assert is_same_context(origin, context, must_show=must_show) is is_same


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("Mozilla/5.0 (X11; rv:128.0) Firefox/128.0", "Mozilla/5.0 (X11; rv:129.0) Firefox/129.0", True),
        (
            "(iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E1",
            "(iPhone; CPU iPhone OS 17_6_1 like Mac OS X) Mobile/15F1",
            True,
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.0.0", "Mozilla/5.0 (Windows NT 6.1) Chrome/120.0.0.0", False),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0", "Mozilla/5.0 (X11; Linux i686) Chrome/121.0", False),
        ("Chrome/120.0 Safari/537.36", "Chrome/121.0 Safari/537.36 Edg/121.0", False),
        ("Chrome/120.0", "curl/8.0", False),
    ],
)
def test_an_updated_browser_is_the_same_client(before: str, after: str, *, is_same: bool) -> None:
    """Another version of the same products; another product or platform is another client."""
    origin = msgspec.structs.replace(ORIGIN, user_agent=before)
    assert is_same_client(origin, msgspec.structs.replace(SEEN, user_agent=after), "US") is is_same


@pytest.mark.parametrize(
    ("origin", "context", "country", "is_same"),
    [
        ({}, {}, "US", True),
        ({}, {"ip": "203.0.113.5"}, "US", True),
        ({}, {"ja4": None}, "US", True),
        ({}, {}, "DE", False),
        ({}, {}, "", False),
        ({"country": ""}, {}, "", False),
        ({}, {"device_id": "dev-2"}, "US", False),
        ({}, {"device_id": ""}, "US", False),
        ({"device_digest": None}, {"device_id": ""}, "US", False),
        ({}, {"user_agent": "Firefox/2"}, "US", False),
        ({}, {"ja4": "t13i"}, "US", False),
    ],
)
def test_a_client_is_the_same_by_its_device_in_the_same_country(
    origin: dict[str, Any], context: dict[str, Any], country: str, is_same: bool
) -> None:
    """Whatever its network; what is unknown is no proof."""
    began = msgspec.structs.replace(ORIGIN, **origin)
    assert is_same_client(began, msgspec.structs.replace(SEEN, **context), country) is is_same


APP = msgspec.structs.replace(
    ORIGIN, user_agent="Shop/3.1", device_digest=None, ja4=None, browser=Browser(user_agent="Firefox", ja4="t13d")
)
APP_SEEN = msgspec.structs.replace(SEEN, user_agent="Shop/3.1", device_id="", ja4=None)


@pytest.mark.parametrize(
    ("context", "country", "has_key", "is_same"),
    [
        ({}, "US", False, True),
        ({}, "DE", False, True),
        ({"user_agent": "Shop/3.2"}, "US", True, True),
        ({"ip": "203.0.113.5"}, "US", True, True),
        ({"ip": "203.0.113.5"}, "US", False, False),
        ({"ip": "203.0.113.5"}, "DE", True, False),
        ({"ip": "203.0.113.5"}, "", True, False),
        ({"user_agent": "curl/8"}, "US", True, False),
        ({"user_agent": "curl/8"}, "US", False, False),
    ],
)
def test_an_application_is_the_same_by_its_key_or_where_it_was(
    context: dict[str, Any], country: str, has_key: bool, is_same: bool
) -> None:
    """It has no device's cookie to show; another program has the key in vain."""
    seen = msgspec.structs.replace(APP_SEEN, **context)
    assert is_same_client(APP, seen, country, has_key=has_key) is is_same


def test_an_application_is_told_as_the_browser_as_long_as_it_is_itself() -> None:
    """So that only its network weighs; a browser is told as it is, and so is another program."""
    origin, context = as_scored(APP, msgspec.structs.replace(APP_SEEN, ip="203.0.113.5", ja4h="ge11"))
    assert (origin.user_agent, origin.ja4, origin.device_digest) == ("Firefox", "t13d", None)
    assert (context.user_agent, context.ja4, context.ja4h, context.ip) == ("Firefox", "t13d", None, "203.0.113.5")
    other = msgspec.structs.replace(APP_SEEN, user_agent="curl/8")
    assert as_scored(APP, other) == (APP, other)
    assert as_scored(ORIGIN, APP_SEEN) == (ORIGIN, APP_SEEN)


def test_at_first_only_the_network_can_differ() -> None:
    """An application's own user agent, device and handshake are what they are."""
    browser = Browser(user_agent="Firefox")
    origin = first_of(SEEN, browser=browser, ip="203.0.113.5", started_at=1.0, country="US")
    assert is_same_client(origin, SEEN, "US", has_key=True)
    assert not is_same_context(origin, SEEN)
    assert is_same_context(origin, msgspec.structs.replace(SEEN, ip="203.0.113.9"))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::3", "2001:db8:1:ffff::9", True),
        ("2001:db8:1::3", "2001:db8:2::3", False),
        ("", "", True),
        ("", "198.51.100.9", False),
    ],
)
def test_an_ipv6_network_is_a_48(one: str, other: str, is_same: bool) -> None:
    """What a household keeps while its prefix is renewed; an unknown address is like an unknown one alone."""
    origin = msgspec.structs.replace(ORIGIN, ip=one)
    assert is_same_context(origin, msgspec.structs.replace(SEEN, ip=other)) is is_same


@pytest.mark.parametrize(("kept", "shown", "told"), [("dev-1", "dev-1", "dev-1"), ("", "dev-1", "")])
def test_the_same_device_is_told_by_its_id(kept: str, shown: str, told: str) -> None:
    """Only its digest was kept, and the request has the id; an unknown device stays unknown."""
    origin = msgspec.structs.replace(ORIGIN, device_digest=device_digest(kept))
    assert origin.as_session(shown) == SessionContext(
        ip="198.51.100.9", user_agent="Firefox", device_id=told, ja4="t13d", started_at=1000.0
    )


@pytest.mark.parametrize("shown", ["dev-2", ""])
def test_another_device_is_told_by_a_name_that_is_not_its_own(shown: str) -> None:
    """The scorer sees that the two differ, and not what the first was called."""
    told = ORIGIN.as_session(shown).device_id
    assert told.startswith("sha256:")
    assert told != shown
    assert len(told) <= 256


@pytest.mark.parametrize(
    ("origin_vouched", "may_vouch", "vouches", "is_unknown"),
    [
        (False, False, False, False),
        (True, False, False, True),
        (False, True, False, True),
        (True, True, True, False),
        (False, True, True, False),
    ],
)
def test_a_server_that_vouches_for_nothing_tells_nothing(
    origin_vouched: bool, may_vouch: bool, vouches: bool, is_unknown: bool
) -> None:
    """Its own address is not the person's; a public client's always is."""
    origin = msgspec.structs.replace(ORIGIN, is_vouched=origin_vouched)
    context = msgspec.structs.replace(SEEN, is_vouched=vouches)
    assert is_context_unknown(origin, context, Client(client_id="app", may_vouch=may_vouch)) is is_unknown


def test_contexts_are_told_apart_by_everything_but_their_time() -> None:
    """So that an answer is reused for nothing but the very same."""
    digests = {
        context_digest(msgspec.structs.replace(SEEN, **changes))
        for changes in ({}, {"ip": "198.51.100.10"}, {"ja4h": "x"}, {"ip_rep": 1.0}, {"asn": 1}, {"country": "US"})
    }
    assert len(digests) == 6
    assert context_digest(SEEN) == context_digest(msgspec.structs.replace(SEEN, timestamp=9.0))
