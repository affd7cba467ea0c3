"""The scorer's word that a session, or a person, has become risky. Whose word it is was proven before; here it counts
once, and policy's marks say what it does. A session or person that we do not know, or that do not belong together, is
nobody's: nothing is done, and nothing is told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.detections import of_session_risk
from auth_gateway.core.facts import Facts
from auth_gateway.core.session import Session
from auth_gateway.core.session_risk import KeptSignal, SessionMarks, response_to
from auth_gateway.flows.ports import Clock, Randomness, Sessions, Users
from auth_gateway.flows.ports.session_risk import SessionSignals
from auth_gateway.flows.session_responses import Concerned, SessionResponses
from auth_gateway.flows.user_risk import RiskFollower
from plumbing.database import Database
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import Reason
from risk_scorer.contract.signals import SessionRiskSignal

Taken = Literal["taken", "repeated", "unknown"]
LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSignal:
    """Takes one signal; `marks` are those in force."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    sessions: Sessions
    signals: SessionSignals
    responses: SessionResponses
    follower: RiskFollower
    marks: Callable[[], SessionMarks]

    async def __call__(self, signal: SessionRiskSignal) -> Taken:
        """Keep it and do what it asks for, all in one transaction.

        Raises: Refused("busy" or "storage_unavailable", 503); then nothing was done, and it may be sent again.
        """
        now, event_id, marks = self.clock.now(), self.randomness.event_id("evt"), self.marks()
        return await self.database.write(lambda tx: self._take(tx, signal, marks, event_id=event_id, now=now))

    def _take(
        self, tx: Transaction, signal: SessionRiskSignal, marks: SessionMarks, *, event_id: str, now: float
    ) -> Taken:
        """The account's row is held first: of what happens to one person at once, one comes after the other."""
        self.users.hold(tx, signal.user_id)
        account = self.users.by_id(tx, signal.user_id)
        session = self.sessions.find(tx, signal.session_id) if signal.session_id else None
        if account is None or (signal.session_id and (session is None or session.user_id != signal.user_id)):
            return "unknown"
        kept = _kept(signal, marks, now, names_session=session is not None)
        if not self.signals.keep(tx, kept):
            return "repeated"
        line = _line(signal, kept, session, event_id=event_id)
        self.responses.recorder.audit.record(tx, line)
        if not marks.report_only:
            self._respond(tx, kept, line, account, session)
        return "taken"

    def _respond(
        self, tx: Transaction, kept: KeptSignal, line: AuditEvent, account: Account, session: Session | None
    ) -> None:
        about = Concerned(account=account, session=session, observed_at=kept.observed_at)
        if self.responses.apply(tx, kept.response, line, about):
            self.signals.note(tx, kept.signal_id, "done")
        said = kept.campaign_id or kept.source if kept.source == "campaign" else ""
        move = of_session_risk(kept.response, kept.score, is_campaign=kept.source == "campaign")
        self.follower.apply(tx, line, move, by=said, why=_words(kept) if said else "")


def _kept(signal: SessionRiskSignal, marks: SessionMarks, now: float, *, names_session: bool) -> KeptSignal:
    return KeptSignal(
        signal_id=signal.signal_id,
        session_id=signal.session_id,
        user_id=signal.user_id,
        score=signal.score,
        recommended=signal.recommended,
        response=response_to(signal.score, marks, names_session=names_session),
        effect="report_only" if marks.report_only else "nothing",
        source=signal.source,
        campaign_id=signal.campaign_id,
        reasons=signal.reasons,
        observed_at=signal.observed_at,
        received_at=now,
    )


def _line(signal: SessionRiskSignal, kept: KeptSignal, session: Session | None, *, event_id: str) -> AuditEvent:
    """What was heard, and what it asks for."""
    only = " report_only" if kept.effect == "report_only" else ""
    reasons = tuple(
        Reason(code=each.code, points=each.points, observed="", usual="", text=each.text) for each in signal.reasons
    )
    return AuditEvent(
        event_id=event_id,
        ts=kept.received_at,
        kind="session.risk_signalled",
        user_id=kept.user_id,
        client_id=None if session is None else session.client_id,
        session_id=None if session is None else session.session_id,
        rule=kept.response,
        score=kept.score,
        level=signal.level,
        detail=f"{kept.source} {kept.campaign_id or kept.signal_id}{only}",
        facts=Facts(reasons=reasons, amr=() if session is None else tuple(session.amr.split())),
    )


def _words(kept: KeptSignal) -> str:
    """Why, as one line."""
    return "; ".join(each.text or each.code for each in kept.reasons)[:LONGEST_WORDS] or "risk"
