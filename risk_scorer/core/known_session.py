"""A session as the scorer knows it, and what a notice of the gateway changes in it.

Notices may be repeated and come in any order: what is known in the end is the same.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct, structs

from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.core.activity.seen import SessionFacts

State = Literal["started", "stepped_up", "ended", "vouched"]
"""`vouched`: the gateway never told of it, but a caller who may vouch described it."""


EXPIRED: Final = "expired"
"""The reason of a session that ran out."""


class Told(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What is kept of a session beside who and when: what it began with, as of `began_at`, and what its person may do.

    Roles and privileges are None where nobody told. `stepped_up_at` is 0 where its person was never asked for more, and
    `expires_at` where nobody said when it ends at the latest.
    """

    began: SessionFacts = SessionFacts()
    began_at: float = 0.0
    roles: tuple[str, ...] | None = None
    privileges: tuple[str, ...] | None = None
    roles_at: float = 0.0
    stepped_up_at: float = 0.0
    reason: str = ""
    expires_at: float = 0.0


class KnownSession(Struct, frozen=True, kw_only=True, gc=False):
    """One session; times are epoch seconds."""

    session_id: str
    user_id: str
    client_id: str = ""
    state: State = "started"
    told: Told = Told()
    started_at: float = 0.0
    changed_at: float = 0.0
    ended_at: float | None = None

    @property
    def is_vouched(self) -> bool:
        """Whether the gateway never told of it."""
        return self.state == "vouched"

    @property
    def over_at(self) -> float | None:
        """When it ended or will have ended, if nobody ends it before; None where that is not known."""
        expires_at = self.told.expires_at or None
        return expires_at if self.ended_at is None else min(self.ended_at, expires_at or self.ended_at)

    def as_of(self, now: float) -> KnownSession:
        """Itself at that moment: ended by then, if it has run out. Of that the gateway sends no notice."""
        over_at = self.over_at
        if over_at is None or now < over_at or over_at == self.ended_at:
            return self
        return structs.replace(
            self, state="ended", ended_at=over_at, told=structs.replace(self.told, reason=self.told.reason or EXPIRED)
        )


def heard(known: KnownSession | None, notice: SessionNotice, facts: SessionFacts) -> KnownSession:
    """What is known once the notice is heard; `facts` is what it says of where and with what its person came.

    The gateway's word replaces what a caller described. A notice that names somebody else changes nothing: a session
    is one person's for good.
    """
    if known is None or known.is_vouched:
        known = KnownSession(session_id=notice.session_id, user_id=notice.user_id, started_at=notice.at)
    if known.user_id != notice.user_id:
        return known
    told, ended_at = known.told, known.ended_at
    if notice.state == "ended":
        if ended_at is None or notice.at < ended_at:
            ended_at, told = notice.at, structs.replace(told, reason=notice.reason)
    else:
        told = _told(told, notice, facts)
    return structs.replace(
        known,
        client_id=known.client_id or notice.client_id,
        state=_state(ended_at, told),
        told=told,
        started_at=min(known.started_at, notice.at),
        changed_at=max(known.changed_at, notice.at),
        ended_at=ended_at,
    )


def _told(told: Told, notice: SessionNotice, facts: SessionFacts) -> Told:
    told = structs.replace(told, expires_at=max(told.expires_at, notice.expires_at))
    if notice.state == "stepped_up":
        told = structs.replace(told, stepped_up_at=max(told.stepped_up_at, notice.at))
    # Whoever has just shown a factor showed it from there: what follows is held against that place.
    if (facts.ip or facts.browser or facts.device_id) and notice.at >= told.began_at:
        told = structs.replace(told, began=facts, began_at=notice.at)
    says = notice.roles is not None or notice.privileges is not None
    if says and notice.at >= told.roles_at:
        told = structs.replace(
            told,
            roles=told.roles if notice.roles is None else notice.roles,
            privileges=told.privileges if notice.privileges is None else notice.privileges,
            roles_at=notice.at,
        )
    return told


def _state(ended_at: float | None, told: Told) -> State:
    if ended_at is not None:
        return "ended"
    return "stepped_up" if told.stepped_up_at else "started"
