"""Named networks, made ready for quick look-ups. Values only."""

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses

import msgspec

Network = IPv4Network | IPv6Network


class NetworkSet(msgspec.Struct, frozen=True):
    """Networks as spans that do not touch, in order: firsts and lasts of IPv4, then of IPv6."""

    firsts_v4: tuple[int, ...] = ()
    lasts_v4: tuple[int, ...] = ()
    firsts_v6: tuple[int, ...] = ()
    lasts_v6: tuple[int, ...] = ()

    def holds(self, address: IPv4Address | IPv6Address | None) -> bool:
        """Whether the address is in one of them; an unknown one is in none."""
        if address is None:
            return False
        firsts, lasts = (self.firsts_v4, self.lasts_v4) if address.version == 4 else (self.firsts_v6, self.lasts_v6)
        number = int(address)
        place = bisect_right(firsts, number) - 1
        return place >= 0 and number <= lasts[place]


def network_set(networks: Iterable[Network]) -> NetworkSet:
    """The networks in one set, whatever their order and overlap."""
    every = tuple(networks)
    v4 = list(collapse_addresses(network for network in every if isinstance(network, IPv4Network)))
    v6 = list(collapse_addresses(network for network in every if isinstance(network, IPv6Network)))
    return NetworkSet(
        firsts_v4=tuple(int(network.network_address) for network in v4),
        lasts_v4=tuple(int(network.broadcast_address) for network in v4),
        firsts_v6=tuple(int(network.network_address) for network in v6),
        lasts_v6=tuple(int(network.broadcast_address) for network in v6),
    )
