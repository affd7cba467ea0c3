"""What follows a right proof: one more score for whoever showed it, one decision, and one transaction that lets in or
refuses. A code can be relayed, and a challenge token stolen; where the answer comes from is looked at as well.
"""

from dataclasses import dataclass, field

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.announcement import Announced
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.claims import PASSWORD
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.decision import Deny
from auth_gateway.core.factor import FactorKind, by_one_more, is_phishing_resistant
from auth_gateway.core.facts import Facts, facts_of
from auth_gateway.core.origin import is_context_unknown
from auth_gateway.core.pending import PendingLogin
from auth_gateway.core.ruling import Ruling
from auth_gateway.flows.answers import ChallengeOver, Denied, LetIn
from auth_gateway.flows.entrance import Entrance, TokenEntrance
from auth_gateway.flows.issue import Issuer
from auth_gateway.flows.ports import Aftermath, NothingFollows, Randomness, Users
from auth_gateway.flows.recheck import Recheck, Returning
from auth_gateway.flows.recording import Recorder
from plumbing.database import Database
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskScore


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """One challenge that is being answered: by whom, from where, with which kind of factor, and under which event
    id."""

    event_id: str
    now: float
    pending: PendingLogin
    client: Client
    context: LoginContext
    shown: FactorKind

    @property
    def is_context_unknown(self) -> bool:
        """Whether this request says nothing about the person."""
        return is_context_unknown(self.pending.origin, self.context, self.client)

    def line(self, kind: Kind) -> AuditEvent:
        """The audit line of this answer, with the score of the first half until there is a newer one."""
        pending = self.pending
        return AuditEvent(
            event_id=self.event_id,
            ts=self.now,
            kind=kind,
            user_id=pending.user_id,
            client_id=pending.client_id,
            ip=pending.login.ip if self.is_context_unknown else self.context.ip,
            score=pending.risk_score,
            level=pending.risk_level,
            detail=f"{pending.challenge_id} {pending.event_id}",
            facts=self.facts(None),
        )

    def facts(self, score: RiskScore | None) -> Facts:
        """The circumstances of the answer."""
        pending = self.pending
        return msgspec.structs.replace(
            facts_of(self.context, score, path="step_up"),
            demand=pending.demand,
            method=self.shown,
            amr=tuple(pending.amr.split()),
            challenge_id=pending.challenge_id,
            began_as=pending.event_id,
            shown_phishing_resistant=is_phishing_resistant(self.shown),
            is_known_device=bool(pending.is_known_device),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Finishes or refuses a login whose proof was right and is spent; `aftermath` is told of whoever is let in."""

    database: Database
    randomness: Randomness
    users: Users
    issuer: Issuer
    recorder: Recorder
    recheck: Recheck
    aftermath: Aftermath = field(default_factory=NothingFollows)

    async def __call__(self, answered: Answered, entrance: Entrance | None = None) -> LetIn | Denied | ChallengeOver:
        """`ChallengeOver` when the account was frozen or changed in the meantime."""
        pending = answered.pending
        ruling = await self.recheck.step_up(
            Returning(
                event_id=answered.event_id,
                user_id=pending.user_id,
                client=answered.client,
                context=answered.context,
                origin=pending.origin,
                login_score=pending.risk_score,
                amr=tuple(pending.amr.split()),
            ),
            shown=answered.shown,
            now=answered.now,
        )
        entrance = entrance or TokenEntrance(self.issuer, answered.client)
        if isinstance(ruling.decision, Deny):
            return await self._deny(answered, ruling, entrance)
        return await self._allow(answered, ruling, entrance)

    async def _allow(self, answered: Answered, ruling: Ruling, entrance: Entrance) -> LetIn | ChallengeOver:
        """The session has the facts of the first half: what comes later is held against where the password was.

        A password that was shown in an earlier login is as old as that.
        """
        pending, login = answered.pending, answered.pending.login
        recognised_at = answered.now if pending.recognised_at is None else pending.recognised_at
        beginning = entrance.begin(
            login,
            client_id=pending.client_id,
            authentication=by_one_more(pending.amr.split(), answered.shown, recognised_at),
            risk_score=pending.risk_score,
            now=answered.now,
            is_vouched=bool(pending.is_vouched),
            country=pending.country,
            place=pending.place,
        )
        session = beginning.session
        line = msgspec.structs.replace(_line(answered, ruling, "challenge.passed"), session_id=session.session_id)
        entry = self.recorder.outcome(line, login, "mfa_passed")

        def write(tx: Transaction) -> Account | None:
            account = self.users.by_id(tx, pending.user_id)
            if account is None or not self.users.is_still(tx, pending.user_id, pending.password_version):
                return None
            beginning.write(tx)
            self.recorder.write(tx, entry)
            self.aftermath.let_in(tx, account=account, session=session, score=ruling.score, event_id=pending.event_id)
            return account

        account = await self.database.write(write)
        if account is None:
            return ChallengeOver()
        owes = account.is_password_listed and PASSWORD in pending.amr.split()
        return msgspec.structs.replace(beginning.answer(ruling.score), owes_new_password=owes)

    async def _deny(self, answered: Answered, ruling: Ruling, entrance: Entrance) -> Denied:
        pending = answered.pending
        incident_id = self.randomness.event_id("inc")
        line = msgspec.structs.replace(_line(answered, ruling, "login.denied"), incident_id=incident_id)
        announced = Announced(
            event_id=answered.event_id,
            user_id=pending.user_id,
            username=self.database.read(lambda tx: self.users.username(tx, pending.user_id)),
            rule=ruling.decision.rule,
            challenge_id=pending.challenge_id,
            incident_id=incident_id,
        )
        entry = self.recorder.denied(line, announced, answered.context, ruling.score)

        def write(tx: Transaction) -> None:
            entrance.deny(tx, incident_id)
            self.recorder.write(tx, entry)

        await self.database.write(write)
        return Denied(incident_id=incident_id, score=ruling.score)


def _line(answered: Answered, ruling: Ruling, kind: Kind) -> AuditEvent:
    line = answered.line(kind)
    ruled = ruling.on(msgspec.structs.replace(line, facts=answered.facts(ruling.score)))
    if ruling.risk_score is None:
        return msgspec.structs.replace(ruled, score=line.score, level=line.level)
    return ruled
