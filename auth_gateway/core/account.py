"""A person's account as the gateway knows it. Values only; how passwords are hashed and rows kept is not here."""

import hashlib

import msgspec

from auth_gateway.core.factor import FactorKind
from auth_gateway.core.leeway import NO_LEEWAY, Leeway
from auth_gateway.core.user_risk import NO_RISK, UserRisk

REPORTED = "reported"
"""Why an account is frozen whose owner said that a sign-in was not theirs; the owner lifts it by recovery."""

RENEWAL = "password_renewal"
"""Why an account is frozen whose password a reviewer wants renewed; the owner lifts it by recovery."""

LIFTED_BY_OWNER = (REPORTED, RENEWAL)

SHIELD = "shield"
"""Why an account is frozen whose session was at a risk that asks for a review; only who has looked lifts it."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One person. `username` is the prepared form, `display_name` is what they wrote.

    `password_version` grows when the password is changed or the account is frozen, and stays when only its hash is
    upgraded: logins that are half done end with it. `frozen_reason` "" is an operator's freeze, which only an operator
    lifts, as one until a review; `language` "" is not known. `password_hash` is the text of the table once the
    account was read: sealed, as a rule. `is_password_listed` says that this very password was found, when it was last
    shown, on a list of those that others guess first.
    """

    user_id: str
    username: str
    display_name: str
    password_hash: str
    password_version: int = 1
    is_frozen: bool = False
    created_at: float = 0.0
    email: str = ""
    email_verified: bool = False
    frozen_reason: str = ""
    language: str = ""
    is_password_listed: bool = False


class LoginFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one look-up tells of the account that a login names. `factors` are the kinds that its owner could show,
    a code by mail among them where the address is verified; `risk` is what is held against the person, `leeway` how
    often they answered a challenge."""

    account: Account
    factors: tuple[FactorKind, ...]
    is_known_device: bool
    is_trusted_device: bool = False
    risk: UserRisk = NO_RISK
    leeway: Leeway = NO_LEEWAY


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One enrolled TOTP factor; its secret is sealed. `last_used_step` stops a code from being used twice."""

    factor_id: str
    user_id: str
    sealed_secret: bytes
    last_used_step: int
    created_at: float


def password_purpose(user_id: str) -> str:
    """What a person's hash is sealed for: it opens for nobody else."""
    return f"password-hash:{user_id}"


def hash_scheme(stored_hash: str) -> str:
    """The scheme and cost of a stored hash, without salt and hash: `2b$12`, `argon2id$v=19$m=65536,t=3,p=4`."""
    parts = stored_hash.strip("$").split("$")
    is_bcrypt = parts[0].startswith("2")
    return "$".join(parts[:-1] if is_bcrypt else parts[:-2]) or "unknown"


def device_digest(device_id: str) -> bytes | None:
    """What is kept of a device's id; None when it is not known, and then the device is nobody's."""
    return hashlib.sha256(device_id.encode("utf-8", "surrogatepass")).digest() if device_id else None
