"""Codes that go by mail: eight digits for one challenge, kept as a keyed digest."""

import hashlib
import hmac

KEY_PURPOSE = "mailed-codes"
"""What the key of the digests is derived for."""
CODE_BYTES = 16
CODE_SECONDS = 600
"""Source: NIST SP 800-63B-4, section 3.1.3.2: an out-of-band secret is good for ten minutes."""
MOST_SENDS = 3
"""For one challenge: a lost mail may be asked for again."""
_DIGITS = 8
_LONGEST_TYPED = 64


def drawn_code(raw: bytes) -> str:
    """Eight digits from sixteen random bytes, all equally likely to within 2^-100."""
    if len(raw) != CODE_BYTES:
        raise ValueError(f"a mailed code takes {CODE_BYTES} random bytes")
    return f"{int.from_bytes(raw, 'big') % 10**_DIGITS:0{_DIGITS}}"


def code_digest(key: bytes, challenge_digest: bytes, typed: str) -> bytes | None:
    """What a challenge's code is stored by, whatever spaces it is typed with; None when it can be no code."""
    digits = "".join(typed.split()) if len(typed) <= _LONGEST_TYPED else ""
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    return hmac.digest(key, challenge_digest + digits.encode(), hashlib.sha256)
