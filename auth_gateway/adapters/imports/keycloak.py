"""A realm export of Keycloak: the object's `users`, whose credentials hold two JSON texts each.

What is read: `id` (it stays the subject), `username`, `email`, `emailVerified`, `enabled`, `firstName`, `lastName`, the
password, and a time-based authenticator of six digits, 30 seconds and SHA-1, the one kind that is checked here.
"""

import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO

import msgspec

from auth_gateway.adapters.imports.documents import decoded, elements
from auth_gateway.adapters.imports.notation import argon2, from_base64, pbkdf2, settled
from auth_gateway.core.imported import ImportedUser, Record, Remainder, Untakeable, record_at
from auth_gateway.core.totp import DIGITS, STEP_SECONDS

PASSWORD = "password"  # noqa: S105 - a type's name
OTP = "otp"
# What these credentials are for is gone with the old system; they let nobody in by themselves.
_WITHOUT_MEANING = frozenset({"password-history"})
_PBKDF2 = {"pbkdf2": "", "pbkdf2-sha256": "-sha256", "pbkdf2-sha512": "-sha512"}


class _Credential(msgspec.Struct, frozen=True, rename="camel"):
    type: str
    secret_data: str | None = None
    credential_data: str | None = None
    # Before Keycloak 8 these stood beside each other.
    hashed_salted_value: str | None = None
    salt: str | None = None
    hash_iterations: int | None = None
    algorithm: str | None = None


class _User(msgspec.Struct, frozen=True, rename="camel"):
    username: str
    id: str | None = None
    email: str | None = None
    email_verified: bool = False
    enabled: bool = True
    first_name: str | None = None
    last_name: str | None = None
    service_account_client_id: str | None = None
    credentials: list[_Credential] = []
    required_actions: list[str] = []


class _PasswordData(msgspec.Struct, frozen=True, rename="camel"):
    hash_iterations: int
    algorithm: str
    additional_parameters: dict[str, list[str]] = {}


class _PasswordSecret(msgspec.Struct, frozen=True):
    value: str
    salt: str | None = None


class _OtpData(msgspec.Struct, frozen=True, rename="camel"):
    sub_type: str
    digits: int
    period: int
    algorithm: str
    secret_encoding: str | None = None


class _OtpSecret(msgspec.Struct, frozen=True):
    value: str


def records(source: BinaryIO) -> Iterator[Record]:
    """The people of the realm by their path in the export.

    Raises: BadFile.
    """
    for number, text in enumerate(elements(source, under="users")):
        yield record_at(f"users[{number}]", partial(_read, text))


def _read(text: bytes | None) -> tuple[ImportedUser, tuple[Remainder, ...]]:
    user = decoded(text, _User)
    if user.service_account_client_id is not None:
        raise Untakeable("service_account")
    passwords = [credential for credential in user.credentials if credential.type == PASSWORD]
    if len(passwords) != 1:
        raise Untakeable("several_passwords" if passwords else "no_password")
    secret, remainders = _second_factor(user.credentials)
    if user.required_actions:
        remainders = (*remainders, "required_actions")
    taken = ImportedUser(
        username=user.username,
        password_hash=_password_hash(passwords[0]),
        user_id=user.id,
        display_name=" ".join(filter(None, (user.first_name, user.last_name))),
        is_frozen=not user.enabled,
        email=user.email or "",
        email_verified=user.email_verified,
        totp_secret=secret,
    )
    return taken, remainders


def _password_hash(credential: _Credential) -> str:
    data, secret = _password_parts(credential)
    if data.algorithm == "bcrypt":  # the usual plug-in keeps bcrypt's whole text as the value
        return settled(secret.value)
    derived, salt = from_base64(secret.value), from_base64(secret.salt or "")
    if data.algorithm == "argon2":
        return argon2(
            variant=_parameter(data, "type"),
            version=_parameter(data, "version"),
            memory_kib=_number(data, "memory"),
            passes=data.hash_iterations,
            lanes=_number(data, "parallelism"),
            salt=salt,
            derived=derived,
        )
    mark = _PBKDF2.get(data.algorithm)
    if mark is None:
        raise Untakeable("unknown_hash_scheme")
    return pbkdf2(mark, iterations=data.hash_iterations, salt=salt, derived=derived)


def _password_parts(credential: _Credential) -> tuple[_PasswordData, _PasswordSecret]:
    if credential.credential_data is not None and credential.secret_data is not None:
        return (
            decoded(credential.credential_data.encode(), _PasswordData),
            decoded(credential.secret_data.encode(), _PasswordSecret),
        )
    value, iterations = credential.hashed_salted_value, credential.hash_iterations
    if value is None or iterations is None or credential.algorithm is None:
        raise Untakeable("wrong_shape")
    data = _PasswordData(hash_iterations=iterations, algorithm=credential.algorithm)
    return data, _PasswordSecret(value=value, salt=credential.salt)


def _parameter(data: _PasswordData, name: str) -> str:
    values = data.additional_parameters.get(name, [])
    if len(values) != 1:
        raise Untakeable("malformed_hash")
    return values[0]


def _number(data: _PasswordData, name: str) -> int:
    text = _parameter(data, name)
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise Untakeable("hash_cost_out_of_bounds")
    return int(text)


def _second_factor(credentials: Sequence[_Credential]) -> tuple[str | None, tuple[Remainder, ...]]:
    """The first authenticator we can check, and whether anything else was there."""
    factors = [one for one in credentials if one.type != PASSWORD and one.type not in _WITHOUT_MEANING]
    secrets = [secret for secret in map(_totp_secret, factors) if secret is not None]
    return (secrets[0] if secrets else None), (("second_factor",) if len(factors) > min(1, len(secrets)) else ())


def _totp_secret(credential: _Credential) -> str | None:
    """The secret in base32; Keycloak keeps the key's own characters unless it says otherwise."""
    if credential.type != OTP or credential.credential_data is None or credential.secret_data is None:
        return None
    try:
        data = decoded(credential.credential_data.encode(), _OtpData)
        secret = decoded(credential.secret_data.encode(), _OtpSecret)
    except Untakeable:
        return None
    if (data.sub_type, data.digits, data.period, data.algorithm) != ("totp", DIGITS, STEP_SECONDS, "HmacSHA1"):
        return None
    if data.secret_encoding is None:
        return b32encode(secret.value.encode()).decode()
    return secret.value if data.secret_encoding.upper() == "BASE32" else None
