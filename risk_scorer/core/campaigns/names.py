"""Names as numbers: accounts, and signals of every kind in one row of numbers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from risk_scorer.core.campaigns.sighting import ADDRESS, LONGEST_VALUE, PREFIX, RHYTHM
from risk_scorer.core.observation import BadEvent, canonical_address, prefix_of

NONE = -1
HOST_GROUPS = 4
"""Of an IPv6 address the half that its network gave it (RFC 4291, section 2.5.1): a host changes the rest at will."""


class Names:
    """Numbers the names as they come; a name of a kind has one number."""

    def __init__(self) -> None:
        self.accounts: list[str] = []
        self.values: list[str] = []
        self.kinds = bytearray()
        self._accounts: dict[str, int] = {}
        self._signals: list[dict[str, int]] = [{} for _ in range(RHYTHM)]
        self._networks: dict[str, tuple[int, int]] = {"": (NONE, NONE)}

    def __len__(self) -> int:
        return len(self.accounts) + len(self.values)

    def account(self, name: str) -> int:
        """The account's number."""
        found = self._accounts.get(name)
        if found is None:
            found = self._accounts[name] = len(self.accounts)
            self.accounts.append(name)
        return found

    def signal(self, kind: int, value: str) -> int:
        """The signal's number, NONE for the unknown."""
        found = self._signals[kind].get(value)
        if found is None:
            if not value:
                return NONE
            if len(value) > LONGEST_VALUE:
                return self.signal(kind, value[:LONGEST_VALUE])
            found = self._signals[kind][value] = len(self.values)
            self.values.append(value)
            self.kinds.append(kind)
        return found

    def find_account(self, name: str) -> int | None:
        """The account's number, None where it has none."""
        return self._accounts.get(name)

    def find_signal(self, kind: int, value: str) -> int | None:
        """The signal's number, None where it has none."""
        return self._signals[kind].get(network_of(value)[0] if kind == ADDRESS else value[:LONGEST_VALUE])

    def network(self, address: str) -> tuple[int, int]:
        """The numbers of an address and of the network around it; NONE twice for what is no address."""
        found = self._networks.get(address)
        if found is None:
            host, prefix = network_of(address)
            found = self.signal(ADDRESS, host), self.signal(PREFIX, prefix)
            if host:
                self._networks[address] = found
        return found

    def only(self, accounts: Iterable[int], signals: Iterable[int]) -> Names:
        """Those alone, numbered anew in that order."""
        kept = Names()
        for number in accounts:
            kept.account(self.accounts[number])
        for number in signals:
            kept.signal(self.kinds[number], self.values[number])
        return kept


def network_of(address: str) -> tuple[str, str]:
    """The host (IPv4 address, or /64 of IPv6) and the prefix (/24 or /48) of an address; "" twice for another text."""
    try:
        canonical = canonical_address(address)
    except BadEvent:
        return "", ""
    if ":" not in canonical:
        return canonical, prefix_of(canonical)
    groups = ipaddress.IPv6Address(canonical).exploded.split(":")[:HOST_GROUPS]
    return f"{ipaddress.IPv6Address(':'.join(groups) + '::')}/64", prefix_of(canonical)
