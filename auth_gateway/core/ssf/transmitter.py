"""Another provider whose events we take: how its tokens are recognised, and what its events do here.

Source: OpenID Shared Signals Framework 1.0, section 8.1.1; RFC 8935 and RFC 8936.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from auth_gateway.core.ssf.effects import Effects
from plumbing.refusals import Refused

PREFIX: Final = "txr_"
DAY_SECONDS: Final = 86_400
MAX_AGE_SECONDS: Final = DAY_SECONDS
"""How old a token may be unless the operator says otherwise. An outage of a day loses nothing. An older event is about
a person who may have set everything right since, and a heap of old tokens is no tool for long."""
MOST_AGE_SECONDS: Final = 7 * DAY_SECONDS
AHEAD_SECONDS: Final = 60
"""How far its clock may be ahead of ours."""
REMEMBERED_SECONDS: Final = MOST_AGE_SECONDS + 3_600
"""A token's `jti` is remembered for longer than any token is taken, however the age is changed meanwhile."""
LONGEST_URL: Final = 2_000
LONGEST_NAME: Final = 256
MOST_AUDIENCES: Final = 10

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Transmitter(msgspec.Struct, frozen=True, kw_only=True):
    """One transmitter. Its tokens are made out to one of `audiences`, and signed by a key of `jwks_uri` or, where that
    is "", of the set `jwks`. They are pushed to us, or fetched at `poll_url`. Where it `shares_ids` its `sub` are our
    ids. `effects` are those that the operator said. Its secrets are not here."""

    transmitter_id: str
    name: str
    issuer: str
    audiences: tuple[str, ...]
    jwks_uri: str = ""
    jwks: str = ""
    max_age_seconds: int = MAX_AGE_SECONDS
    poll_url: str = ""
    shares_ids: bool = False
    effects: Mapping[str, Effects] = {}
    created_at: float = 0.0
    disabled_at: float | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What has come of it: tokens that were taken, how many of them named nobody whom we know or meant nothing to us,
    and how many came again; what it said of its stream, and what the last poll ran into ("" nothing)."""

    taken: int = 0
    unknown_subject: int = 0
    not_understood: int = 0
    repeated: int = 0
    last_taken_at: float = 0.0
    verified_at: float = 0.0
    verified_state: str = ""
    stream_status: str = ""
    stream_reason: str = ""
    polled_at: float = 0.0
    poll_problem: str = ""


def may_be_name(text: str) -> bool:
    """Whether a transmitter may have this name: it is part of an address."""
    return _NAME.fullmatch(text) is not None and not text.startswith(PREFIX)


def check_terms(wanted: Transmitter) -> None:
    """Let a transmitter pass whose terms mean something; addresses are looked at by whoever connects.

    Raises: Refused `invalid_transmitter` (400): which rule, not which value.
    """
    if not may_be_name(wanted.name):
        raise _unsound(f"a name has 1 to 64 letters, digits, dots, dashes or underscores, and no `{PREFIX}` in front")
    if not _is_text(wanted.issuer, LONGEST_URL):
        raise _unsound(f"an issuer has 1 to {LONGEST_URL} printable characters")
    if not 1 <= len(wanted.audiences) <= MOST_AUDIENCES:
        raise _unsound(f"there are 1 to {MOST_AUDIENCES} audiences")
    if not all(_is_text(each, LONGEST_URL) for each in wanted.audiences):
        raise _unsound(f"an audience has 1 to {LONGEST_URL} printable characters")
    if (wanted.jwks_uri == "") == (wanted.jwks == ""):
        raise _unsound("its keys are at an address or in a file, one of the two")
    if not 60 <= wanted.max_age_seconds <= MOST_AGE_SECONDS:
        raise _unsound(f"a token may be a minute to {MOST_AGE_SECONDS // DAY_SECONDS} days old")


def discovery_url(issuer: str) -> str:
    """Where a transmitter of that issuer says how it works: between host and path (section 7.2)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/ssf-configuration{parts.path.rstrip('/')}"


def poll_purpose(transmitter_id: str) -> str:
    """What the token is sealed for that a transmitter's poll endpoint asks for."""
    return f"transmitter:{transmitter_id}:poll"


def _is_text(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable()


def _unsound(text: str) -> Refused:
    return Refused("invalid_transmitter", text, status=400)
