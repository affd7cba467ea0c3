"""What one finished login can teach a history, as a value small enough to keep: it can be taken out again later."""

from typing import Literal

from msgspec import Struct, msgpack

from risk_scorer.core.facts import IpFacts
from risk_scorer.core.observation import Observation

OutcomeKind = Literal["success", "mfa_passed", "mfa_failed", "failure"]
OWN: frozenset[str] = frozenset({"success", "mfa_passed"})

BAD_REPUTATION = 50.0  # of 100; from here on a rule speaks against the network
SHARED_KINDS = frozenset({"vpn", "hosting", "tor"})
UNKNOWN_ACCURACY_KM = 50.0
"""How far off a place is taken to be whose source does not say: twice what the packaged tables usually are."""


class Taught(Struct, frozen=True, array_like=True, gc=False):
    """The context of one login and how it ended; new fields only at the end, with defaults.

    `is_shared`: the place is where the network comes out, not where the person is. `taught_network`: its values were
    learned as the person's own, which those of a network that is anybody's are not (see `is_somebodys`).
    """

    user_id: str
    ts: float
    outcome: OutcomeKind
    ip: str
    prefix: str
    asn_key: str
    country: str
    device_type: str
    os: str
    browser: str
    browser_version: str
    device_id: str
    ja4: str
    ja4h: str
    ja4s: str
    zone: str
    utc_offset_s: int
    latitude: float | None
    longitude: float | None
    accuracy_km: float
    is_shared: bool
    taught_network: bool


_encoder = msgpack.Encoder()
_decoder = msgpack.Decoder(Taught)


def encode_taught(taught: Taught) -> bytes:
    """The lesson as MessagePack."""
    return _encoder.encode(taught)


def decode_taught(stored: bytes) -> Taught:
    """The inverse of `encode_taught`. Raises msgspec.DecodeError or ValidationError for what it did not write."""
    return _decoder.decode(stored)


def taught_by(seen: Observation, outcome: OutcomeKind) -> Taught:
    """The lesson of a login that ended so."""
    network = seen.network
    accuracy = network.accuracy_km
    return Taught(
        seen.user_id,
        seen.ts,
        outcome,
        seen.ip,
        seen.prefix,
        seen.asn_key,
        seen.country,
        seen.device_type,
        seen.os,
        seen.browser,
        seen.browser_version,
        seen.device_id,
        seen.ja4,
        seen.ja4h,
        seen.ja4s,
        seen.zone,
        seen.utc_offset_s,
        network.latitude,
        network.longitude,
        UNKNOWN_ACCURACY_KM if accuracy is None else accuracy,
        is_shared(network, seen.country),
        is_somebodys(seen),
    )


def is_somebodys(seen: Observation) -> bool:
    """Whether the network says anything about the person: a Tor exit or a listed network is anybody's.

    Learned from, it would make the next stranger behind it look like the one who passed a second factor there once.
    """
    return not (seen.network.kind == "tor" or seen.network.is_listed or seen.ip_rep >= BAD_REPUTATION)


def is_shared(network: IpFacts, country: str) -> bool:
    """Whether the place looked up is doubtful as the person's own: a relay, or not in the country that was reported."""
    return network.kind in SHARED_KINDS or (
        country != network.country and len(country) == 2 and network.country != "" and network.latitude is not None
    )
