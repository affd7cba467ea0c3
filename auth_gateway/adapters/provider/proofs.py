"""DPoP proofs: that whoever sends a request holds the key that its token is bound to. Remembering them is a flow's."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from auth_gateway.adapters.provider.jwks import UnusableKey, public_key
from auth_gateway.adapters.provider.signatures import STRANGERS_ALGORITHMS, Envelope, read_envelope
from auth_gateway.adapters.public_keys import base64url
from plumbing.refusals import Refused

# RFC 9449, section 4.2.
PROOF_TYPE = "dpop+jwt"
PROOF_SECONDS = 60
"""How old a proof may be; section 11.1 wants seconds or minutes."""
AHEAD_SECONDS = 5
"""How far a client's clock may be ahead of ours."""
_MOST_ID = 256
_DEFAULT_PORTS = {"http": 80, "https": 443}


class _ProofClaims(msgspec.Struct, frozen=True):
    jti: str
    htm: str
    htu: str
    iat: int | float
    ath: str = ""
    exp: int | float | None = None
    nbf: int | float | None = None


_decoder = msgspec.json.Decoder(_ProofClaims)


@dataclass(frozen=True, slots=True)
class DpopProof:
    """A proof that was right: the key's thumbprint, and what must not be seen again before `expires_at`."""

    jkt: str
    replay_digest: bytes
    expires_at: float


class DpopProofs:
    """Checks proofs as RFC 9449, section 4.3, lists it."""

    def check(
        self, proofs: Sequence[str], *, method: str, url: str, now: float, access_token: str | None = None
    ) -> DpopProof:
        """The proof in the request's DPoP headers, of which there is exactly one.

        `url` is the address that the client was told, not what a proxy made of it; its query and the proof's are passed
        over. A proof for a resource names the access token, so one for another token is refused.

        Raises: Refused `invalid_dpop_proof` (400).
        """
        if len(proofs) != 1:
            raise _invalid("Send exactly one DPoP proof.")
        envelope = read_envelope(proofs[0])
        if envelope is None or envelope.header.get("typ") != PROOF_TYPE:
            raise _invalid("The DPoP proof is not a JWT of the type dpop+jwt.")
        jkt = _signer(envelope)
        claims = envelope.claims(_decoder)
        if claims is None or not 0 < len(claims.jti) <= _MOST_ID:
            raise _invalid("The DPoP proof needs jti, htm, htu and iat.")
        if claims.htm != method or not _is_same_place(claims.htu, url):
            raise _invalid("The DPoP proof is for another request.")
        _check_times(claims, now)
        if access_token is not None and claims.ath != _hash_of(access_token):
            raise _invalid("The DPoP proof is for another access token.")
        digest = hashlib.sha256(f"dpop\n{jkt}\n{claims.jti}".encode("utf-8", "surrogatepass")).digest()
        # It is taken up to and including its last second, so it is remembered past that.
        return DpopProof(jkt=jkt, replay_digest=digest, expires_at=claims.iat + PROOF_SECONDS + 1)


def _signer(envelope: Envelope) -> str:
    """The thumbprint of the key that the header shows and that made the signature."""
    if envelope.algorithm not in STRANGERS_ALGORITHMS:
        raise _invalid("The DPoP proof's algorithm is not accepted.")
    try:
        pinned = public_key(envelope.header.get("jwk"))
    except UnusableKey:
        raise _invalid("The DPoP proof's key is not accepted.") from None
    if not envelope.is_signed_with(pinned):
        raise _invalid("The DPoP proof's signature is wrong.")
    return pinned.thumbprint


def _check_times(claims: _ProofClaims, now: float) -> None:
    is_fresh = now - PROOF_SECONDS <= claims.iat <= now + AHEAD_SECONDS
    is_over = claims.exp is not None and now >= claims.exp
    is_to_come = claims.nbf is not None and claims.nbf > now + AHEAD_SECONDS
    if not is_fresh or is_over or is_to_come:
        raise _invalid("The DPoP proof is too old, or its clock is ahead.")


def _is_same_place(claimed: str, url: str) -> bool:
    try:
        return _place(claimed) == _place(url)
    except ValueError:
        return False


def _place(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path. Source: RFC 3986, sections 6.2.2.1 and 6.2.3; RFC 9449, section 4.3, item 9."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or not parts.hostname:
        raise ValueError("an address without a host, or with a user")
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme), parts.path or "/"


def _hash_of(access_token: str) -> str:
    return base64url(hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest())


def _invalid(message: str) -> Refused:
    """Source: RFC 9449, section 5."""
    return Refused("invalid_dpop_proof", message, status=400)
