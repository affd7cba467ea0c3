"""Whom an event is about, as subject identifiers, and whom a receiver means by the ones that it names.

Source: RFC 9493; OpenID Shared Signals Framework 1.0, section 3.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from auth_gateway.core.mail_address import prepare_address
from plumbing.refusals import Refused

LONGEST_ID: Final = 256
_MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "iss_sub": frozenset({"iss", "sub"}),
    "email": frozenset({"email"}),
    "opaque": frozenset({"id"}),
}


def person(issuer: str, user_id: str) -> dict[str, Any]:
    """A person, as ID tokens name them."""
    return {"format": "iss_sub", "iss": issuer, "sub": user_id}


def session_of(issuer: str, user_id: str, session_id: str) -> dict[str, Any]:
    """One session of a person; its id is `sid` in ID tokens."""
    return {
        "format": "complex",
        "user": person(issuer, user_id),
        "session": {"format": "opaque", "id": session_id},
    }


def opaque(name: str) -> dict[str, Any]:
    """Something that has no name but ours."""
    return {"format": "opaque", "id": name}


def by_id(user_id: str) -> str:
    """What a person is known by here."""
    return f"sub:{user_id}"


def by_email(address: str) -> str | None:
    """What the owner of a mail address is known by here, however its letters were written; None when it is none."""
    prepared = prepare_address(address)
    return None if prepared is None else f"email:{prepared.lower()}"


def meant(subject: Mapping[str, object], issuer: str) -> str | None:
    """What the person that a receiver names is known by here; None for one whom we cannot know. Whether there is such
    a person, nobody is told.

    Raises: Refused `invalid_subject` (400) for what is no subject identifier of a format that we take.
    """
    form = subject.get("format")
    wanted = _MEMBERS.get(form) if isinstance(form, str) else None
    if wanted is None:
        raise _unsound("format is iss_sub, email or opaque")
    if subject.keys() - {"format"} != wanted:
        raise _unsound("its members are those of its format (RFC 9493)")
    values = {name: subject[name] for name in wanted}
    if not all(isinstance(value, str) and 0 < len(value) <= LONGEST_ID for value in values.values()):
        raise _unsound(f"its members are texts of 1 to {LONGEST_ID} characters")
    if form == "email":
        return by_email(str(values["email"]))
    if form == "iss_sub" and values["iss"] != issuer:
        return None
    return by_id(str(values["sub" if form == "iss_sub" else "id"]))


def covered(known_by: str, key: bytes) -> str:
    """The name as it is kept: what receivers tell us of people who may not be ours is written down nowhere."""
    return hmac.digest(key, known_by.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def _unsound(text: str) -> Refused:
    return Refused("invalid_subject", f"This is no subject that can be named: {text}.", status=400)
