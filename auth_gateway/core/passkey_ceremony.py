"""What passes between us and somebody's passkey, as values: who we are to it, what it signed, and what is wrong."""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

LONGEST_NAME = 64
MOST_PASSKEYS = 20
"""Of one person: each makes every page longer that names them all to a browser."""
LONGEST_CREDENTIAL_ID = 1023
"""Source: WebAuthn level 3, section 7.1, step 25."""

Flaw = Literal[
    "malformed",
    "type",
    "challenge",
    "origin",
    "cross_origin",
    "rp_id",
    "user_presence",
    "user_verification",
    "signature",
    "unknown_credential",
    "another_person",
    "user_handle",
    "backup_eligibility",
    "algorithm",
    "attestation",
    "duplicate",
    "too_many",
    "replayed",
    "counter",
]
"""Why an answer is refused: for the operator's audit, never for the page."""


class Flawed(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is not believed; `user_id` is whose credential it named, when it is a known one."""

    flaw: Flaw
    user_id: str | None = None


class RelyingParty(msgspec.Struct, frozen=True, kw_only=True):
    """Who we are to a browser: `rp_id` is the host that passkeys are bound to, `origin` where they may be asked for."""

    rp_id: str
    origin: str
    name: str


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a request, as it was read and as nobody may believe it yet."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None
    challenge: bytes


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """A new credential, as it was read and as nobody may believe it yet."""

    credential_id: bytes
    client_data: bytes
    attestation_object: bytes
    transports: tuple[str, ...]
    challenge: bytes


class Asserted(msgspec.Struct, frozen=True, kw_only=True):
    """What a good signature says; the counter is not judged yet."""

    sign_count: int
    is_user_verified: bool
    is_backed_up: bool


class Attested(msgspec.Struct, frozen=True, kw_only=True):
    """A credential that was made for us."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    is_backup_eligible: bool
    is_backed_up: bool


def relying_party(issuer: str, name: str) -> RelyingParty | None:
    """Who a gateway of that address is to browsers; None where they have no passkeys: they want https, but for the
    machine itself, and a name, not a number.

    Source: WebAuthn level 3, sections 5.1.3 (step 8, effective domain) and 13.4.9; the HTML standard's secure contexts.
    """
    parts = urlsplit(issuer)
    host = (parts.hostname or "").lower()
    is_local = host == "localhost" or host.endswith(".localhost")
    if parts.scheme not in {"http", "https"} or (parts.scheme == "http" and not is_local) or _is_number(host):
        return None
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return RelyingParty(rp_id=host, origin=f"{parts.scheme}://{host}{port}", name=name)


def passkey_name(given: str, default: str) -> str:
    """What a person calls a passkey: one line, not too long; `default` when nothing is left of it."""
    printable = "".join(sign if sign.isprintable() else " " for sign in given[: 4 * LONGEST_NAME])
    return " ".join(printable.split())[:LONGEST_NAME].strip() or default


def _is_number(host: str) -> bool:
    """IPv6 has colons; what ends in a number is IPv4 to a browser (URL standard, "ends in a number checker")."""
    last = host.rstrip(".").rpartition(".")[2]
    return not last or ":" in host or last.isdigit() or last.startswith("0x")
