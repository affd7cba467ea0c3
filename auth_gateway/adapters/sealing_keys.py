"""The keys that came after `vault.key`: files of this process's state directory, and on PostgreSQL those that another
gateway has just made, on their way through the database that all of them share.

A key travels sealed by the one before it, for a day. So whoever has neither the files nor an old key with a copy of the
database of that very day has nothing; and no gateway meets a value that it cannot open, because a key is on its way
before anything is sealed with it.
"""

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError

from auth_gateway.adapters.storage.tables import SealingKeyRow, table_of
from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from plumbing.state import StateDir
from plumbing.statements import Statement
from plumbing.vault import KEY_BYTES, Unsealable, Vault

VAULT_KEY = "vault.key"
SEALING_KEYS = "sealing.key"
HANDED_SECONDS = 86_400.0
"""How long a key waits for gateways that are down. One that comes later needs the file from another."""

log = structlog.get_logger(__name__)
_keys = table_of(SealingKeyRow)
_LATER = select(_keys.c.number, _keys.c.sealed).order_by(_keys.c.number)
_ENDED = Statement(
    update(_keys).where(_keys.c.made_at < bindparam("before"), _keys.c.sealed.is_not(None)).values(sealed=None)
)


class SealingKeys:
    """Reads them, the oldest first (`plumbing.vault.SealingKeys`), and makes the next. Blocks."""

    def __init__(self, state: StateDir, database: Database, *, clock: Clock, randomness: Randomness) -> None:
        self._state = state
        self._database = database
        self._clock = clock
        self._randomness = randomness
        # A file is one machine's; gateways on a server's database may have state directories of their own.
        self._is_shared = database.engine.dialect.name == "postgresql"

    def __call__(self) -> list[bytes]:
        """All that this process can have; keys of others are kept in files of our own.

        Raises: OSError, DamagedSecret.
        """
        own = self._state.series(SEALING_KEYS)
        for number, sealed in self._handed(len(own)):
            if number != len(own) + 1 or sealed is None:
                log.error("sealing_key_missing", file=f"{SEALING_KEYS}.{len(own) + 1}")
                break
            try:
                key = self._courier(own).open(bytes(sealed), _purpose(number))
            except Unsealable:
                log.error("sealing_key_of_another_root", file=f"{SEALING_KEYS}.{number}")
                break
            self._state.keep(f"{SEALING_KEYS}.{number}", key)
            own = self._state.series(SEALING_KEYS)
        return own

    def make(self) -> int:
        """Make the next key, for all who share the database; its number. Two who do it at once make one.

        Raises: Refused("sealing_key_missing") where this process lacks one that others have; OSError, DamagedSecret.
        """
        if not self._is_shared:
            return self._state.add_to_series(SEALING_KEYS)
        own = self()
        number = len(own) + 1
        sealed = self._courier(own).seal(self._randomness.bytes(KEY_BYTES), _purpose(number))
        values = {"number": number, "sealed": sealed, "made_at": self._clock.now()}
        adding = postgresql.insert(_keys).values(values).on_conflict_do_nothing()
        with self._database.engine.begin() as connection:
            connection.execute(adding)
        if len(self()) < number:
            raise Refused(
                "sealing_key_missing",
                f"{SEALING_KEYS}.{number} was made elsewhere: copy it from another gateway first.",
                status=409,
            )
        return number

    async def end(self) -> None:
        """Keys that have been on their way for a day are not any more; their numbers stay taken."""
        if self._is_shared:
            before = self._clock.now() - HANDED_SECONDS
            await self._database.write(lambda tx: tx.run(_ENDED, before=before))

    def _handed(self, after: int) -> list[tuple[int, bytes | None]]:
        """Not through `Database.read`: whoever opens a value may be in the middle of one on this very thread."""
        if not self._is_shared:
            return []
        try:
            with self._database.engine.connect() as connection:
                rows = connection.execute(_LATER.where(_keys.c.number > after)).all()
        except SQLAlchemyError as error:
            log.warning("sealing_keys_not_asked_for", reason=str(error).partition("\n")[0])
            return []
        return [(row[0], row[1]) for row in rows]

    def _courier(self, own: list[bytes]) -> Vault:
        return Vault(own[-1] if own else self._state.secret(VAULT_KEY), self._randomness)


def _purpose(number: int) -> str:
    """A key under another number does not open."""
    return f"sealing-key:{number}"
