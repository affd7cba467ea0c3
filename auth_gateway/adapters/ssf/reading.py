"""Reads Security Event Tokens of other providers: the outside, the key, the signature, and only then what it says.

Source: RFC 8417; RFC 8725, sections 3.1 and 3.11 (algorithms are ours to choose, types keep tokens apart).
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.adapters.provider.signatures import STRANGERS_ALGORITHMS, Envelope, read_envelope
from auth_gateway.adapters.ssf.remote_keys import RemoteKeys
from auth_gateway.core.ssf.received import TYPES, ReceivedClaims, ReceivedEvent, believed
from auth_gateway.core.ssf.set_error import SetRefused
from auth_gateway.core.ssf.transmitter import Transmitter

_decoder = msgspec.json.Decoder(ReceivedClaims)


@dataclass(frozen=True, slots=True)
class SignedSetReader:
    """`SetReader` says what it promises. Nothing but public keys signs: no `none`, no shared secret."""

    keys: RemoteKeys

    async def __call__(self, token: str, transmitter: Transmitter, now: float) -> ReceivedEvent:
        envelope = _outside(token)
        key = await self.keys.fitting(transmitter, kid=envelope.kid, algorithm=envelope.algorithm)
        if key is None:
            raise SetRefused("invalid_key", "The transmitter has no such key for this algorithm.")
        if not envelope.is_signed_with(key):
            raise SetRefused("authentication_failed", "The signature is wrong.")
        claims = envelope.claims(_decoder)
        if claims is None:
            raise SetRefused("invalid_request", "The claims are not those of a Security Event Token.")
        return believed(claims, transmitter, now)


def _outside(token: str) -> Envelope:
    envelope = read_envelope(token)
    if envelope is None:
        raise SetRefused("invalid_request", "It is no signed token in its compact form.")
    typ = envelope.header.get("typ")
    if not isinstance(typ, str) or typ.lower() not in TYPES:
        raise SetRefused("invalid_request", "typ is secevent+jwt.")
    if envelope.algorithm not in STRANGERS_ALGORITHMS or "jwk" in envelope.header:
        raise SetRefused("invalid_key", f"It is signed with one of {', '.join(STRANGERS_ALGORITHMS)}.")
    return envelope
