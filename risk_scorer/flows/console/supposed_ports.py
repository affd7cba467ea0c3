"""What the flow of activity stands on while nothing is real: memories that are copies, sessions that are supposed, and
events that are kept by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from plumbing.refusals import Refused
from risk_scorer.contract.activity import Assessment
from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.core.activity.memory import Memory
from risk_scorer.core.activity.seen import SessionFacts
from risk_scorer.core.known_session import KnownSession
from risk_scorer.flows.activity.ports import Judgement, Place, TokenSession

NOTHING_IS_HEARD = "Nobody tells of sessions here."


class CopiedMemories:
    """Memories of one try: what is changed in them is seen by the next request, and by nobody else."""

    def __init__(self, copies: Mapping[Place, Memory]) -> None:
        self._memories = dict(copies)

    def at(self, places: Iterable[Place]) -> Mapping[Place, Memory]:
        """What is remembered there; begun where there is nothing."""
        return {place: self._memories.setdefault(place, {}) for place in places}

    def changed(self, _places: Iterable[Place], *, with_events: Iterable[Place] = ()) -> None:
        """Nothing is written."""

    def settle(self, _written: None, _lost: Iterable[Place]) -> None:
        """Nothing was."""

    def undo(self, _places: Iterable[Place]) -> None:
        """Nothing is to be undone: the try is over."""


class SupposedSessions:
    """The sessions of one try."""

    def __init__(self) -> None:
        self._known: dict[str, KnownSession] = {}

    def add(self, session: KnownSession) -> None:
        """Suppose it."""
        self._known[session.session_id] = session

    def find(self, session_ids: Iterable[str]) -> Mapping[str, KnownSession]:
        """Those of them that are supposed."""
        return {each: self._known[each] for each in session_ids if each in self._known}

    async def hear(
        self, _notices: Sequence[tuple[SessionNotice, SessionFacts]], _written: None, _calmed: Sequence[str]
    ) -> tuple[int, Sequence[Place]]:
        """Raises: NotImplementedError; no notice comes to a try."""
        raise NotImplementedError(NOTHING_IS_HEARD)


class NoTokensHere:
    """A supposed session is named by its id."""

    async def session_of(self, _token: str) -> TokenSession:
        """Raises: Refused (422)."""
        raise Refused("tokens_not_taken", "A supposed session has no token.", status=422)


class KeptForTheTry:
    """What was judged, for whoever tries; the database and the outbox see nothing of it."""

    def __init__(self) -> None:
        self.judged: list[Judgement] = []

    def answers(self, named: Sequence[tuple[str, str]]) -> Sequence[Assessment | None]:
        """Nothing was answered before."""
        return [None] * len(named)

    async def keep(self, judged: Sequence[Judgement], _written: None) -> Sequence[Place]:
        """Hold them."""
        self.judged += judged
        return ()
