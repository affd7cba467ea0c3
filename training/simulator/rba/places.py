"""Where the invented people are and through whose addresses they come: places from `places.csv`, invented networks.

Addresses lie in 10.0.0.0/8 and AS numbers in the private range (RFC 1918, RFC 6996): they are nobody's, and no look-up
knows anything about them.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from training.simulator.rba.draws import Whole

HOME_PROVIDERS = 3
ROLES = ("home", "second_home", "third_home", "mobile", "office", "hotel", "hosting", "vpn")
"""What a place has one network of each for; the first three are the providers that people have at home."""
HOME, MOBILE, OFFICE, HOTEL, HOSTING, VPN = 0, 3, 4, 5, 6, 7
_SHARES = (34, 20, 12, 10, 12, 4, 5, 3)
_BLOCKS = 1 << 16
_FIRST_ASN = 64_512
_HOSTS = 254
HOME_COUNTRY = "NO"


@dataclass(frozen=True)
class Places:
    """The places, one entry each, and the networks of all of them, one row of `len(ROLES)` entries a place.

    `first_block` and `blocks` count /24 networks of 10.0.0.0/8; `asn` are their operators.
    """

    country: tuple[str, ...]
    region: tuple[str, ...]
    city: tuple[str, ...]
    utc_offset_ms: Whole
    people: tuple[int, ...]
    first_block: NDArray[np.int64]
    blocks: NDArray[np.int64]
    asn: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.country)

    def addresses(self, place: Whole, role: Whole, near: Whole, host: Whole) -> Whole:
        """Addresses, as numbers below 2**24 within 10.0.0.0/8, in the network that plays this role at the place.

        Equal `near` are in one /24, `host` chooses among its 254 addresses; both are any whole numbers from 0 on.
        """
        block = self.first_block[place, role] + near % self.blocks[place, role]
        return block * 256 + 1 + host % _HOSTS


@cache
def load_places() -> Places:
    """The one set of places there is; read once."""
    text = resources.files("training.simulator.rba").joinpath("places.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    people = tuple(int(row["people"]) for row in rows)
    sizes = np.maximum(2, np.outer(people, _SHARES) * (_BLOCKS - 1024) // (sum(people) * sum(_SHARES)))
    ends = np.cumsum(sizes.ravel())
    return Places(
        country=tuple(row["country"] for row in rows),
        region=tuple(row["region"] for row in rows),
        city=tuple(row["city"] for row in rows),
        utc_offset_ms=np.array([int(float(row["utc_offset_hours"]) * 3_600_000) for row in rows], np.int64),
        people=people,
        first_block=(ends - sizes.ravel()).reshape(sizes.shape),
        blocks=sizes,
        asn=_operators([row["country"] for row in rows], sizes.shape),
    )


def _operators(countries: list[str], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """An AS number for each network: a country's providers serve all its places, offices and hotels have their own."""
    known = {name: place for place, name in enumerate(dict.fromkeys(countries))}
    nationwide = np.array([known[name] for name in countries])[:, None] * len(ROLES) + np.arange(len(ROLES))
    own = len(known) * len(ROLES) + np.arange(shape[0] * shape[1]).reshape(shape)
    is_own = np.isin(np.arange(len(ROLES)), (OFFICE, HOTEL))
    numbers: NDArray[np.int64] = _FIRST_ASN + np.where(is_own, own, nationwide)
    return numbers
