"""What a registration must keep to before it counts: addresses that nobody else can receive at, grants that fit how the
application proves itself. Whether its keys are usable is the adapters' business.

Source: OpenID Connect Dynamic Client Registration 1.0, section 2; RFC 8252; error codes of RFC 7591, section 3.2.2.
"""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qsl, urlsplit

from auth_gateway.core.context import PUBLIC_CLIENT_ID
from auth_gateway.core.provider.authorization import ACCOUNT_CLIENT_ID
from auth_gateway.core.provider.client import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    RegisteredClient,
)
from plumbing.refusals import Refused

RESERVED_IDS = frozenset({PUBLIC_CLIENT_ID, ACCOUNT_CLIENT_ID})
LONGEST_URI = 2_000
LONGEST_NAME = 100
LONGEST_AUDIENCE = 255
MOST_URIS = 20
SHORTEST_TTL_SECONDS = 60
LONGEST_ACCESS_TTL_SECONDS = 86_400
"""Verification keys are kept this long after they stop signing, so no access token may live longer."""
LONGEST_REFRESH_TTL_SECONDS = 365 * 86_400
ANSWERED = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})
"""What we add to an address. Source: RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207, section 2."""
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

# No colon: HTTP Basic ends the id there (RFC 7617, section 2).
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# RFC 3986, section 2, without the asterisk: whoever writes one expects a pattern, and addresses are compared exactly.
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()+,;=-]|%[0-9A-Fa-f]{2})+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
# A browser goes up at these, the dots written as they are or as %2e, and ends elsewhere than was registered.
_DOT_SEGMENT = re.compile(r"(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|$)", re.IGNORECASE)
# RFC 8252, section 7.1: a domain of the application's own, in reverse, so that two applications do not share one.
_OWN_ADDRESS = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:/.*")
# RFC 6749, section 3.3.
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,64}")
_VISIBLE = re.compile(r"[\x21-\x7E]+")


def check_registration(client: RegisteredClient) -> None:
    """Let a registration pass whose parts are sound and fit each other.

    Raises: Refused `invalid_redirect_uri` or `invalid_client_metadata` (400): which rule, not which value.
    """
    if not _CLIENT_ID.fullmatch(client.client_id) or client.client_id in RESERVED_IDS:
        text = (
            "a client's id has 1 to 64 letters, digits, dots, dashes or underscores, and is not `public` or `account`"
        )
        raise _unsound(text)
    if len(client.client_name) > LONGEST_NAME or not client.client_name.isprintable():
        raise _unsound(f"a client's name has at most {LONGEST_NAME} printable characters")
    _check_addresses(client)
    _check_tokens(client)
    _check_proof(client)
    _check_grants(client)


def _check_addresses(client: RegisteredClient) -> None:
    is_native = client.application_type == "native"
    for uris in (client.redirect_uris, client.post_logout_redirect_uris):
        if len(uris) > MOST_URIS or len(set(uris)) != len(uris):
            raise _misdirected(f"at most {MOST_URIS} addresses of a kind, and each once")
        for uri in uris:
            _check_address(uri, may_have_own_scheme=is_native)
            if _says_what_we_say(uri):
                raise _misdirected("an address has no parameter that answers have, such as code, state, iss or error")
    if client.backchannel_logout_uri is not None:
        _check_address(client.backchannel_logout_uri, may_have_own_scheme=False)


def _says_what_we_say(uri: str) -> bool:
    """Whether its own query has a name that our answers use: the application would read it twice, or the wrong one."""
    return any(name in ANSWERED for name, _ in parse_qsl(urlsplit(uri).query, keep_blank_values=True))


def _check_address(uri: str, *, may_have_own_scheme: bool) -> None:
    if len(uri) > LONGEST_URI or not _URI.fullmatch(uri):
        raise _misdirected(f"an address is a URI of at most {LONGEST_URI} characters, without spaces or patterns")
    if "#" in uri:
        raise _misdirected("an address has no fragment")
    path = _path_of(uri)
    if _DOT_SEGMENT.search(path) or not {"[", "]"}.isdisjoint(path):
        raise _misdirected("a path has no segments `.` or `..` and no brackets: it is compared as it is written")
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _misdirected("an address has a host and port that can be read") from None
    if parts.scheme in {"http", "https"}:
        _check_web_address(parts, host)
    elif not may_have_own_scheme or not _OWN_ADDRESS.fullmatch(uri):
        raise _misdirected("an address is https; a native application may have a scheme of its own with a dot in it")


