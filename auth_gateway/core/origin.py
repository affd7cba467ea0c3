"""Where a session or a challenge began, so that whoever comes back with its token can be held against that. No marks
here: how much a difference weighs is the scorer's matter.
"""

import hashlib
import re
from ipaddress import ip_address, ip_network

import msgspec

from auth_gateway.core.account import device_digest
from auth_gateway.core.context import Client, LoginContext
from risk_scorer.contract.events import SessionContext

# What one subscriber's address stays within while nothing but a lease changes.
IPV4_PREFIX, IPV6_PREFIX = 24, 48
# What an update changes in a user agent: product versions, Firefox's `rv:`, Apple's `OS 17_5`.
_VERSIONS = re.compile(r"(?<=/)\d[\w.]*|(?<=rv:)[\d.]+|(?<=OS )\d+(?:_\d+)*")


class Browser(msgspec.Struct, frozen=True, kw_only=True):
    """What the person signed in with."""

    user_agent: str
    ja4: str | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The circumstances of the first request; "" and None are unknown. `started_at` is epoch seconds, `country` what
    the scorer found.

    `is_vouched` says that a client told them and the connection did not: then a later connection alone, which is
    the client's own, tells nothing about the person. `browser` is there when they are those of another application
    of the person's: it has a user agent and a handshake of its own, and their history knows the browser's.
    """

    ip: str
    user_agent: str
    device_digest: bytes | None
    ja4: str | None
    started_at: float
    is_vouched: bool
    country: str = ""
    browser: Browser | None = None

    def as_session(self, device_id: str) -> SessionContext:
        """The scorer's words for it, beside a request from `device_id`.

        Only a digest of the first device is kept, so an equal device is told by the id it has now and another one by
        a name that no device can have.
        """
        kept = self.device_digest
        same = kept is not None and kept == device_digest(device_id)
        told = device_id if same else f"sha256:{kept.hex()}" if kept is not None else ""
        return SessionContext(
            ip=self.ip, user_agent=self.user_agent, device_id=told, ja4=self.ja4, started_at=self.started_at
        )


def is_context_unknown(origin: Origin, context: LoginContext, client: Client) -> bool:
    """Whether this request says nothing about the person: an application's server calls and vouches for nothing."""
    return not context.is_vouched and (client.may_vouch or origin.is_vouched)


def is_same_context(origin: Origin, context: LoginContext, *, must_show: bool = True) -> bool:
    """Whether a request comes, as far as we can see without a scorer, from where it began.

    The same network (/24, /48) and the same user agent to the letter. A device or TLS fingerprint that was there in
    the beginning must be shown again: leaving it out is the easiest change to make. Without `must_show` it may be
    missing, never another.
    """
    kept = _is_shown_again if must_show else _does_not_differ
    return (
        is_same_network(origin.ip, context.ip)
        and origin.user_agent == context.user_agent
        and kept(origin.device_digest, device_digest(context.device_id))
        and kept(origin.ja4, context.ja4)
    )


def is_same_client(origin: Origin, context: LoginContext, country: str, *, has_key: bool = False) -> bool:
    """Whether a request comes from the very client that began, in the same country: only the network is another.

    The device must be known and the same: its cookie is no part of a stolen token, and no script reads it. What stands
    in for it is a key or secret that the client has just proven to hold and whose other half it gave when it began
    (`has_key`). Another application than the browser that has neither is the same where its network is, too.
    """
    if not _is_same_product(origin, context):
        return False
    kept = origin.device_digest
    is_proven = has_key or (kept is not None and kept == device_digest(context.device_id))
    if is_proven and origin.country != "" and origin.country == country:
        return True
    return origin.browser is not None and is_same_context(origin, context)


def as_scored(origin: Origin, context: LoginContext) -> tuple[Origin, LoginContext]:
    """Both as the scorer is told of them.

    It learns from logins, so an application's own user agent and handshake are new to it each time, and look like a
    program's. As long as the application is the one that was first seen it is told as the browser that the
    person signed in with, so that only the network weighs; whatever else it has become is told as it is.
    """
    browser = origin.browser
    if browser is None or not _is_same_product(origin, context):
        return origin, context
    return (
        msgspec.structs.replace(origin, user_agent=browser.user_agent, device_digest=None, ja4=browser.ja4),
        msgspec.structs.replace(
            context, user_agent=browser.user_agent, device_id="", ja4=browser.ja4, ja4h=None, ja4s=None
        ),
    )


def first_of(context: LoginContext, *, browser: Browser, ip: str, started_at: float, country: str) -> Origin:
    """What an application is held against that is seen for the first time: where the person, or the device that waited,
    was when it began. The rest of it can differ from nothing yet."""
    return Origin(
        ip=ip,
        user_agent=context.user_agent,
        device_digest=device_digest(context.device_id),
        ja4=context.ja4,
        started_at=started_at,
        is_vouched=False,
        country=country,
        browser=browser,
    )


def context_digest(context: LoginContext, grounds: bytes = b"") -> bytes:
    """The same for requests that differ in nothing but their time, and are judged on the same grounds."""
    timeless = msgspec.structs.replace(context, timestamp=0.0)
    return hashlib.blake2b(msgspec.msgpack.encode(timeless) + grounds, digest_size=16).digest()


def _is_same_product(origin: Origin, context: LoginContext) -> bool:
    """Whether user agent and handshake are those that began. Versions may be newer, products and platform are the same;
    an application that showed a device shows it again, or none."""
    return (
        _VERSIONS.sub("", origin.user_agent) == _VERSIONS.sub("", context.user_agent)
        and _does_not_differ(origin.ja4, context.ja4)
        and _does_not_differ(origin.device_digest, device_digest(context.device_id))
    )


def is_same_network(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        first, second = ip_address(one), ip_address(other)
    except ValueError:
        return False
    prefix = IPV4_PREFIX if first.version == 4 else IPV6_PREFIX
    return second in ip_network((first, prefix), strict=False)


def _does_not_differ(one: object, other: object) -> bool:
    return not one or not other or one == other


def _is_shown_again(one: object, other: object) -> bool:
    return not one or one == other
