"""A link in a letter becomes a new password: with a second factor where there is one, judged like every other way in,
and once. Whoever was in is out, and an account that waited for another password is open again.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import REPORTED, Account
from auth_gateway.core.announcement import Announced
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.context import LoginContext, login_event
from auth_gateway.core.decision import Deny
from auth_gateway.core.factor import FactorKind, is_enrolled, usable
from auth_gateway.core.facts import facts_of
from auth_gateway.core.letter import MailLink
from auth_gateway.core.password_rules import shortest_for
from auth_gateway.core.policy import Policy, level_of
from auth_gateway.core.recovery import decide_recovery, new_ticket, shown_by, shown_passkey
from auth_gateway.core.ruling import Ruling, ruling_on
from auth_gateway.core.throttle import factor_keys
from auth_gateway.flows.answers import Denied, Throttled, WrongCode
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.foreign_factors import ForeignFactors
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.links import OpenLinks
from auth_gateway.flows.new_passwords import NewPasswords
from auth_gateway.flows.ports import (
    Clock,
    MailLinks,
    NewHashes,
    PostOffice,
    Randomness,
    Recoverables,
    Scorer,
    Sessions,
    Throttle,
    TrustedDevices,
    Users,
)
from auth_gateway.flows.proofs import PasskeyProof, Proof, Proving
from auth_gateway.flows.recording import Entry, Recorder
from auth_gateway.flows.recovery_request import may_recover
from auth_gateway.flows.reporting import LinkOver
from plumbing.database import Database
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent

RECOVERED = "recovered"


class Recovering(msgspec.Struct, frozen=True, kw_only=True):
    """A link that can be followed, whose it is, and which factors its person could show; none need be where there are
    none. `least` is how long the new password must be."""

    link: MailLink
    account: Account
    kinds: tuple[FactorKind, ...]

    @property
    def least(self) -> int:
        return shortest_for(has_factor=bool(self.kinds))


class FactorShown(msgspec.Struct, frozen=True, kw_only=True):
    """The factor was right; the ticket goes along with the new password."""

    ticket: str


class FactorMissing(msgspec.Struct, frozen=True):
    """A factor must be shown first."""


class Recovered(msgspec.Struct, frozen=True):
    """The new password counts from now on."""


class _Reset(msgspec.Struct, frozen=True, kw_only=True):
    """What the transaction writes, drawn before it."""

    found: Recovering
    new_hash: str
    shown: str
    now: float
    done: Entry
    unfrozen: AuditEvent
    removed: AuditEvent
    removed_letter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Follows links to new passwords. `ticket_key` is derived for tickets alone."""

    database: Database
    clock: Clock
    randomness: Randomness
    throttle: Throttle
    scorer: Scorer
    policy: Policy
    users: Users
    recoverables: Recoverables
    sessions: Sessions
    trusted_devices: TrustedDevices
    ending: Ending
    foreign_factors: ForeignFactors
    links: OpenLinks
    mail_links: MailLinks
    proving: Proving
    new_passwords: NewPasswords
    new_hashes: NewHashes
    post_office: PostOffice
    recorder: Recorder
    ticket_key: bytes

    def find(self, token: str) -> Recovering | None:
        """What the link opens, None when it opens nothing any more."""
        link = self.links.find(token, "recover")
        return None if link is None else self.database.read(lambda tx: self._recovering(tx, link))

    async def show(self, found: Recovering, proof: Proof, context: LoginContext) -> FactorShown | WrongCode | Throttled:
        """One factor. The try is counted before it is looked at, in the same budgets as at a login.

        Raises: Refused("storage_unavailable", 503).
        """
        now, user_id = self.clock.now(), found.account.user_id
        keys = () if isinstance(proof, PasskeyProof) else factor_keys(user_id)
        reservation = await self.throttle.reserve(keys, now)
        if reservation.wait_seconds > 0:
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        failed = self._line("challenge.failed", found, context, now)

        def job(tx: Transaction) -> bool:
            if proof.kind in found.kinds and self.proving.is_right(tx, proof, user_id=user_id, now=now):
                return True
            self.recorder.audit.record(tx, failed)
            return False

        try:
            is_right = await self.database.write(job)
        except Exception:
            await self.throttle.refund(reservation)
            raise
        if not is_right:
            return WrongCode(attempts_left=0)
        await self.throttle.refund(reservation)
        shown = shown_passkey(proof.credential_id) if isinstance(proof, PasskeyProof) else proof.kind
        digest = found.link.token_digest
        return FactorShown(
            ticket=new_ticket(self.ticket_key, link_digest=digest, user_id=user_id, shown=shown, now=now)
        )

    def shown(self, found: Recovering, ticket: str) -> str:
        """Which factor was shown for this link, as the ticket says; "" none."""
        digest, user_id = found.link.token_digest, found.account.user_id
        return shown_by(ticket, self.ticket_key, link_digest=digest, user_id=user_id, now=self.clock.now())

    async def __call__(
        self, found: Recovering, ticket: str, password: str, context: LoginContext
    ) -> Recovered | FactorMissing | Denied | LinkOver:
        """The new password, by the rules.

        Raises: Refused (422) of `NewPasswords.checked`; Refused("busy" or "storage_unavailable", 503).
        """
        account = found.account
        shown = self.shown(found, ticket)
        if found.kinds and not shown:
            return FactorMissing()
        names = (account.username, account.display_name, account.email)
        prepared = self.new_passwords.checked(password, names=names, has_factor=bool(found.kinds))
        now, event = self.clock.now(), self._event(found, context)
        ruling = await self._ruled(event, has_ticket=shown != "")
        if isinstance(ruling.decision, Deny):
            return await self._deny(found, ruling, context, event)
        line = ruling.on(self._line("account.recovered", found, context, now, event_id=event.event_id))
        reset = _Reset(
            found=found,
            new_hash=await self.new_hashes.hash(prepared),
            shown=shown,
            now=now,
            # Whoever holds the mailbox alone teaches nothing: it may be another's by now.
            done=self.recorder.outcome(line, event if shown else None, "mfa_passed"),
            unfrozen=self._line("user.unfrozen", found, context, now),
            removed=self._line("factor.removed", found, context, now, rule=REPORTED),
            removed_letter_id=self.randomness.event_id("ltr"),
        )
        return await self.database.write(lambda tx: self._set(tx, reset))

    def _recovering(self, tx: Transaction, link: MailLink) -> Recovering | None:
        account = self.users.by_id(tx, link.user_id)
        if account is None or not may_recover(account):
            return None
        kinds = usable(self.users.factor_kinds(tx, account.user_id), "enrolled")
        return Recovering(link=link, account=account, kinds=kinds)

    def _set(self, tx: Transaction, reset: _Reset) -> Recovered | FactorMissing | LinkOver:
        """All of it or nothing; of two with the same link one comes through."""
        link, now = reset.found.link, reset.now
        account = self.users.by_id(tx, link.user_id)
        if account is None or not may_recover(account):
            return LinkOver()
        user_id = account.user_id
        if is_enrolled(self.users.factor_kinds(tx, user_id)) and not reset.shown:
            return FactorMissing()  # enrolled since the link was looked at
        if not self.mail_links.use(tx, link.token_digest, "recover", now):
            return LinkOver()
        self.mail_links.withdraw(tx, user_id, "recover", now)
        self.users.set_password(tx, user_id, reset.new_hash)
        if self.recoverables.unfreeze(tx, user_id):
            self.recorder.audit.record(tx, msgspec.structs.replace(reset.unfrozen, rule=account.frozen_reason))
        line = reset.done.line
        ids = [session.session_id for session in self.sessions.of_user(tx, user_id)]
        self.ending.end_all(tx, ids, reason=RECOVERED, event_id=line.event_id, now=now)
        self.trusted_devices.revoke_all(tx, user_id, now)
        self._uproot(tx, account, reset)
        self.recorder.write(tx, reset.done)
        letter = letter_to(account, "password_changed", {"at": str(now)})
        self.post_office.post(tx, letter, letter_id=line.event_id, now=now)
        return Recovered()

    def _uproot(self, tx: Transaction, account: Account, reset: _Reset) -> None:
        """What somebody else enrolled goes, and the owner is told."""
        if not reset.shown:
            return
        removed = self.foreign_factors.remove(tx, account.user_id, shown=reset.shown, now=reset.now)
        for word in removed:
            self.recorder.audit.record(tx, msgspec.structs.replace(reset.removed, detail=word))
        if removed:
            letter = letter_to(account, "factor_removed", {"at": str(reset.now)})
            self.post_office.post(tx, letter, letter_id=reset.removed_letter_id, now=reset.now)

    def _event(self, found: Recovering, context: LoginContext) -> LoginEvent:
        event_id = self.randomness.event_id("evt")
        user_id = found.account.user_id
        return login_event(context, event_id=event_id, user_id=user_id, success=True, kind="step_up")

    async def _ruled(self, event: LoginEvent, *, has_ticket: bool) -> Ruling:
        score = await self.scorer.score(event) if event.ip else None
        score = None if level_of(score) is None else score
        return ruling_on(decide_recovery(score, has_shown_factor=has_ticket, policy=self.policy), score)

    async def _deny(self, found: Recovering, ruling: Ruling, context: LoginContext, event: LoginEvent) -> Denied:
        """The link still counts: the owner may follow it from somewhere else."""
        incident_id, account = self.randomness.event_id("inc"), found.account
        line = ruling.on(self._line("login.denied", found, context, self.clock.now(), event_id=event.event_id))
        line = msgspec.structs.replace(line, incident_id=incident_id)
        announced = Announced(
            event_id=line.event_id,
            user_id=account.user_id,
            username=account.username,
            rule=ruling.decision.rule,
            incident_id=incident_id,
        )
        entry = self.recorder.denied(line, announced, context, ruling.score)
        await self.database.write(lambda tx: self.recorder.write(tx, entry))
        return Denied(incident_id=incident_id, score=ruling.score)

    def _line(
        self,
        kind: Kind,
        found: Recovering,
        context: LoginContext,
        now: float,
        *,
        event_id: str | None = None,
        rule: str | None = None,
    ) -> AuditEvent:
        return AuditEvent(
            event_id=event_id or self.randomness.event_id("evt"),
            ts=now,
            kind=kind,
            user_id=found.account.user_id,
            client_id=context.client_id,
            ip=context.ip,
            rule=rule,
            facts=facts_of(context, None),
        )
