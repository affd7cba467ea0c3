"""What analysts say of a person, and have done to their account. The gateway goes first: what it refuses teaches
nothing.

A verdict about somebody is one about their latest risky sign-ins that nobody has judged; a dismissal teaches nobody.
"""

from __future__ import annotations

from typing import Final

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.contract.feedback import Feedback, VerdictKind
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.flows.console.judging import Judged
from risk_scorer.flows.console.ports import Gateway, RiskVerdict
from risk_scorer.flows.console.sign_ins import SignIns

JUDGED_SECONDS: Final = 7 * 86_400.0
MOST_JUDGED: Final = 50
LOOKED_THROUGH: Final = 200
OF_SIGN_INS: Final[dict[RiskVerdict, VerdictKind]] = {
    "compromised": "confirmed_compromised",
    "safe": "confirmed_safe",
    "dismissed": "dismissed",
}


class UserActs:
    """Says it and has it done; each answers in one line what was done. All raise Refused."""

    def __init__(self, *, gateway: Gateway, sign_ins: SignIns, judge: Judged, clock: Clock) -> None:
        self._gateway = gateway
        self._sign_ins = sign_ins
        self._judge = judge
        self._clock = clock

    async def verdict(self, user_id: str, verdict: RiskVerdict, *, by: str, why: str) -> str:
        """Somebody else has the account; it was the person; or it is of no concern."""
        words = verdict.capitalize()
        if not self._gateway.is_on:
            return f"{words}; {await self._judge_sign_ins(user_id, verdict, by=by, why=why)}."
        risk = await self._gateway.verdict(user_id, verdict, by=by, why=why)
        words = f"{words}; risk at the gateway {risk.risk:.0f}"
        try:
            return f"{words}; {await self._judge_sign_ins(user_id, verdict, by=by, why=why)}."
        except Refused as refused:
            half = f"{words}. That is done; sign-ins were not judged, so say it once more. {refused.message}"
            raise Refused(refused.code, half, status=refused.status) from refused

    async def freeze(self, user_id: str, *, by: str, why: str) -> str:
        """Nobody gets in any more."""
        done = await self._gateway.freeze(user_id, by=by, why=why)
        return "The account is frozen, and every session has ended." if done.changed else "It was frozen already."

    async def unfreeze(self, user_id: str, *, by: str, why: str, version: int | None) -> str:
        """They may sign in again."""
        done = await self._gateway.unfreeze(user_id, by=by, why=why, version=version)
        return "The account is open again; ended sessions stay ended." if done.changed else "It was open already."

    async def force_reset(self, user_id: str, *, by: str, why: str, version: int | None) -> str:
        """The password must be another one."""
        done = await self._gateway.force_reset(user_id, by=by, why=why, version=version)
        if not done.changed:
            return "The password has to be renewed already."
        return f"The password has to be renewed; {_sessions(done.ended)} ended, and a letter is on its way."

    async def sign_out(self, user_id: str, *, by: str, why: str) -> str:
        """Every session ends."""
        done = await self._gateway.reset_sessions(user_id, by=by, why=why)
        return f"Signed out everywhere: {_sessions(done.ended)} ended."

    async def end_session(self, user_id: str, session_id: str, *, by: str, why: str) -> str:
        """One session ends."""
        done = await self._gateway.end_session(user_id, session_id, by=by, why=why)
        return "The session has ended; the person's others go on." if done.ended else "It was over already."

    async def _judge_sign_ins(self, user_id: str, verdict: RiskVerdict, *, by: str, why: str) -> str:
        since = self._clock.now() - JUDGED_SECONDS
        page = await self._sign_ins.page(SignInFilter(user=user_id, since=since), limit=LOOKED_THROUGH)
        risky = [row.event_id for row in page.rows if row.level != "low" and not row.verdict]
        said, judged = OF_SIGN_INS[verdict], risky[:MOST_JUDGED]
        given = [Feedback(event_id=each, verdict=said, by=by, reason=why, source="analyst") for each in judged]
        if given:
            await self._judge.feedback(given, path="event")
        told = f"{len(given)} risky sign-in{'' if len(given) == 1 else 's'} judged"
        return told if page.next_cursor is None and judged == risky else f"{told}, of the newest alone"


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"
