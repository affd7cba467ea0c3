"""The secrets that a destination's messages are signed with: sealed at rest, two while one replaces the other."""

from collections.abc import Mapping
from functools import partial

from auth_gateway.core.destination import secret_purpose
from auth_gateway.flows.ports import Clock, Destinations, SealedSecrets, Sealer
from plumbing.database import Database
from webhooks.endpoint import Withdrawn
from webhooks.signing import Signer, parse_secret, standard_signer


class DestinationSigner:
    """Signs for one destination with the secrets of this moment: its lane may be busy for days, and neither a rotation
    nor the end of one waits for that."""

    def __init__(
        self, destination_id: str, *, database: Database, destinations: Destinations, vault: Sealer, clock: Clock
    ) -> None:
        self._purpose = secret_purpose(destination_id)
        self._kept = partial(destinations.secrets, destination_id=destination_id)
        self._database = database
        self._vault = vault
        self._clock = clock
        self._active: tuple[bytes, ...] = ()
        self._sign: Signer | None = None

    def __call__(self, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
        """The headers.

        Raises: Withdrawn when the destination is gone; Unsealable.
        """
        kept = self._database.read(self._kept)
        if kept is None or kept.current is None:
            raise Withdrawn
        active = self._counting(kept)
        if self._sign is None or active != self._active:
            keys = [parse_secret(self._vault.open(sealed, self._purpose).decode()) for sealed in active]
            self._active, self._sign = active, standard_signer(keys)
        return self._sign(message_id, timestamp, body)

    def _counting(self, kept: SealedSecrets) -> tuple[bytes, ...]:
        """The sealed secrets that count now, newest first."""
        current = (kept.current,) if kept.current is not None else ()
        is_overlapping = kept.previous_until is not None and self._clock.now() < kept.previous_until
        return (*current, kept.previous) if is_overlapping and kept.previous is not None else current
