"""What an operator may say about what stands before the gateway, and what of its word is believed; part of the
settings.
"""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings

from auth_gateway.core.forwarded import NO_HEADER, X_FORWARDED_FOR
from auth_gateway.event_settings import Networks

JA4_HEADERS: Final = {
    "nginx": "x-ja4",
    "haproxy": "x-ja4",
    "envoy": "x-ja4",
    "cloudflare": "cf-ja4",
    "cloudfront": "cloudfront-viewer-ja4-fingerprint",
}
"""By edge. The first three name no header of their own: it is the one that our samples set. Sources: Cloudflare,
"Available Managed Transforms"; Amazon CloudFront, "Add CloudFront request headers"."""
_NAME: Final = r"^[a-z0-9-]{1,64}$"
# Every browser sends these, or they are read for what they are: as a proxy's word they would be the stranger's own.
_NOT_A_PROXYS: Final = frozenset({"host", "user-agent", "cookie", "authorization", "origin", "referer", "content-type"})


def _header(value: object) -> object:
    text = value.strip().lower() if isinstance(value, str) else value
    if text in _NOT_A_PROXYS:
        raise ValueError("must be a header that a proxy sets")
    return text


def _ja4_header(value: object) -> object:
    found = _header(value)
    return JA4_HEADERS.get(found, found) if isinstance(found, str) else found


HeaderName = Annotated[str, BeforeValidator(_header), Field(pattern=_NAME)]


class EdgeSettings(BaseSettings):
    """Which proxies are ours, and by which of their words the address and the TLS fingerprint of a client are known."""

    trusted_proxies: Networks = ()
    forwarded_header: HeaderName = X_FORWARDED_FOR
    edge_ja4_header: Annotated[str, BeforeValidator(_ja4_header), Field(pattern=_NAME)] = JA4_HEADERS["nginx"]
    proxy_protocol: bool = False

    @model_validator(mode="after")
    def _somebody_may_speak(self) -> "EdgeSettings":
        if self.proxy_protocol and not self.trusted_proxies:
            raise ValueError("PROXY_PROTOCOL needs TRUSTED_PROXIES: connections from elsewhere are closed")
        if self.forwarded_header == self.edge_ja4_header and self.forwarded_header != NO_HEADER:
            raise ValueError("FORWARDED_HEADER and EDGE_JA4_HEADER are two headers")
        return self
