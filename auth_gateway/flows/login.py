"""One login by password: count the try, check the password, and only then let `admission` score and decide."""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from auth_gateway.core.account import Account, device_digest
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.claims import by_password
from auth_gateway.core.context import Client, LoginContext, login_event
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.facts import facts_of
from auth_gateway.core.leeway import NO_LEEWAY, Leeway
from auth_gateway.core.names import prepare_password, prepare_username, unknown_user_id
from auth_gateway.core.throttle import login_keys
from auth_gateway.core.user_risk import NO_RISK, UserRisk
from auth_gateway.flows.admission import Admission
from auth_gateway.flows.answers import LetIn, LoginAnswer, Throttled, WrongCredentials
from auth_gateway.flows.entrance import Entrance
from auth_gateway.flows.judged import Recognised
from auth_gateway.flows.ports import Clock, Passwords, Randomness, Reservation, Throttle, Users
from auth_gateway.flows.recording import Recorder
from plumbing.database import Database


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to log in, with the account it names when there is one."""

    event_id: str
    now: float
    username: str | None
    context: LoginContext
    account: Account | None
    factors: tuple[FactorKind, ...]
    is_trusted_device: bool
    risk: UserRisk
    leeway: Leeway

    def failure_line(self) -> AuditEvent:
        """Why it failed: for the operator, never for the caller. An unknown name is not written down."""
        rule = "unknown_user"
        if self.account is not None:
            rule = "frozen" if self.account.is_frozen else "wrong_password"
        return AuditEvent(
            event_id=self.event_id,
            ts=self.now,
            kind="login.failed",
            user_id=self.account.user_id if self.account else None,
            client_id=self.context.client_id,
            ip=self.context.ip,
            rule=rule,
            facts=facts_of(self.context, None, username=self.account.username if self.account else ""),
        )


class Allowance(Protocol):
    """How much may be told of names that nobody has."""

    def takes(self, now: float) -> bool:
        """Whether one more failure may be told; it counts if so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Answers one login. `names_key` hides the unknown names that the scorer is told of; it is not in the database."""

    database: Database
    clock: Clock
    randomness: Randomness
    throttle: Throttle
    passwords: Passwords
    users: Users
    recorder: Recorder
    admission: Admission
    unknown_names: Allowance
    names_key: bytes

    async def __call__(
        self, username: str, password: str, context: LoginContext, client: Client, *, entrance: Entrance | None = None
    ) -> LoginAnswer:
        """Allow, challenge or deny; the same `WrongCredentials` for unknown user, wrong password, frozen account.

        Whoever is let in gets tokens, unless the login is for another `entrance`.

        Raises: Refused("busy", "storage_unavailable" or "sealing_key_missing", 503); then nobody is let in and the try
        is not counted.
        """
        attempt = self._recognise(username, msgspec.structs.replace(context, client_id=client.client_id))
        reservation = await self._reserve(attempt)
        if reservation.wait_seconds > 0:
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        try:
            answer = await self._answer(attempt, password, client, entrance)
        except Exception:
            await self.throttle.refund(reservation)
            raise
        if not isinstance(answer, WrongCredentials):
            await self.throttle.refund(_what_no_guess_costs(reservation, is_let_in=isinstance(answer, LetIn)))
        return answer

    def _recognise(self, raw_username: str, context: LoginContext) -> Attempt:
        username, now = prepare_username(raw_username), self.clock.now()
        facts = None
        if username is not None:
            device = device_digest(context.device_id)
            facts = self.database.read(
                lambda tx: self.users.login_facts(tx, username, device, trusted_digest=context.trusted_digest, now=now)
            )
        is_known_device = facts is not None and facts.is_known_device
        return Attempt(
            event_id=self.randomness.event_id("evt"),
            now=now,
            username=username,
            context=msgspec.structs.replace(context, is_known_device=is_known_device),
            account=facts.account if facts else None,
            factors=facts.factors if facts else (),
            is_trusted_device=facts is not None and facts.is_trusted_device,
            risk=facts.risk if facts else NO_RISK,
            leeway=facts.leeway if facts else NO_LEEWAY,
        )

    async def _reserve(self, attempt: Attempt) -> Reservation:
        """Count the try before the password is looked at, so that guesses sent together are counted together."""
        context = attempt.context
        known = device_digest(context.device_id) if context.is_known_device else None
        keys = login_keys(username=attempt.username, ip=context.ip, known_device=known.hex() if known else None)
        return await self.throttle.reserve(keys, attempt.now)

    async def _answer(self, attempt: Attempt, password: str, client: Client, entrance: Entrance | None) -> LoginAnswer:
        account = attempt.account
        stored_hash = account.password_hash if account else None
        # A frozen account's better hash would only be time that tells it from a wrong password.
        may_upgrade = account is not None and not account.is_frozen
        check = await self.passwords.check(
            prepare_password(password),
            stored_hash,
            user_id=self._user_id(attempt),
            may_upgrade=may_upgrade,
            is_known_device=attempt.context.is_known_device,
        )
        if account is None or account.is_frozen or not check.matches:
            return await self._fail(attempt)
        return await self.admission(
            Recognised(
                event_id=attempt.event_id,
                now=attempt.now,
                account=account,
                authentication=by_password(attempt.now),
                factors=attempt.factors,
                is_trusted_device=attempt.is_trusted_device,
                risk=attempt.risk,
                leeway=attempt.leeway,
                client=client,
                context=attempt.context,
                upgraded_hash=check.upgraded_hash,
                is_password_listed=check.is_listed,
            ),
            entrance,
        )

    async def _fail(self, attempt: Attempt) -> WrongCredentials:
        """Writes the failure down and tells the scorer of it: for an account under its id, for a name that nobody has
        under a stand-in (`unknown_user_id`), so that a network that tries many names is seen for what it does."""
        event = None
        if attempt.account is not None or self.unknown_names.takes(attempt.now):
            user_id = self._user_id(attempt)
            event = login_event(attempt.context, event_id=attempt.event_id, user_id=user_id, success=False)
        entry = self.recorder.outcome(attempt.failure_line(), event, "failure")
        await self.database.write(lambda tx: self.recorder.write(tx, entry))
        return WrongCredentials()

    def _user_id(self, attempt: Attempt) -> str:
        """Whose try it is, or what stands for a name that nobody has."""
        return attempt.account.user_id if attempt.account else unknown_user_id(self.names_key, attempt.username)


def _what_no_guess_costs(reservation: Reservation, *, is_let_in: bool) -> Reservation:
    """What is given back after a right password: all of it to whoever is let in, else what counts against the account.

    A denied or challenged attempt guessed nothing, so it must not make the owner wait; its network still pays, or
    whoever knows a password could raise incidents and prompts without end. A challenge that is passed gives it back.
    """
    if is_let_in:
        return reservation
    return msgspec.structs.replace(reservation, keys=tuple(key for key in reservation.keys if key.scope != "network"))
