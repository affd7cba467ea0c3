"""What another provider says of itself as a transmitter.

Source: OpenID Shared Signals Framework 1.0, section 7.
"""

import msgspec

from auth_gateway.adapters.ssf.remote_keys import Fetch
from auth_gateway.core.ssf.transmitter import LONGEST_URL, discovery_url
from plumbing.refusals import Refused
from webhooks.fetching import Unfetched, Wanted


class _Document(msgspec.Struct, frozen=True):
    issuer: str
    jwks_uri: str = ""


async def discovered_keys(fetch: Fetch, issuer: str) -> str:
    """Where the issuer publishes its keys, as its own document says.

    Raises: Refused `discovery_failed` (400): which step, not what was found.
    """
    try:
        raw = await fetch(Wanted(url=discovery_url(issuer), headers={"accept": "application/json"}))
    except Unfetched as error:
        raise _failed(f"{discovery_url(issuer)} gives no document ({error.code})") from None
    try:
        document = msgspec.json.decode(raw, type=_Document)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise _failed("its document is none of a transmitter") from None
    if document.issuer != issuer:
        # Another one's document would have us take that one's keys for the issuer's (section 7.2.3).
        raise _failed("its document names another issuer")
    if not 0 < len(document.jwks_uri) <= LONGEST_URL:
        raise _failed("its document names no jwks_uri")
    return document.jwks_uri


def _failed(text: str) -> Refused:
    return Refused("discovery_failed", f"the issuer cannot be discovered: {text}", status=400)
