"""Receivers say about whom they want to be told. Whether there is such a person, nobody learns by that.

Source: OpenID Shared Signals Framework 1.0, sections 8.1.3 and 9.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from auth_gateway.core.ssf.stream import MOST_SUBJECTS
from auth_gateway.core.ssf.subject import covered, meant
from auth_gateway.flows.ports import Streams
from auth_gateway.flows.ssf.ownership import held
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Adds subjects to streams and removes them; `key` covers their names.

    Both raise Refused: `unknown_stream` (404), `invalid_subject` (400), `too_many_subjects` (403), 503.
    """

    database: Database
    streams: Streams
    issuer: str
    key: bytes

    async def add(self, client_id: str, stream_id: str, subject: Mapping[str, object], *, is_verified: bool) -> None:
        """Their events are told from now on. A receiver that says it has not verified whose identifier that is gets
        nothing by it."""
        await self._set(client_id, stream_id, subject, counts=True, takes_effect=is_verified)

    async def remove(self, client_id: str, stream_id: str, subject: Mapping[str, object]) -> None:
        """Their events are told no more."""
        await self._set(client_id, stream_id, subject, counts=False, takes_effect=True)

    async def _set(
        self, client_id: str, stream_id: str, subject: Mapping[str, object], *, counts: bool, takes_effect: bool
    ) -> None:
        known_by = meant(subject, self.issuer)

        def job(tx: Transaction) -> None:
            stream = held(self.streams, tx, client_id, stream_id)
            if known_by is None or not takes_effect:
                return
            name = covered(known_by, self.key)
            if counts == (stream.default_subjects == "ALL"):
                self.streams.forget_subject(tx, stream_id, name)
            elif not self.streams.name_subject(tx, stream_id, name, most=MOST_SUBJECTS):
                raise Refused("too_many_subjects", "This stream names as many subjects as it may.", status=403)

        await self.database.write(job)
