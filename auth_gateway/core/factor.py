"""What a person can prove themselves with beside the password, and what each of them makes of a login."""

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from auth_gateway.core.claims import (
    ONE_TIME_CODE,
    PASSWORD,
    PHISHING_RESISTANT_LEVEL,
    SEVERAL_FACTORS,
    SINGLE_FACTOR_LEVEL,
    TWO_FACTOR_LEVEL,
    Authentication,
)

FactorKind = Literal["passkey", "totp", "push", "recovery_code", "email_code"]
"""The strongest first. A push is the word of an MFA system outside, which knows who has enrolled there."""
FACTOR_KINDS: tuple[FactorKind, ...] = ("passkey", "totp", "push", "recovery_code", "email_code")
KEPT_KINDS: tuple[FactorKind, ...] = ("passkey", "totp", "recovery_code", "email_code")
"""Those that an account has itself."""

CodeKind = Literal["totp", "recovery_code", "email_code"]
"""Those that are typed."""

Demand = Literal["any", "enrolled", "phishing_resistant"]
"""Which factors a challenge takes. A code by mail is not enrolled: whoever reads the mail has it."""

_TAKEN: dict[Demand, tuple[FactorKind, ...]] = {
    "any": FACTOR_KINDS,
    "enrolled": ("passkey", "totp", "push", "recovery_code"),
    "phishing_resistant": ("passkey",),
}

# RFC 8176: proof of possession of a key; more than one channel; the user's presence was tested.
KEY_POSSESSION = "pop"
SECOND_CHANNEL = "mca"
USER_PRESENCE = "user"
_SHOWN = (frozenset({ONE_TIME_CODE}), frozenset({KEY_POSSESSION}), frozenset({SECOND_CHANNEL, SEVERAL_FACTORS}))
"""A code by mail is another channel and no other factor; a trusted device stands for several and shows none."""


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """One WebAuthn credential. `public_key` is its COSE key, `transports` names separated by spaces."""

    credential_id: bytes
    user_id: str
    public_key: bytes
    sign_count: int
    name: str
    aaguid: str
    transports: str
    is_backup_eligible: bool
    is_backed_up: bool
    created_at: float
    last_used_at: float | None = None


class TrustedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that its owner trusts; `device_id` names it to its owner, the cookie is kept as its SHA-256."""

    token_digest: bytes
    device_id: str
    user_id: str
    user_agent: str
    ip: str
    place: str
    created_at: float
    expires_at: float
    revoked_at: float | None = None


def usable(kinds: Collection[FactorKind], demand: Demand) -> tuple[FactorKind, ...]:
    """Those of a person's factors that a challenge takes, the strongest first."""
    return tuple(kind for kind in _TAKEN[demand] if kind in kinds)


def stricter(one: Demand, other: Demand) -> Demand:
    """That of the two which takes fewer kinds."""
    return min(one, other, key=lambda demand: len(_TAKEN[demand]))


def is_phishing_resistant(kind: FactorKind) -> bool:
    """Whether what it answers cannot be passed on to the site that asked for it."""
    return kind in _TAKEN["phishing_resistant"]


def is_enrolled(kinds: Collection[FactorKind]) -> bool:
    """Whether there is one that the person enrolled."""
    return bool(usable(kinds, "enrolled"))


def is_shown(amr: Collection[str]) -> bool:
    """Whether a factor was shown in a login with these methods; a trusted device stands in for one and shows none."""
    return any(methods <= set(amr) for methods in _SHOWN)


def by_password_and(kind: FactorKind, recognised_at: float) -> Authentication:
    """Recognised by the password and one more factor; a password that was shown in an earlier login is as old as that.

    A mailed code proves little more than the password's owner: it answers a challenge and reaches no higher level. A
    push went another way than the password; which key stands behind it, its MFA system alone knows.
    Source: NIST SP 800-63B-4, section 3.1.3.1 (no out-of-band authentication by e-mail); RFC 8176 for the names.
    """
    auth_time = int(recognised_at)
    if kind == "passkey":
        methods = (PASSWORD, KEY_POSSESSION, USER_PRESENCE, SEVERAL_FACTORS)
        return Authentication(amr=methods, acr=PHISHING_RESISTANT_LEVEL, auth_time=auth_time)
    if kind == "email_code":
        return Authentication(amr=(PASSWORD, SECOND_CHANNEL), acr=SINGLE_FACTOR_LEVEL, auth_time=auth_time)
    if kind == "push":
        elsewhere = (PASSWORD, SECOND_CHANNEL, SEVERAL_FACTORS)
        return Authentication(amr=elsewhere, acr=TWO_FACTOR_LEVEL, auth_time=auth_time)
    return Authentication(amr=(PASSWORD, ONE_TIME_CODE, SEVERAL_FACTORS), acr=TWO_FACTOR_LEVEL, auth_time=auth_time)


def by_one_more(amr: Sequence[str], kind: FactorKind, recognised_at: float) -> Authentication:
    """Recognised by what the first half showed (`amr`) and one more factor. The level is that of the factor: what was
    shown before is as old as the session that it is added to."""
    authentication = by_password_and(kind, recognised_at)
    if PASSWORD in amr:
        return authentication
    added = [method for method in authentication.amr if method != PASSWORD]
    return Authentication(
        amr=tuple(dict.fromkeys([*by_passkey(recognised_at).amr[:2], *added])),
        acr=authentication.acr,
        auth_time=authentication.auth_time,
    )


def by_trusted_device(now: float) -> Authentication:
    """Recognised by the password at a browser where a factor was shown before, and whose owner trusts it since."""
    return Authentication(amr=(PASSWORD, SEVERAL_FACTORS), acr=TWO_FACTOR_LEVEL, auth_time=int(now))


def by_passkey(now: float) -> Authentication:
    """Recognised by a passkey alone that verified its user (PIN or biometrics)."""
    methods = (KEY_POSSESSION, USER_PRESENCE, SEVERAL_FACTORS)
    return Authentication(amr=methods, acr=PHISHING_RESISTANT_LEVEL, auth_time=int(now))
