"""Tokens that wait for us at other providers are fetched, handled, and acknowledged after what they do is committed.

A token that cannot be judged now is neither acknowledged nor refused: its transmitter hands it out again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from auth_gateway.core.ssf.set_error import SetRefused
from auth_gateway.core.ssf.transmitter import Transmitter, poll_purpose
from auth_gateway.flows.ports import Clock, RemoteStreams, Sealer, Transmitters
from auth_gateway.flows.ssf.receiving import Receiving
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

POLL_SECONDS: Final = 10.0
AT_ONCE: Final = 4
"""Transmitters that are polled together; one that hangs until its deadline holds up no more than its place."""
MOST_SETS: Final = 100
MOST_ROUNDS: Final = 20
"""Polls of one transmitter in one turn, so that no stream without end keeps the others from theirs."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """Polls every transmitter that has an address for it."""

    database: Database
    clock: Clock
    transmitters: Transmitters
    vault: Sealer
    streams: RemoteStreams
    receiving: Receiving
    log_problem: Callable[..., None] = log.warning

    async def __call__(self) -> None:
        """One turn.

        Raises: Refused 503 of the storage.
        """
        found = await self.database.read_in_thread(self.transmitters.list)
        places = asyncio.Semaphore(AT_ONCE)

        async def one(transmitter: Transmitter) -> None:
            async with places:
                await self.poll(transmitter)

        polled = [each for each in found if each.poll_url and each.disabled_at is None]
        await asyncio.gather(*map(one, polled))

    async def poll(self, transmitter: Transmitter) -> None:
        """All that waits for us there, as far as one turn goes; what it ran into stands beside the transmitter."""
        problem = ""
        try:
            await self._drain(transmitter, await self.database.read_in_thread(lambda tx: self._token(tx, transmitter)))
        except Refused as refused:
            problem = str(refused.evidence.get("problem", refused.code))
            self.log_problem("signals_not_collected", transmitter=transmitter.name, problem=problem)
        now = self.clock.now()
        await self.database.write(
            lambda tx: self.transmitters.note_poll(tx, transmitter.transmitter_id, problem=problem, now=now)
        )

    async def _drain(self, transmitter: Transmitter, token: str) -> None:
        acknowledged: list[str] = []
        refused: dict[str, SetRefused] = {}
        for _ in range(MOST_ROUNDS):
            answer = await self.streams(transmitter, token, acknowledged=acknowledged, refused=refused, most=MOST_SETS)
            acknowledged, refused, is_waiting = [], {}, False
            for jti, signed in answer.sets.items():
                try:
                    await self.receiving.take(transmitter, signed)
                    acknowledged.append(jti)
                except SetRefused as error:
                    if error.code == "access_denied":  # disabled or removed since: what is there is no worse for that
                        return
                    self.log_problem("signal_refused", transmitter=transmitter.name, err=error.code)
                    refused[jti] = error
                except Refused as error:
                    self.log_problem("signal_waits", transmitter=transmitter.name, problem=error.code)
                    is_waiting = True
            if not acknowledged and not refused:
                if is_waiting:
                    raise Refused("keys_unavailable", "What waits there cannot be judged now.", status=503)
                return
            if is_waiting or not answer.more_available:
                break
        await self.streams(transmitter, token, acknowledged=acknowledged, refused=refused, most=0)

    def _token(self, tx: Transaction, transmitter: Transmitter) -> str:
        sealed = self.transmitters.poll_token(tx, transmitter.transmitter_id)
        return "" if sealed is None else self.vault.open(sealed, poll_purpose(transmitter.transmitter_id)).decode()
