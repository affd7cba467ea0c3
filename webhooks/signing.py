"""Who sent these bytes, and when: the Standard Webhooks signature, its check, and the plain one of older receivers.

Source: the Standard Webhooks specification, github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from plumbing.randomness import Randomness

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the public mark of a secret, not one
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64
"""Source: Standard Webhooks, "Signature scheme": between 24 bytes and 64 bytes."""
TOLERANCE_SECONDS: Final = 300
"""How far a timestamp may lie from now, so that a message caught on the way cannot be sent again next week."""
MAX_ACTIVE_SECRETS: Final = 2

Signer = Callable[[str, int, bytes], Mapping[str, str]]
"""Message id, time in whole seconds and exact body → the headers that prove the sender."""


class BadSignature(Exception):
    """The message is not from a holder of the secret, or not from now; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_secret(text: str) -> bytes:
    """The key that a `whsec_…` text stands for.

    Raises:
        ValueError: it has another form, or is not 24 to 64 bytes long. The text is not repeated.
    """
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a webhook secret is whsec_ followed by base64") from None
    if not text.startswith(SECRET_PREFIX):
        raise ValueError("a webhook secret starts with whsec_")
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(f"a webhook secret holds {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes")
    return key


def secret_text(key: bytes) -> str:
    """The `whsec_…` form of a key, as receivers' libraries take it."""
    return SECRET_PREFIX + base64.b64encode(key).decode("ascii")


def new_secret(randomness: Randomness) -> str:
    """A fresh secret in its `whsec_…` form."""
    return secret_text(randomness.bytes(32))


def signature(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,…` signature over id, time and exact body."""
    content = b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode("ascii")


def hex_signature(secret: bytes, body: bytes) -> str:
    """Hex HMAC-SHA256 over the exact body, for receivers that check nothing else."""
    return hmac.digest(secret, body, hashlib.sha256).hex()


def standard_signer(
    keys: Sequence[bytes], *, plain_header: str | None = None, plain_key: bytes | None = None
) -> Signer:
    """Signs with every active key (the newest first), so that a receiver may change over in its own time.

    With `plain_header` and `plain_key` the hex signature goes along under that name.
    """
    if not 1 <= len(keys) <= MAX_ACTIVE_SECRETS:
        raise ValueError("one or two secrets are active at a time")

    def sign(message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
        marks = [signature(key, message_id=message_id, timestamp=timestamp, body=body) for key in keys]
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(marks),
        }
        if plain_header and plain_key:
            headers[plain_header] = hex_signature(plain_key, body)
        return headers

    return sign


def bearer_signer(credential: str) -> Signer:
    """Proves the sender by a credential, for a receiver of our own behind the same door; the id goes along."""

    def sign(message_id: str, _timestamp: int, _body: bytes) -> Mapping[str, str]:
        return {"authorization": f"Bearer {credential}", "webhook-id": message_id}

    return sign


def verify(
    expected_keys: Sequence[bytes],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> str:
    """The message's id, once any of its signatures was made by any of our keys, and recently.

    Header names are taken without regard to case. Raises `BadSignature` with code `missing_header`, `bad_timestamp`,
    `too_old`, `too_new` or `no_match`.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, time_text, marks = (found[f"webhook-{part}"] for part in ("id", "timestamp", "signature"))
    except KeyError:
        raise BadSignature("missing_header") from None
    if not (time_text.isascii() and time_text.isdigit() and len(time_text) <= 12):
        raise BadSignature("bad_timestamp")
    if not message_id.isascii():
        raise BadSignature("no_match")
    timestamp = int(time_text)
    if timestamp < now - tolerance_seconds:
        raise BadSignature("too_old")
    if timestamp > now + tolerance_seconds:
        raise BadSignature("too_new")
    ours = [signature(key, message_id=message_id, timestamp=timestamp, body=body).encode() for key in expected_keys]
    given = [mark.encode("utf-8", "replace") for mark in marks.split(" ")]
    if not any(hmac.compare_digest(one, other) for one in ours for other in given):
        raise BadSignature("no_match")
    return message_id
