"""Signs what stands in a registry beside the models."""

import base64

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk_scorer.core import evaluation
from risk_scorer.core.registry import Entry, Pointer, signed_bytes
from risk_scorer.core.signatures import Signature, key_id
from training.publish import public_bytes


def sealed_pointer(pointer: Pointer, key: Ed25519PrivateKey) -> Pointer:
    """The same, signed."""
    return msgspec.structs.replace(pointer, signature=_signature(signed_bytes(pointer), key))


def sealed_entry(entry: Entry, key: Ed25519PrivateKey) -> Entry:
    """The same, signed."""
    return msgspec.structs.replace(entry, signature=_signature(signed_bytes(entry), key))


def sealed_evaluation(kept: evaluation.Kept, key: Ed25519PrivateKey) -> evaluation.Kept:
    """The same, signed."""
    return msgspec.structs.replace(kept, signature=_signature(evaluation.signed_bytes(kept), key))


def _signature(content: bytes, key: Ed25519PrivateKey) -> Signature:
    made = base64.b64encode(key.sign(content)).decode()
    return Signature(algorithm="Ed25519", key_id=key_id(public_bytes(key)), signature=made)
