"""Who acted: what the session says that the gateway issued, and never what the caller says of somebody else.

An application may report for any session that it knows the id or the token of. A caller that may vouch (a stream that
is trusted, a credential with that scope) may also describe people of whom the gateway told nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from plumbing.refusals import Refused
from risk_scorer.contract.activity import AssessRequest, HowKnown
from risk_scorer.core.known_session import KnownSession
from risk_scorer.flows.activity.ports import Sessions, Tokens, TokenSession

SESSION_SECONDS = 5.0
"""How far the clocks of an application and the gateway may be apart when a session ends."""


class Who(Struct, frozen=True, gc=False):
    """Whose event it is, in which session, and on whose word; `session` is what is known of it."""

    user_id: str
    session_id: str
    how: HowKnown
    session: KnownSession | None


class Identify:
    """Finds out whose events these are."""

    def __init__(self, *, sessions: Sessions, tokens: Tokens) -> None:
        self._sessions = sessions
        self._tokens = tokens

    async def who(self, requests: Sequence[AssessRequest], *, may_vouch: bool) -> list[Who | Refused]:
        """Whose each event is, or why that is not believed; one whose token cannot be checked now has the 503 alone.

        Raises: Refused (503 when sessions cannot be looked up).
        """
        by_token = await self._by_token(requests)
        # PostgreSQL takes no NUL: what has one is no session of anybody.
        named = [each.identity.session_id for each in requests]
        asked = [session_id for session_id in named if session_id and "\0" not in session_id]
        asked += [found.session_id for found in by_token.values() if not isinstance(found, Refused)]
        known = self._sessions.find(asked) if asked else {}
        return [_who(each, by_token.get(place), known, may_vouch) for place, each in enumerate(requests)]

    async def _by_token(self, requests: Sequence[AssessRequest]) -> dict[int, TokenSession | Refused]:
        found: dict[int, TokenSession | Refused] = {}
        for place, each in enumerate(requests):
            if each.identity.token:
                try:
                    found[place] = await self._tokens.session_of(each.identity.token)
                except Refused as refused:
                    found[place] = refused
        return found


def _who(
    request: AssessRequest,
    of_token: TokenSession | Refused | None,
    known: Mapping[str, KnownSession],
    may_vouch: bool,
) -> Who | Refused:
    said = request.identity
    if isinstance(of_token, Refused):
        return of_token
    session_id = said.session_id if of_token is None else of_token.session_id
    session = known.get(session_id)
    if of_token is not None and (of_token.user_id != said.user_id or said.session_id not in ("", session_id)):
        return mismatch()
    if session is not None and session.user_id != said.user_id:
        return mismatch()
    if of_token is not None:
        return Who(said.user_id, session_id, "token", session)
    if session is not None and not session.is_vouched:
        return Who(said.user_id, session_id, "session", session)
    if may_vouch:
        return Who(said.user_id, session_id, "vouched", session)
    return _unknown() if session_id else _nameless()


def refuse_ended(who: Who, ts: float) -> Refused | None:
    """Why nothing more is taken of this session at that moment, if it has ended or run out before."""
    session = who.session
    over_at = None if session is None else session.over_at
    if over_at is None or ts <= over_at + SESSION_SECONDS:
        return None
    return Refused("session_ended", "The session has ended before that.", status=409)


def mismatch() -> Refused:
    """That an event is told of one person and a session of another."""
    text = "The session is not of the person that is named."
    return Refused("identity_mismatch", text, status=409, evidence={"field": "$.identity"})


def _unknown() -> Refused:
    text = "The gateway has told of no such session."
    return Refused("unknown_session", text, status=404, evidence={"field": "$.identity.session_id"})


def _nameless() -> Refused:
    text = "Name the session by its id or by an access token of it."
    return Refused("session_required", text, status=422, evidence={"field": "$.identity.session_id"})
