"""What the gateway tells of its sessions: that they began, were stepped up, ended.

A step-up that is news pardons what was found in the session so far: its person has just shown a factor. That is one
transaction with the notice, so that a notice which has to be sent again pardons then.
"""

from __future__ import annotations

from collections.abc import Sequence

from plumbing.bodies import refuse_unsafe_text
from plumbing.refusals import Refused
from risk_scorer.contract.sessions import SessionNotice, SessionsHeard
from risk_scorer.core.session_evidence import pardoned
from risk_scorer.flows.activity.observe import ActivityObserver
from risk_scorer.flows.activity.ports import Memories, Place, Sessions


class HearSessions:
    """Take notices."""

    def __init__(self, *, observer: ActivityObserver, sessions: Sessions, memories: Memories) -> None:
        self._observer = observer
        self._sessions = sessions
        self._memories = memories

    async def notices(self, notices: Sequence[SessionNotice], *, path: str | None) -> SessionsHeard:
        """Hear all or none of them, durably. `path` is the list's place in the body, None for a single one.

        Raises: Refused (422 with the path of the field that is not what it must be).
        """
        told = []
        for position, notice in enumerate(notices):
            place = "$" if path is None else f"{path}[{position}]"
            refuse_unsafe_text("".join(_texts(notice)), place)
            try:
                told.append((notice, self._observer.began(notice)))
            except Refused as refused:
                field = place + str(refused.evidence.get("field", "$")).removeprefix("$")
                raise Refused(refused.code, refused.message, status=422, evidence={"field": field}) from None
        shown = self._shown(notices)
        places: list[Place] = [("session", session_id) for session_id in shown]
        for memory in self._memories.at(places).values() if places else ():
            pardoned(memory)
        written = self._memories.changed(places, with_events=places)
        try:
            news, lost = await self._sessions.hear(told, written, shown)
        except BaseException:
            self._memories.undo(places)
            raise
        self._memories.settle(written, lost)
        return SessionsHeard(heard=news, known_before=len(notices) - news)

    def _shown(self, notices: Sequence[SessionNotice]) -> list[str]:
        """The sessions whose person has shown a factor that we did not hear of before."""
        steps = [each for each in notices if each.state == "stepped_up"]
        known = self._sessions.find([each.session_id for each in steps]) if steps else {}
        fresh = []
        for each in steps:
            session = known.get(each.session_id)
            is_theirs = session is None or session.is_vouched or session.user_id == each.user_id
            if is_theirs and (session is None or session.told.stepped_up_at < each.at):
                fresh.append(each.session_id)
        return list(dict.fromkeys(fresh))


def _texts(notice: SessionNotice) -> list[str]:
    return [
        notice.session_id, notice.user_id, notice.client_id, notice.user_agent, notice.device_id, notice.ja4 or "",
        notice.country, notice.reason, *(notice.roles or ()), *(notice.privileges or ()), *notice.amr,
    ]  # fmt: skip
