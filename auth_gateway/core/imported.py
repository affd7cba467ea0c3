"""People from another system, and what an import says of each. Values and rules; reading files is not here."""

import binascii
from base64 import b32decode
from collections.abc import Callable
from typing import Literal

import msgspec

from auth_gateway.core.names import may_be_email, may_be_user_id, prepare_username

LONGEST_DISPLAY_NAME = 256
SHORTEST_TOTP_SECRET, LONGEST_TOTP_SECRET = 14, 64
"""Bytes. Source: NIST SP 800-63B-4 section 3.1.4.1, 112 bits; what is shorter is not checked, so it is not taken."""

Reason = Literal[
    # the record
    "not_json",
    "not_utf8",
    "wrong_shape",
    "nested_too_deeply",
    "record_too_long",
    "wrong_number_of_columns",
    # the person
    "invalid_username",
    "invalid_user_id",
    "invalid_display_name",
    "invalid_email",
    "username_taken",
    "user_id_taken",
    "service_account",
    # the password
    "no_password",
    "several_passwords",
    "unknown_hash_scheme",
    "hash_cost_out_of_bounds",
    "malformed_hash",
    "unsupported_password_encoding",
]
"""Why a record was not taken. Stable: scripts may look for these."""

Remainder = Literal["second_factor", "invalid_totp_secret", "required_actions"]
"""What a taken person had and does not have any more."""


class ImportedUser(msgspec.Struct, frozen=True, kw_only=True):
    """One account from another system. `user_id` keeps the identity it had there (it becomes `sub`), `totp_secret` is
    base32."""

    username: str
    password_hash: str
    user_id: str | None = None
    display_name: str = ""
    is_frozen: bool = False
    email: str = ""
    email_verified: bool = False
    totp_secret: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a file: the person it holds, or why it holds none. `place` says where it stands."""

    place: str
    user: ImportedUser | None = None
    reason: Reason | None = None
    remainders: tuple[Remainder, ...] = ()


class Untakeable(Exception):
    """A record that holds nobody we can take."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class BadFile(Exception):
    """A file that is not of its format, as a whole. The text is safe to show."""


def problem_of(user: ImportedUser) -> Reason | None:
    """Why nobody can be called or reached like this, None when they can; the password is judged elsewhere."""
    if prepare_username(user.username) is None:
        return "invalid_username"
    if user.user_id is not None and not may_be_user_id(user.user_id):
        return "invalid_user_id"
    if len(user.display_name) > LONGEST_DISPLAY_NAME or not user.display_name.isprintable():
        return "invalid_display_name"
    if user.email and not may_be_email(user.email):
        return "invalid_email"
    return None


def usable_totp_secret(raw: str) -> str | None:
    """The secret as an authenticator's secret is kept (base32, no padding), or None when it is none."""
    secret = "".join(raw.split()).upper().rstrip("=")
    try:
        n_bytes = len(b32decode(secret + "=" * (-len(secret) % 8)))
    except (binascii.Error, ValueError):
        return None
    return secret if SHORTEST_TOTP_SECRET <= n_bytes <= LONGEST_TOTP_SECRET else None


def record_at(place: str, read: Callable[[], tuple[ImportedUser, tuple[Remainder, ...]]]) -> Record:
    """What `read` finds at this place, or its reason not to."""
    try:
        user, remainders = read()
    except Untakeable as untakeable:
        return Record(place=place, reason=untakeable.reason)
    return Record(place=place, user=user, remainders=remainders)