def _path_of(uri: str) -> str:
    """What stands between the authority and the query."""
    before_query = uri.partition("?")[0]
    rest = before_query.partition(":")[2]
    if not rest.startswith("//"):
        return rest
    _, slash, path = rest[2:].partition("/")
    return slash + path


def _check_web_address(parts: SplitResult, host: str | None) -> None:
    if not host or not _HOST.fullmatch(host) or "@" in parts.netloc:
        raise _misdirected("an address names a host, and nobody's name or password")
    if parts.scheme == "http" and host not in LOOPBACK_HOSTS:
        raise _misdirected("an address is https; http only for localhost, 127.0.0.1 and [::1]")


def _check_tokens(client: RegisteredClient) -> None:
    if not client.scopes or not all(map(_SCOPE.fullmatch, client.scopes)):
        raise _unsound("there is at least one scope, each of 1 to 64 visible characters without quotes or backslashes")
    if client.audience and (len(client.audience) > LONGEST_AUDIENCE or not _VISIBLE.fullmatch(client.audience)):
        raise _unsound(f"an audience has at most {LONGEST_AUDIENCE} visible ASCII characters")
    for seconds, longest in (
        (client.access_ttl_seconds, LONGEST_ACCESS_TTL_SECONDS),
        (client.refresh_ttl_seconds, LONGEST_REFRESH_TTL_SECONDS),
    ):
        if seconds is not None and not SHORTEST_TTL_SECONDS <= seconds <= longest:
            raise _unsound("access tokens live from a minute to a day, refresh tokens from a minute to a year")


def _check_proof(client: RegisteredClient) -> None:
    """An application without a proof of its own may not have what only that application should have."""
    if (client.token_endpoint_auth_method == "private_key_jwt") != (client.jwks is not None):  # noqa: S105 - a name
        raise _unsound("private_key_jwt needs the client's public keys, and nothing else does")
    if client.is_public and client.application_type != "native":
        raise _unsound("a client that proves nothing has no server of its own: its type is native")
    trusted = (client.may_vouch, client.may_see_scores, client.may_introspect, client.may_log_in)
    if client.is_public and (any(trusted) or CLIENT_CREDENTIALS in client.grant_types):
        raise _unsound("a client that proves nothing gets no rights and no client_credentials")
    if client.may_log_in and client.token_endpoint_auth_method != "client_secret_basic":  # noqa: S105 - a name
        raise _unsound("the JSON login takes a client secret and nothing else")


def _check_grants(client: RegisteredClient) -> None:
    grants = client.grant_types
    is_redirected = AUTHORIZATION_CODE in grants
    if not grants and not client.may_log_in and not client.may_introspect:
        raise _unsound("a client has a grant, the JSON login, or the right to introspect")
    if is_redirected != bool(client.redirect_uris):
        raise _misdirected("authorization_code needs a redirect address, and nothing else does")
    if client.post_logout_redirect_uris and not is_redirected:
        raise _misdirected("an address for after the logout needs authorization_code")
    if client.require_pushed_authorization_requests and not is_redirected:
        raise _unsound("pushed requests need authorization_code")
    if _none_of((AUTHORIZATION_CODE, DEVICE_CODE), grants):
        if client.requires_consent:
            raise _unsound("consent needs authorization_code or the device grant")
        if REFRESH_TOKEN in grants and not client.may_log_in:
            raise _unsound("refresh_token needs a grant that begins a session")


def _none_of(wanted: Iterable[str], grants: tuple[str, ...]) -> bool:
    return not any(grant in grants for grant in wanted)


def _unsound(text: str) -> Refused:
    return Refused("invalid_client_metadata", text, status=400)


def _misdirected(text: str) -> Refused:
    return Refused("invalid_redirect_uri", text, status=400)
