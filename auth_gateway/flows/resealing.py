"""A new key for what is sealed at rest, and all that an older one sealed, sealed anew while the service runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import OPERATOR, Facts
from auth_gateway.flows.ports import AuditTrail, Clock, Randomness, SealedValue, SealedValues, Sealer
from plumbing.database import Database
from plumbing.statements import Transaction

BATCH = 200
"""Few enough that nobody's login waits for them."""


class RotatingSealer(Sealer, Protocol):
    """A vault whose keys grow."""

    def reload(self) -> None: ...

    def is_sealed_now(self, sealed: bytes, purpose: str) -> bool: ...


class Resealed(NamedTuple):
    """The number of the new key, and how many values were sealed anew."""

    number: int
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealing:
    """Rotates the sealing key.

    `make_key` keeps a new one beside the others and says its number; older ones stay, for what ends by itself within a
    day (challenges of sign-ins) and for backups. `purposes` says for each table what the value under a key was sealed
    for.
    """

    database: Database
    clock: Clock
    randomness: Randomness
    vault: RotatingSealer
    sealed: SealedValues
    purposes: Mapping[str, Callable[[str], str]]
    audit: AuditTrail
    make_key: Callable[[], int]

    def __call__(self) -> Resealed:
        """Blocks until all of it is sealed anew. Killed in between it leaves everything readable; the next run does
        the rest.

        Raises: Unsealable for a value that no key of ours sealed (nothing is lost), Refused("storage_unavailable").
        """
        number = self.make_key()
        self.vault.reload()
        values = sum(self._table(table) for table in self.purposes)
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=self.clock.now(),
            kind="vault.rotated",
            detail=f"{number} {values}",
            facts=Facts(by=OPERATOR),
        )
        self.database.write_sync(lambda tx: self.audit.record(tx, line))
        return Resealed(number, values)

    def _table(self, table: str) -> int:
        done, after = 0, ""
        while batch := self.database.read(partial(self._after, table, after)):
            anew = [(value, self._anew(value)) for value in batch]
            done += self.database.write_sync(partial(self._write, anew))
            after = batch[-1].key
        return done

    def _after(self, table: str, after: str, tx: Transaction) -> list[SealedValue]:
        return self.sealed.after(tx, table, after, BATCH)

    def _anew(self, value: SealedValue) -> bytes | None:
        purpose = self.purposes[value.table](value.key)
        if value.is_clear:
            return self.vault.seal(value.sealed, purpose)
        if self.vault.is_sealed_now(value.sealed, purpose):
            return None
        return self.vault.seal(self.vault.open(value.sealed, purpose), purpose)

    def _write(self, anew: list[tuple[SealedValue, bytes | None]], tx: Transaction) -> int:
        return sum(sealed is not None and self.sealed.replace(tx, value, sealed) for value, sealed in anew)
