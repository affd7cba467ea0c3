"""What follows a right password: a score, one decision, and one transaction that holds all the decision means."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from auth_gateway.core.account import device_digest
from auth_gateway.core.claims import PHISHING_RESISTANT_LEVEL
from auth_gateway.core.decision import Allow, Challenge
from auth_gateway.core.pending import CHALLENGE_ATTEMPTS, CHALLENGE_TTL_SECONDS, PendingLogin
from auth_gateway.core.place import place_of
from auth_gateway.core.policy import Policy, available, decide, level_of, taken
from auth_gateway.core.policy_verdict import Verdict
from auth_gateway.core.push import Asked, drawn_number
from auth_gateway.core.rotation import digest
from auth_gateway.core.throttle import PROMPTED_TOO_OFTEN, prompt_keys
from auth_gateway.core.user_risk import user_level
from auth_gateway.flows.answers import Denied, LetIn, MfaRequired, Throttled, WrongCredentials
from auth_gateway.flows.entrance import Entrance, TokenEntrance
from auth_gateway.flows.issue import Issuer
from auth_gateway.flows.judged import Judged, Recognised
from auth_gateway.flows.listed_passwords import ListedPasswords
from auth_gateway.flows.policy_in_force import PolicyInForce
from auth_gateway.flows.ports import (
    Aftermath,
    NothingFollows,
    PendingLogins,
    Randomness,
    Scorer,
    Throttle,
    TrustedDevices,
    Users,
)
from auth_gateway.flows.recording import Recorder
from auth_gateway.flows.turn import RecentLines
from plumbing.database import Database
from plumbing.statements import Transaction
from plumbing.timing import Timed, untimed
from risk_scorer.contract.assessment import RiskScore

CHALLENGE_TOKEN_BYTES = 32

AdmissionAnswer = LetIn | MfaRequired | Denied | WrongCredentials | Throttled


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Decides about one recognised login and writes what follows; `aftermath` is told of whoever is let in. `lines`
    keeps what may come without end from filling the audit trail, `matches_numbers` says that the word of an MFA system
    must carry the number that the person is shown; `timed`
    measures what policy takes."""

    database: Database
    randomness: Randomness
    scorer: Scorer
    users: Users
    pending_logins: PendingLogins
    issuer: Issuer
    recorder: Recorder
    trusted_devices: TrustedDevices
    throttle: Throttle
    lines: RecentLines
    policy: Policy
    listed_passwords: ListedPasswords
    matches_numbers: bool = True
    aftermath: Aftermath = field(default_factory=NothingFollows)
    in_force: PolicyInForce = field(default_factory=PolicyInForce)
    timed: Timed = untimed

    async def __call__(self, login: Recognised, entrance: Entrance | None = None) -> AdmissionAnswer:
        """Allow, challenge or deny; `WrongCredentials` when the account was frozen or changed in the meantime."""
        login = msgspec.structs.replace(login, factors=available(login.factors, self.policy))
        event = login.event
        score = await self.scorer.score(event)
        if level_of(score) is None:
            score = None
        with self.timed():
            verdict = self._verdict(login, score)
        judged, decision = Judged(login=login, event=event, score=score, verdict=verdict), verdict.decision
        entrance = entrance or TokenEntrance(self.issuer, login.client)
        if isinstance(decision, Allow):
            return await self._allow(judged, entrance)
        if isinstance(decision, Challenge):
            return await self._challenge(judged, decision, entrance)
        return await self._deny(judged, entrance)

    def _verdict(self, login: Recognised, score: RiskScore | None) -> Verdict:
        """What the built-in table and the operator's document say."""
        marks = self.in_force.marks(login.context.client_id, login.account.username, score)
        built_in = decide(
            score,
            factors=login.factors,
            policy=self.policy,
            shown_phishing_resistant=login.authentication.acr == PHISHING_RESISTANT_LEVEL,
            user_level=user_level(login.risk.value_at(login.now, self.policy.user_risk_half_life_seconds)),
            marks=marks,
            leeway=login.leeway_points,
        )
        return self.in_force.on_login(login, score, built_in, self.policy, marks)

    async def _allow(self, judged: Judged, entrance: Entrance) -> AdmissionAnswer:
        login, score = judged.login, judged.score
        beginning = entrance.begin(
            judged.event,
            client_id=login.context.client_id,
            authentication=judged.authentication,
            risk_score=score.risk_score if score else None,
            now=login.now,
            is_vouched=login.context.is_vouched,
            country=score.explain.country if score else "",
            place=place_of(score),
        )
        session = beginning.session
        line = judged.line("login.allowed", session_id=session.session_id)
        entry = self.recorder.outcome(line, judged.event, "success")

        def write(tx: Transaction) -> None:
            beginning.write(tx)
            self.recorder.write(tx, entry)
            self.aftermath.let_in(tx, account=login.account, session=session, score=score, event_id=login.event_id)

        if not await self._commit(judged, write):
            return WrongCredentials()
        return msgspec.structs.replace(beginning.answer(score), owes_new_password=login.is_password_listed is True)

    async def _challenge(self, judged: Judged, decision: Challenge, entrance: Entrance) -> AdmissionAnswer:
        """Ask for a factor, unless the account was asked so often that somebody else seems to have its password: then
        its owner is left alone, and one line a minute says so to those who watch."""
        login = judged.login
        known = device_digest(login.context.device_id) if login.context.is_known_device else None
        reservation = await self.throttle.reserve(prompt_keys(login.account.user_id, known_device=known), login.now)
        if reservation.wait_seconds > 0:
            await self._note_prompts(judged)
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        try:
            return await self._ask(judged, decision, entrance)
        except Exception:
            await self.throttle.refund(reservation)
            raise

    async def _note_prompts(self, judged: Judged) -> None:
        login = judged.login
        key = (login.account.user_id, PROMPTED_TOO_OFTEN)
        if not self.lines.is_due(key, login.now):
            return
        self.lines.written(key, login.now)
        line = msgspec.structs.replace(judged.line("login.failed"), rule=PROMPTED_TOO_OFTEN, decision=None, detail=None)
        await self.database.write(lambda tx: self.recorder.audit.record(tx, line))

    async def _ask(self, judged: Judged, decision: Challenge, entrance: Entrance) -> AdmissionAnswer:
        token = self.randomness.token(CHALLENGE_TOKEN_BYTES)
        methods = taken(judged.login.factors, decision.demand, self.policy)
        pending = self._pending(judged, decision, token, takes_push="push" in methods)
        line = judged.line("login.challenged", challenge_id=pending.challenge_id)
        asked = Asked(number_matching=bool(pending.number), expires_in=CHALLENGE_TTL_SECONDS) if pending.push else None
        announced = judged.announced(challenge_id=pending.challenge_id, push=asked)
        entry = self.recorder.mfa_required(line, announced, judged.login.context, judged.score)

        def write(tx: Transaction) -> None:
            self.pending_logins.add(tx, pending)
            entrance.challenge(tx, token)
            self.recorder.write(tx, entry)

        if not await self._commit(judged, write):
            return WrongCredentials()
        return MfaRequired(
            challenge_token=token,
            challenge_id=pending.challenge_id,
            expires_in=CHALLENGE_TTL_SECONDS,
            methods=methods,
            number=pending.number,
            score=judged.score,
        )

    async def _deny(self, judged: Judged, entrance: Entrance) -> AdmissionAnswer:
        incident_id = self.randomness.event_id("inc")
        line = judged.line("login.denied", incident_id=incident_id)
        announced = judged.announced(incident_id=incident_id)
        entry = self.recorder.denied(line, announced, judged.login.context, judged.score)

        def write(tx: Transaction) -> None:
            entrance.deny(tx, incident_id)
            self.recorder.write(tx, entry)

        if not await self._commit(judged, write):
            return WrongCredentials()
        return Denied(incident_id=incident_id, score=judged.score)

    async def _commit(self, judged: Judged, write: Callable[[Transaction], None]) -> bool:
        """Write unless the account was frozen or got another password since it was read, or what was shown is spent;
        then write that instead."""
        login = judged.login
        account = login.account

        def job(tx: Transaction) -> bool:
            if login.spend is not None and not login.spend(tx):
                return self._failed(tx, judged, "spent_before")
            if not self.users.is_still(tx, account.user_id, account.password_version):
                return self._failed(tx, judged, "changed_meanwhile")
            if judged.leans_on_trust and not self._still_trusts(tx, login):
                return self._failed(tx, judged, "distrusted_meanwhile")
            if login.upgraded_hash is not None:
                self.users.upgrade_hash(
                    tx, account.user_id, expected_hash=account.password_hash, new_hash=login.upgraded_hash
                )
            if login.is_password_listed is not None:
                line = judged.line("password.breached")
                self.listed_passwords.note(tx, account, line, is_listed=login.is_password_listed)
            write(tx)
            return True

        return await self.database.write(job)

    def _still_trusts(self, tx: Transaction, login: Recognised) -> bool:
        trusted = login.context.trusted_digest
        device = None if trusted is None else self.trusted_devices.find(tx, trusted)
        return device is not None and device.user_id == login.account.user_id and device.revoked_at is None

    def _failed(self, tx: Transaction, judged: Judged, rule: str) -> bool:
        line = msgspec.structs.replace(judged.line("login.failed"), decision=None, rule=rule)
        failed = msgspec.structs.replace(judged.event, success=False)
        self.recorder.write(tx, self.recorder.outcome(line, failed, "failure"))
        return False

    def _pending(self, judged: Judged, decision: Challenge, token: str, *, takes_push: bool) -> PendingLogin:
        login, score = judged.login, judged.score
        return PendingLogin(
            challenge_id=self.randomness.event_id("chg"),
            token_digest=digest(token),
            user_id=login.account.user_id,
            client_id=login.context.client_id,
            password_version=login.account.password_version,
            device_digest=device_digest(login.context.device_id),
            event_id=login.event_id,
            event=msgspec.json.encode(judged.event),
            risk_score=score.risk_score if score else None,
            risk_level=score.risk_level if score else None,
            created_at=login.now,
            expires_at=login.now + CHALLENGE_TTL_SECONDS,
            attempts_left=CHALLENGE_ATTEMPTS,
            is_vouched=login.context.is_vouched,
            country=score.explain.country if score else "",
            place=place_of(score),
            demand=decision.demand,
            amr=login.authentication.amr_text,
            is_known_device=login.context.is_known_device,
            push="waiting" if takes_push else "",
            number=drawn_number(self.randomness.bytes(8)) if takes_push and self.matches_numbers else "",
        )
