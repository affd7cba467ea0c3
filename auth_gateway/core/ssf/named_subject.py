"""Whom another provider's event names, as what can be looked up here. Whether there is such a person is not known here.

Source: RFC 9493, section 3; OpenID Shared Signals Framework 1.0, section 3.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from auth_gateway.core.mail_address import prepare_address
from auth_gateway.core.names import may_be_user_id, prepare_username
from auth_gateway.core.ssf.set_error import SetRefused

MOST_ALIASES: Final = 10
LONGEST_MEMBER: Final = 1_000

Form = Literal["id", "email", "username"]
Issuers = tuple[str, str]
"""Ours, and one whose `sub` are our ids."""


class LookUp(msgspec.Struct, frozen=True):
    """One way to find people: by our id, by a verified mail address, by a user name."""

    by: Form
    value: str


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an event is about: whoever the first of `people` finds that finds anybody, and of them one session, where
    `session_id` is not ""."""

    people: tuple[LookUp, ...] = ()
    session_id: str = ""


NOBODY: Final = Named()


def named(subject: Mapping[str, Any], issuer: str, *, shared_by: str = "") -> Named:
    """Whom a subject identifier names; nobody for a format that we cannot look up. `shared_by` is another issuer whose
    `sub` are our ids, "" for none.

    Raises: SetRefused `invalid_request` for one that its format does not allow.
    """
    if subject.get("format") == "complex":
        return _complex(subject, (issuer, shared_by))
    return Named(people=_people(subject, (issuer, shared_by)))


def _complex(subject: Mapping[str, Any], issuers: Issuers) -> Named:
    """All members must fit: the session must be the user's. What else it names (a device, a tenant) is theirs."""
    user, session = (subject.get(name) for name in ("user", "session"))
    if any(part is not None and not isinstance(part, dict) for part in (user, session)):
        raise _unsound()
    people = _people(user, issuers) if user is not None else ()
    if session is None:
        return Named(people=people)
    if session.get("format") != "opaque":
        return NOBODY
    session_id = _text(session, "id")
    if not may_be_user_id(session_id) or (user is not None and not people):
        return NOBODY
    return Named(people=people, session_id=session_id)


def _people(subject: Mapping[str, Any], issuers: Issuers) -> tuple[LookUp, ...]:
    form = _text(subject, "format")
    if form == "aliases":
        return _aliases(subject, issuers)
    found = None
    if form == "iss_sub":
        is_ours, value = _text(subject, "iss") in issuers, _text(subject, "sub")
        found = LookUp("id", value) if is_ours and may_be_user_id(value) else None
    elif form == "opaque":
        value = _text(subject, "id")
        found = LookUp("id", value) if may_be_user_id(value) else None
    elif form == "email":
        address = prepare_address(_text(subject, "email"))
        found = None if address is None else LookUp("email", address)
    elif form == "account":
        found = _account(_text(subject, "uri"), issuers[0])
    return () if found is None else (found,)


def _aliases(subject: Mapping[str, Any], issuers: Issuers) -> tuple[LookUp, ...]:
    """Several names of one person; they may not be nested (section 3.2.8)."""
    listed = subject.get("identifiers")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_ALIASES:
        raise _unsound()
    if not all(isinstance(each, dict) and each.get("format") != "aliases" for each in listed):
        raise _unsound()
    return tuple(found for each in listed for found in _people(each, issuers))


def _account(uri: str, issuer: str) -> LookUp | None:
    """`acct:ada@id.example` is Ada where that is our host, and else whoever is called `ada@id.example` (RFC 7565)."""
    scheme, _, rest = uri.partition(":")
    user, at, host = rest.rpartition("@")
    if scheme.lower() != "acct" or not user or not at:
        raise _unsound()
    name = unquote(user, errors="replace")
    is_ours = host.lower() == (urlsplit(issuer).hostname or "").lower()
    prepared = prepare_username(name if is_ours else f"{name}@{host}")
    return None if prepared is None else LookUp("username", prepared)


def _text(subject: Mapping[str, Any], name: str) -> str:
    value = subject.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_MEMBER:
        raise _unsound()
    return value


def _unsound() -> SetRefused:
    return SetRefused("invalid_request", "sub_id is no subject identifier (RFC 9493).")
