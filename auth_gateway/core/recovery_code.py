"""Recovery codes: ten that are drawn together, written down by their owner, and kept by us as keyed digests alone."""

import hashlib
import hmac

KEY_PURPOSE = "recovery-codes"
"""What the key of the digests is derived for."""
CODES = 10
CODE_BYTES = 10
"""80 bits: nobody guesses one, whatever the caps are."""
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Source: Crockford's base32, which leaves out i, l, o and u; what is typed for them is read as 1 and 0."""
_GROUP = 4
_SIGNS = CODE_BYTES * 8 // 5
_LONGEST_TYPED = 64
_READ_AS = str.maketrans("ilo", "110")


def drawn_code(raw: bytes) -> str:
    """Ten random bytes as their owner writes them down: `xxxx-xxxx-xxxx-xxxx`."""
    if len(raw) != CODE_BYTES:
        raise ValueError(f"a recovery code takes {CODE_BYTES} random bytes")
    number = int.from_bytes(raw, "big")
    signs = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(_SIGNS)))
    return "-".join(signs[start : start + _GROUP] for start in range(0, _SIGNS, _GROUP))


def normal_code(typed: str) -> str | None:
    """The sixteen signs of what was typed, whatever its case, spaces and dashes; None when it can be no code."""
    if len(typed) > _LONGEST_TYPED or not typed.isascii():
        return None
    signs = "".join(typed.split()).replace("-", "").lower().translate(_READ_AS)
    return signs if len(signs) == _SIGNS and set(signs) <= set(ALPHABET) else None


def code_digest(key: bytes, user_id: str, typed: str) -> bytes | None:
    """What a person's code is stored by; None when it can be no code. `key` is derived for this alone, so that the
    database by itself tells nobody whether a guess is right."""
    code = normal_code(typed)
    return None if code is None else hmac.digest(key, f"{user_id}\n{code}".encode(), hashlib.sha256)
