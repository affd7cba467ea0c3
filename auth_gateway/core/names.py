"""User names and passwords in the one form in which they are compared.

The `prepare_` functions answer None for a text that no account can have. At login that is treated exactly like an
unknown user or a wrong password; only the operator's commands say what is wrong with it.
"""

import hmac
import unicodedata

LONGEST_USERNAME = 254
LONGEST_USER_ID = 256
LONGEST_EMAIL = 254
"""Source: RFC 5321 section 4.5.3.1.3, a path of 256 octets with its two brackets."""
UNKNOWN_USER = "unknown:"
LONGEST_PASSWORD = 1024
LONGEST_PASSWORD_BYTES = 4096
_IDENTIFIER_CATEGORIES = frozenset({"Ll", "Lm", "Lo", "Lu", "Lt", "Mn", "Mc", "Nd"})


def prepare_username(raw: str) -> str | None:
    """The name as it is stored and looked up, or None when nobody can be called that.

    Source: RFC 8265 section 3.3 (UsernameCaseMapped): full-width forms mapped, lower case, NFC. Characters are those
    of the IdentifierClass (RFC 8264 section 4.2): printable ASCII without space; letters, marks and digits without
    compatibility forms. Stricter than the RFC: joiners are never allowed. Its bidi rule is not applied.
    """
    if not 1 <= len(raw) <= LONGEST_USERNAME:
        return None
    mapped = "".join(_narrow(character) for character in raw)
    prepared = unicodedata.normalize("NFC", unicodedata.normalize("NFC", mapped).lower())
    if not 1 <= len(prepared) <= LONGEST_USERNAME or not all(map(_may_identify, prepared)):
        return None
    return prepared


def prepare_password(raw: str) -> str | None:
    """The password as it is hashed, or None when it cannot be anybody's.

    Source: RFC 8265 section 4.2 (OpaqueString): spaces of any kind become ASCII spaces, NFC, case and width kept.
    Looser than the RFC: control characters other than NUL pass, since imported passwords may hold them. Only this
    form is tried: a hash imported from a system that did not normalise fits unless the password was not in NFC.
    """
    if not 1 <= len(raw) <= LONGEST_PASSWORD or "\0" in raw:
        return None
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in raw)
    prepared = unicodedata.normalize("NFC", spaced)
    try:
        n_bytes = len(prepared.encode())
    except UnicodeEncodeError:
        return None
    return prepared if n_bytes <= LONGEST_PASSWORD_BYTES else None


def may_be_user_id(raw: str) -> bool:
    """Whether an operator may give this id: it becomes `sub` in tokens and stands in lists and logs."""
    return 1 <= len(raw) <= LONGEST_USER_ID and raw.isprintable() and not raw.startswith(UNKNOWN_USER)


def may_be_email(raw: str) -> bool:
    """Enough to send a message to; whether it arrives is the only proof of an address."""
    local, at, domain = raw.rpartition("@")
    is_plain = raw.isprintable() and " " not in raw and len(raw) <= LONGEST_EMAIL
    return bool(is_plain and at and local and domain)


def unknown_user_id(key: bytes, username: str | None) -> str:
    """What the scorer is told instead of a name that nobody has: the same for the same name, and nobody's id.

    Never the name, for people type passwords there. A keyed digest of twelve bits: enough to tell whether a network
    fails for one name or for many, too little to find the name again, and no flood of names makes more than 4,096
    people of them.
    """
    mac = hmac.digest(key, (username or "").encode("utf-8", "surrogatepass"), "sha256")
    return f"{UNKNOWN_USER}{mac.hex()[:3]}"


def _narrow(character: str) -> str:
    """A full-width or half-width form as its usual character (RFC 8264's width mapping rule)."""
    kind, _, _ = unicodedata.decomposition(character).partition(" ")
    return unicodedata.normalize("NFKC", character) if kind in {"<wide>", "<narrow>"} else character


def _may_identify(character: str) -> bool:
    if character.isascii():
        return "!" <= character <= "~"
    is_compatibility_form = unicodedata.normalize("NFKC", character) != character
    return unicodedata.category(character) in _IDENTIFIER_CATEGORIES and not is_compatibility_form
