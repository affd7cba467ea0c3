"""The origins of applications that are pages in a browser, as browsers write them. What they may read is not said here.

Source: RFC 6454, sections 4 and 6.2; draft-ietf-oauth-browser-based-apps, on cross-origin requests.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from auth_gateway.core.provider.client import RegisteredClient

_USUAL_PORTS = {"http": 80, "https": 443}


def page_origins(clients: Iterable[RegisteredClient]) -> frozenset[str]:
    """Where the pages of public clients are: an application with a secret calls from its own server, and a scheme of an
    application's own is no page's."""
    origins = (_origin(uri) for client in clients if client.is_public for uri in client.redirect_uris)
    return frozenset(origin for origin in origins if origin is not None)


def _origin(uri: str) -> str | None:
    """The origin of an address, None when it has none that a browser would send."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
        if host and ":" in host:
            host = f"[{ipaddress.ip_address(host).compressed}]"
    except ValueError:  # registered before such addresses were refused: nobody's, and no reason to fail for the others
        return None
    if parts.scheme not in _USUAL_PORTS or not host:
        return None
    is_usual = port is None or port == _USUAL_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{port}")
