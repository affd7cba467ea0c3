"""Incidents in the database: folded, changed and told.

Nothing that was seen is lost and no version is told twice: the row, its members and the moment at which it is told next
are one transaction, and whoever tells it marks the row in the transaction of the message. Of two who fold or change one
incident at once, the second goes on from what the first left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, get_args

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from plumbing.statements import Row
from risk_scorer.adapters.activity.incident_statements import (
    COUNT,
    COUNT_MEMBERS,
    DUE,
    FIND,
    FORGET,
    FORGET_MEMBERS,
    HOLD,
    HOLD_KEY,
    HOLD_LAST,
    JOIN,
    MARK,
    MEMBERS,
    OPEN_ONE,
    PAGES,
    WRITE,
    incident_of,
    place_of,
    row_of,
)
from risk_scorer.adapters.announcements import OUTBOX
from risk_scorer.core.incidents.incident import (
    MOST_MEMBERS,
    Incident,
    IncidentChange,
    Sighting,
    State,
    changed,
    due_at,
    ended,
    folded,
    has_ended,
    opened,
    responded,
    returned,
)
from risk_scorer.core.incidents.shown import Listed, ShownIncident
from risk_scorer.flows.ports import Announcement

MOST_TRIES: Final = 3
"""It may be closed by somebody else between our two statements; three times in a row it is not."""
Render = Callable[[Incident, Sequence[str], bool], Announcement]


class IncidentRows:
    """The rows, and what is told of them. `sight`, `end` and `note_response` join a transaction of the caller's."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        randomness: Randomness,
        announce_to: str | None,
        wake_delivery: Callable[[], None],
    ) -> None:
        """`announce_to` is the endpoint that hears of incidents; None where nobody does."""
        self._database = database
        self._clock = clock
        self._randomness = randomness
        self._announce_to = announce_to
        self._wake_delivery = wake_delivery
        self._outbox = OUTBOX

    def new_id(self) -> str:
        """An id for an incident that may have to be opened; drawn before the transaction, which may run twice."""
        return f"inc_{self._randomness.token()[:24]}"

    def sight(self, tx: Transaction, sighting: Sighting, *, new_id: str) -> str:
        """Fold this into the incident that is not closed, or open one; its id."""
        fresh = opened(sighting, incident_id=new_id)
        due = self._due(None, at_once=True)
        for _ in range(MOST_TRIES):
            if tx.run(OPEN_ONE, key=fresh.key, opened_at=fresh.opened_at, announced_at=None, **row_of(fresh, due)):
                incident = fresh
                break
            row = tx.one(HOLD_KEY, of_key=fresh.key)
            if row is not None:
                kept, announced_at = _read(row)
                incident, rises = folded(kept, sighting)
                self._write(tx, incident, self._due(announced_at, at_once=rises))
                break
        else:
            raise Refused("busy", "It is being closed: try again.", status=503, headers={"Retry-After": "1"})
        self._join(tx, incident.incident_id, sighting.members)
        return incident.incident_id

    def sight_again(self, tx: Transaction, sighting: Sighting, *, new_id: str) -> str:
        """`sight`, for what was gone and is back: the incident that ended with it goes on. One that a person closed
        stays closed."""
        row = tx.one(HOLD_LAST, of_key=sighting.key)
        last = None if row is None else _read(row)[0]
        if last is None or not has_ended(last):
            return self.sight(tx, sighting, new_id=new_id)
        self._write(tx, returned(last, sighting), self._due(None, at_once=True))
        self._join(tx, last.incident_id, sighting.members)
        return last.incident_id

    def end(self, tx: Transaction, key: str, *, text: str, at: float) -> None:
        """Close the incident of what is no more, if it is not closed."""
        row = tx.one(HOLD_KEY, of_key=key)
        if row is not None:
            self._write(tx, ended(_read(row)[0], text=text, at=at), self._due(None, at_once=True))

    def note_response(self, tx: Transaction, key: str, *, text: str, at: float) -> bool:
        """Put what the gateway did into the timeline of the incident that is not closed; False without one."""
        row = tx.one(HOLD_KEY, of_key=key)
        if row is None:
            return False
        kept, announced_at = _read(row)
        incident = responded(kept, text=text, at=at)
        if incident is not kept:
            self._write(tx, incident, self._due(announced_at, at_once=False))
        return True

    async def see(self, sighting: Sighting) -> str:
        """`sight` in a transaction of its own. Raises: Refused."""
        new_id = self.new_id()
        return await self._database.write(lambda tx: self.sight(tx, sighting, new_id=new_id))

    async def change(self, incident_id: str, change: IncidentChange) -> Incident | None:
        """It after the change; None when there is none. Raises: Refused `incident_changed`, `incident_closed` (409)."""
        now = self._clock.now()

        def job(tx: Transaction) -> Incident | None:
            row = tx.one(HOLD, of_id=incident_id)
            if row is None:
                return None
            kept, announced_at = _read(row)
            if change.version not in (None, kept.version):
                raise Refused("incident_changed", "Somebody else changed it meanwhile: look again.", status=409)
            after = changed(kept, change, at=now)
            if after is None:
                return kept
            if kept.state == "closed":
                raise Refused("incident_closed", "It is closed; what is seen now opens another one.", status=409)
            self._write(tx, after, self._due(announced_at, at_once=after.state == "closed"))
            return after

        return await self._database.write(job)

    async def find(self, incident_id: str) -> ShownIncident | None:
        """One of them, with its people. Raises: Refused."""

        def job(tx: Transaction) -> ShownIncident | None:
            row = tx.one(FIND, of_id=incident_id)
            if row is None:
                return None
            found = incident_of(row[0])
            members = [member[0] for member in tx.all(MEMBERS, of_id=incident_id)]
            return ShownIncident(
                incident=found, level=found.level, recommended_response=found.recommended_response, members=members
            )

        return await self._database.read_in_thread(job)

    async def page(self, *, state: State | None, owner: str | None, before: str, limit: int) -> Listed:
        """The last changed first. Raises: Refused `invalid_page` (400)."""
        moment, incident_id = place_of(before)
        given = {name: value for name, value in (("state", state), ("owner", owner)) if value is not None}
        asked = {f"of_{name}": value for name, value in given.items()}

        def job(tx: Transaction) -> list[Row]:
            return tx.all(PAGES[tuple(given)], before_time=moment, before_id=incident_id, most=limit + 1, **asked)

        rows = await self._database.read_in_thread(job)
        following = f"{rows[limit - 1][1]!r},{rows[limit - 1][2]}" if len(rows) > limit else None
        return Listed(incidents=[incident_of(row[0]) for row in rows[:limit]], next=following)

    async def counts(self) -> dict[str, int]:
        """How many there are in each state in which there are any, counted up to `MOST_COUNTED`. Raises: Refused."""

        def job(tx: Transaction) -> dict[str, int]:
            return {state: int(tx.all(COUNT, of_state=state)[0][0]) for state in get_args(State)}

        found = await self._database.read_in_thread(job)
        return {state: count for state, count in found.items() if count}

    async def tell(self, *, most: int, render: Render) -> int:
        """Put what is due into the outbox, so many at most; how many. Raises: Refused."""
        endpoint, now = self._announce_to, self._clock.now()
        if endpoint is None:
            return 0
        due = await self._database.read_in_thread(lambda tx: tx.all(DUE, now=now, most=most))
        told = 0
        for (incident_id,) in due:
            told += await self._database.write(
                lambda tx, one=incident_id: self._told(tx, one, endpoint=endpoint, render=render, now=now)  # type: ignore[misc]
            )
        if told:
            self._wake_delivery()
        return told

    async def prune(self, before: float) -> int:
        """Forget closed ones that have not changed since; how many. Raises: Refused."""

        def job(tx: Transaction) -> int:
            tx.run(FORGET_MEMBERS, before=before)
            return tx.run(FORGET, before=before)

        return await self._database.write(job)

    def _told(self, tx: Transaction, incident_id: str, *, endpoint: str, render: Render, now: float) -> int:
        row = tx.one(HOLD, of_id=incident_id)
        if row is None:
            return 0
        kept, announced_at = _read(row)
        if tx.run(MARK, of_id=incident_id, of_version=kept.version, now=now) != 1:
            return 0  # another process told it
        members = [row[0] for row in tx.all(MEMBERS, of_id=incident_id)]
        message = render(kept, members, announced_at is not None)
        self._outbox.add(
            tx,
            message_id=message.message_id,
            endpoint=endpoint,
            event_type=message.event_type,
            body=message.body,
            now=now,
            order_key=incident_id,
        )
        return 1

    def _due(self, announced_at: float | None, *, at_once: bool) -> float | None:
        if self._announce_to is None:
            return None
        return due_at(announced_at=announced_at, at_once=at_once, now=self._clock.now())

    def _write(self, tx: Transaction, incident: Incident, due: float | None) -> None:
        values = row_of(incident, due)
        of_id = values.pop("incident_id")
        tx.run(WRITE, of_id=of_id, **{f"new_{name}": value for name, value in values.items()})

    def _join(self, tx: Transaction, incident_id: str, members: Iterable[str]) -> None:
        row = tx.one(COUNT_MEMBERS, of_id=incident_id)
        room = MOST_MEMBERS - (0 if row is None else int(row[0]))
        wanted = sorted(set(members))[: max(0, room)]
        tx.many(JOIN, [{"incident_id": incident_id, "user_id": user_id} for user_id in wanted])


def _read(row: Row) -> tuple[Incident, float | None]:
    return incident_of(row[0]), row[1]
