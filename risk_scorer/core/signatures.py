"""Who signed something, and whether it is what was signed: Ed25519 over exact bytes, by keys that are trusted."""

import base64
import hashlib
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class BadArtefact(Exception):
    """A model that must not be used. `code` is stable: it says which promise is broken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An Ed25519 signature over the exact bytes of something, in base64, and whose it is."""

    algorithm: str
    key_id: str
    signature: str


def key_id(public_key: bytes) -> str:
    """A short name for a raw public key."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def check_signature(content: bytes, signature: Signature, public_keys: Sequence[bytes], *, what: str) -> None:
    """Raises BadArtefact unless one of these raw keys signed exactly this; `what` is its name in the refusal."""
    try:
        raw = base64.b64decode(signature.signature, validate=True)
    except ValueError as error:
        raise BadArtefact("bad_signature", "the signature cannot be read") from error
    trusted = {key_id(key): key for key in public_keys}
    if signature.algorithm != "Ed25519" or signature.key_id not in trusted:
        raise BadArtefact("untrusted_key", f"{what} is signed by a key that is not trusted")
    try:
        Ed25519PublicKey.from_public_bytes(trusted[signature.key_id]).verify(raw, content)
    except (InvalidSignature, ValueError) as error:
        raise BadArtefact("bad_signature", f"{what} is not what was signed") from error


def check_stored_signature(content: bytes, stored: bytes, public_keys: Sequence[bytes], *, what: str) -> None:
    """The same for a signature that is stored in a file of its own. Raises BadArtefact."""
    try:
        signature = msgspec.json.decode(stored, type=Signature)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadArtefact("bad_signature", "the signature cannot be read") from error
    check_signature(content, signature, public_keys, what=what)
