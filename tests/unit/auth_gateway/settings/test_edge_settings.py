"""What may be said about the edge."""

from typing import Any

import pytest

from auth_gateway.settings import Settings, SettingsError, load_settings


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ("nginx", "x-ja4"),
        ("HAProxy", "x-ja4"),
        ("envoy", "x-ja4"),
        ("cloudflare", "cf-ja4"),
        ("CloudFront", "cloudfront-viewer-ja4-fingerprint"),
        ("X-Edge-JA4", "x-edge-ja4"),
        ("none", "none"),
    ],
)
def test_a_ja4_header_is_an_edge_or_a_name(given: str, header: str) -> None:
    """Header names are compared in small letters."""
    assert Settings(edge_ja4_header=given).edge_ja4_header == header


def test_what_is_believed_unless_said_otherwise() -> None:
    """Nobody is a proxy of ours; where somebody is, it is one like our nginx sample."""
    settings = Settings()
    assert (settings.trusted_proxies, settings.proxy_protocol) == ((), False)
    assert (settings.forwarded_header, settings.edge_ja4_header) == ("x-forwarded-for", "x-ja4")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"forwarded_header": "x forwarded"}, "FORWARDED_HEADER"),
        ({"forwarded_header": "x-real-ip, forwarded"}, "FORWARDED_HEADER"),  # one is believed, never two
        ({"forwarded_header": "a" * 65}, "FORWARDED_HEADER"),
        ({"forwarded_header": "User-Agent"}, "FORWARDED_HEADER"),
        ({"edge_ja4_header": "cookie"}, "EDGE_JA4_HEADER"),
        ({"edge_ja4_header": "x_ja4"}, "EDGE_JA4_HEADER"),
        ({"edge_ja4_header": "x-forwarded-for"}, "FORWARDED_HEADER and EDGE_JA4_HEADER"),
        ({"proxy_protocol": True}, "PROXY_PROTOCOL needs TRUSTED_PROXIES"),
    ],
)
def test_what_would_believe_strangers_is_refused(given: dict[str, Any], name: str) -> None:
    """One line names the setting."""
    with pytest.raises(SettingsError, match=name):
        load_settings(**given)


def test_both_headers_may_be_none() -> None:
    """A gateway that reads neither."""
    assert Settings(forwarded_header="NONE", edge_ja4_header="none").forwarded_header == "none"
