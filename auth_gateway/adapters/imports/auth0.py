"""Exports of Auth0, one JSON object a line: the password export (`_id`, `passwordHash`), the user export, and the
objects that its bulk import takes (`user_id`, `password_hash`, `custom_password_hash`, `mfa_factors`).

An identifier without a strategy gets the one of Auth0's own databases, `auth0|`, as in the tokens that Auth0 issued.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO

import msgspec

from auth_gateway.adapters.imports.documents import decoded
from auth_gateway.adapters.imports.lines import lines
from auth_gateway.adapters.imports.notation import from_base64, from_hex, scrypt, settled
from auth_gateway.core.imported import ImportedUser, Record, Remainder, Untakeable, record_at

STRATEGY = "auth0|"
# Node's own, which Auth0 takes where nothing is said.
SCRYPT_COST, SCRYPT_BLOCK_SIZE, SCRYPT_LANES = 16_384, 8, 1
_AS_TEXT = frozenset({"argon2", "bcrypt", "pbkdf2"})


class _ObjectId(msgspec.Struct, frozen=True):
    oid: str = msgspec.field(name="$oid")


class _Text(msgspec.Struct, frozen=True):
    value: str
    encoding: str | None = None


class _PasswordForm(msgspec.Struct, frozen=True):
    encoding: str = "utf8"


class _CustomHash(msgspec.Struct, frozen=True):
    algorithm: str
    hash: _Text | str
    salt: _Text | None = None
    password: _PasswordForm = _PasswordForm()
    cost: int = SCRYPT_COST
    block_size: int = msgspec.field(name="blockSize", default=SCRYPT_BLOCK_SIZE)
    parallelization: int = SCRYPT_LANES


class _TotpFactor(msgspec.Struct, frozen=True):
    secret: str


class _MfaFactor(msgspec.Struct, frozen=True):
    totp: _TotpFactor | None = None


class _User(msgspec.Struct, frozen=True):
    id: _ObjectId | str | None = msgspec.field(name="_id", default=None)
    user_id: str | None = None
    username: str | None = None
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    blocked: bool = False
    exported_hash: str | None = msgspec.field(name="passwordHash", default=None)
    password_hash: str | None = None
    custom_password_hash: _CustomHash | None = None
    mfa_factors: list[_MfaFactor] = []


def records(source: BinaryIO) -> Iterator[Record]:
    """The people of the file by the number of their line, from 1."""
    for number, line in lines(source):
        yield record_at(f"line {number}", partial(_read, line))


def _read(line: bytes | None) -> tuple[ImportedUser, tuple[Remainder, ...]]:
    user = decoded(line, _User)
    secret, remainders = _second_factor(user.mfa_factors)
    taken = ImportedUser(
        username=user.username or user.email or "",
        password_hash=_password_hash(user),
        user_id=_subject(user),
        display_name=user.name or "",
        is_frozen=user.blocked,
        email=user.email or "",
        email_verified=user.email_verified,
        totp_secret=secret,
    )
    return taken, remainders


def _subject(user: _User) -> str | None:
    plain = user.id.oid if isinstance(user.id, _ObjectId) else user.id
    given = user.user_id or plain
    return given if not given or "|" in given else STRATEGY + given


def _password_hash(user: _User) -> str:
    texts = [text for text in (user.exported_hash, user.password_hash) if text]
    if len(texts) + (user.custom_password_hash is not None) > 1:
        raise Untakeable("several_passwords")
    if texts:
        return settled(texts[0])
    if user.custom_password_hash is None:
        raise Untakeable("no_password")
    return _custom(user.custom_password_hash)


def _custom(custom: _CustomHash) -> str:
    if custom.password.encoding != "utf8":
        raise Untakeable("unsupported_password_encoding")
    given = custom.hash if isinstance(custom.hash, _Text) else _Text(value=custom.hash)
    if custom.algorithm in _AS_TEXT:
        return settled(given.value)
    if custom.algorithm != "scrypt":
        raise Untakeable("unknown_hash_scheme")
    if custom.salt is None:
        raise Untakeable("malformed_hash")
    return scrypt(
        cost=custom.cost,
        block_size=custom.block_size,
        lanes=custom.parallelization,
        salt=_bytes(custom.salt, unless_said="utf8"),
        derived=_bytes(given, unless_said="base64"),
    )


def _bytes(text: _Text, *, unless_said: str) -> bytes:
    encoding = text.encoding or unless_said
    if encoding == "utf8":
        return text.value.encode()
    if encoding == "hex":
        return from_hex(text.value)
    if encoding == "base64":
        return from_base64(text.value)
    raise Untakeable("malformed_hash")


def _second_factor(factors: Sequence[_MfaFactor]) -> tuple[str | None, tuple[Remainder, ...]]:
    """The first authenticator application, and whether there was any other factor (telephone, e-mail)."""
    secrets = [factor.totp.secret for factor in factors if factor.totp is not None]
    return (secrets[0] if secrets else None), (("second_factor",) if len(factors) > min(1, len(secrets)) else ())
