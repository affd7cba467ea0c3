"""The latest rulings on refreshes, in the memory of this process: what they are reused for is `flows.recheck`'s."""

from collections import OrderedDict

import msgspec

from auth_gateway.core.ruling import Ruling

# About a kilobyte each.
MOST_SESSIONS = 50_000


class MemoryRulings:
    """One ruling a session, good for `reuse_seconds` after it was made; 0 remembers nothing. Forgets the idle first."""

    def __init__(self, *, reuse_seconds: float, most_sessions: int = MOST_SESSIONS) -> None:
        self._reuse_seconds = reuse_seconds
        self._most_sessions = most_sessions
        self._by_session: OrderedDict[str, tuple[bytes, float, Ruling]] = OrderedDict()

    def recall(self, session_id: str, context: bytes, now: float) -> Ruling | None:
        """The ruling for exactly this context, None when there is none or it is too old."""
        found = self._by_session.get(session_id)
        if found is None:
            return None
        seen_from, made_at, ruling = found
        if not 0 <= now - made_at < self._reuse_seconds:  # a clock set back must not make it last
            del self._by_session[session_id]
            return None
        if seen_from != context:
            return None
        self._by_session.move_to_end(session_id)
        return ruling

    def remember(self, session_id: str, context: bytes, ruling: Ruling, now: float) -> None:
        """Keep it, without the parts that only its first use needs."""
        if self._reuse_seconds <= 0:
            return
        decision = msgspec.structs.replace(ruling.decision, reasons=())
        self._by_session[session_id] = (context, now, msgspec.structs.replace(ruling, score=None, decision=decision))
        self._by_session.move_to_end(session_id)
        if len(self._by_session) > self._most_sessions:
            self._by_session.popitem(last=False)
