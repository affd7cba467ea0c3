"""Incidents: what security teams ask and do, and when others are told.

Telling is paced: one incident's sightings are folded into what it says when it is told, a rise is told at once, and of
all incidents together no more than so many go out a minute; the rest wait in their own rows, the longest first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal, Protocol

import msgspec
import structlog

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.core.incidents.incident import Incident, IncidentChange, State
from risk_scorer.core.incidents.shown import Listed, ShownIncident
from risk_scorer.flows.ports import Announcement
from webhooks.announcement import announcement
from webhooks.announcement import message_id as standard_id

LOOK_SECONDS: Final = 1.0
BURST: Final = 20.0
"""Messages that may go at once after a quiet time: a receiver that opens tickets takes so many."""
TOLD_MEMBERS: Final = 100
LONGEST_PAGE: Final = 200

Told = Literal["incident.opened", "incident.updated", "incident.closed"]
Render = Callable[[Incident, Sequence[str], bool], Announcement]
"""An incident, its people, and whether it was told before → what is told of it now."""

log = structlog.get_logger(__name__)


class IncidentStore(Protocol):
    """Where incidents are kept. All raise Refused."""

    async def page(self, *, state: State | None, owner: str | None, before: str, limit: int) -> Listed:
        """The last changed first. Raises: Refused `invalid_page` (400)."""
        ...

    async def find(self, incident_id: str) -> ShownIncident | None:
        """One of them."""
        ...

    async def change(self, incident_id: str, change: IncidentChange) -> Incident | None:
        """It after the change; None when there is none. Raises: Refused `incident_changed`, `incident_closed` (409)."""
        ...

    async def tell(self, *, most: int, render: Render) -> int:
        """Put what is due into the outbox, so many at most; how many."""
        ...

    async def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        ...


class Incidents:
    """What people do with incidents."""

    def __init__(self, store: IncidentStore) -> None:
        self._store = store

    async def page(self, *, state: State | None, owner: str | None, before: str, limit: int) -> Listed:
        """A page of them. Raises: Refused."""
        return await self._store.page(state=state, owner=owner, before=before, limit=limit)

    async def find(self, incident_id: str) -> ShownIncident:
        """One of them. Raises: Refused `unknown_incident` (404)."""
        found = await self._store.find(incident_id)
        if found is None:
            raise unknown()
        return found

    async def change(self, incident_id: str, change: IncidentChange) -> ShownIncident:
        """It after the change.

        Raises: Refused, as the store does, `unknown_incident` (404), and `invalid_words` (422) for what others could
        not read: who and why are words on one line, and nothing in them hides or turns text.
        """
        said = (change.by, change.why)
        if not (all(text.strip() for text in said) and all(text.isprintable() for text in (*said, change.owner or ""))):
            raise Refused("invalid_words", "Say who says it and why, on one line each.", status=422)
        if await self._store.change(incident_id, change) is None:
            raise unknown()
        return await self.find(incident_id)

    async def counts(self) -> dict[str, int]:
        """How many there are in each state, counted up to `MOST_COUNTED`. Raises: Refused."""
        return await self._store.counts()


class Telling:
    """Tells of incidents at a bounded pace, for ever."""

    def __init__(self, store: IncidentStore, *, clock: Clock, per_minute: float, tenant: str) -> None:
        self._store = store
        self._clock = clock
        self._per_second = per_minute / 60.0
        self._render = partial(incident_message, tenant=tenant)
        self._room = BURST
        self._filled_at = clock.monotonic()

    async def run(self) -> None:
        """Tell what is due again and again; a round that fails is made up by the next."""
        while True:
            try:
                await self.once()
            except Refused as refused:
                log.warning("incidents_not_told", reason=refused.code)
            await asyncio.sleep(LOOK_SECONDS)

    async def once(self) -> int:
        """Tell what is due and there is room for; how many. Raises: Refused."""
        now = self._clock.monotonic()
        self._room = min(BURST, self._room + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._room < 1.0:
            return 0
        told = await self._store.tell(most=int(self._room), render=self._render)
        self._room -= told
        return told


def unknown() -> Refused:
    """There is no such incident."""
    return Refused("unknown_incident", "There is no incident of this id.", status=404)


def incident_message(incident: Incident, members: Sequence[str], was_told: bool, *, tenant: str) -> Announcement:
    """What receivers hear of it; each version has an id of its own. Members are the first hundred."""
    told: Told = "incident.updated" if was_told else "incident.opened"
    if incident.state == "closed":
        told = "incident.closed"
    data = {
        "tenant": tenant,
        **msgspec.to_builtins(incident),
        "level": incident.level,
        "recommended_response": incident.recommended_response,
        "members": list(members)[:TOLD_MEMBERS],
    }
    return Announcement(
        message_id=standard_id(f"{incident.incident_id}_{incident.version}"),
        event_type=told,
        body=announcement(told, at=incident.updated_at, data=data),
    )
