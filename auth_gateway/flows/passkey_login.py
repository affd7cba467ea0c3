"""One login by a passkey alone: it names its person and has verified them, so nothing else is asked. From there on it
is a login like every other: `admission` scores it and decides.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import LoginFacts, device_digest
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.context import Client, LoginContext, login_event
from auth_gateway.core.factor import by_passkey
from auth_gateway.core.passkey_ceremony import Flawed
from auth_gateway.core.throttle import login_keys
from auth_gateway.flows.admission import Admission
from auth_gateway.flows.answers import LetIn, LoginAnswer, Throttled, WrongCredentials
from auth_gateway.flows.entrance import Entrance
from auth_gateway.flows.judged import Recognised
from auth_gateway.flows.passkeys import Found, PasskeyCeremonies
from auth_gateway.flows.ports import Reservation, Throttle, Users
from auth_gateway.flows.recording import Recorder
from plumbing.statements import Transaction


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to the sign-in's question, with the account that its passkey is of, where we know it."""

    event_id: str
    now: float
    context: LoginContext
    found: Found | Flawed
    facts: LoginFacts | None

    @property
    def line(self) -> AuditEvent:
        """The audit line of its failure; the rule is still to be said."""
        return AuditEvent(
            event_id=self.event_id,
            ts=self.now,
            kind="login.failed",
            user_id=self.facts.account.user_id if self.facts else None,
            client_id=self.context.client_id,
            ip=self.context.ip,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyLogin:
    """Answers one login by passkey."""

    ceremonies: PasskeyCeremonies
    throttle: Throttle
    users: Users
    recorder: Recorder
    admission: Admission

    async def __call__(
        self, text: str, interaction_id: str, context: LoginContext, client: Client, *, entrance: Entrance | None = None
    ) -> LoginAnswer:
        """Allow or deny; the same `WrongCredentials` for an unknown passkey, a bad answer and a frozen account.

        Raises: Refused("busy" or "storage_unavailable", 503); then nobody is let in and the try is not counted.
        """
        presented = self._recognise(text, msgspec.structs.replace(context, client_id=client.client_id))
        reservation = await self._reserve(presented)
        if reservation.wait_seconds > 0:
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        try:
            answer = await self._answer(presented, interaction_id, client, entrance)
        except Exception:
            await self.throttle.refund(reservation)
            raise
        if isinstance(answer, LetIn):
            await self.throttle.refund(reservation)
        return answer

    def _recognise(self, text: str, context: LoginContext) -> Presented:
        ceremonies, found = self.ceremonies, self.ceremonies.find(text)

        def read(tx: Transaction) -> LoginFacts | None:
            username = "" if isinstance(found, Flawed) else self.users.username(tx, found.passkey.user_id)
            return self.users.login_facts(tx, username, device_digest(context.device_id)) if username else None

        facts = ceremonies.database.read(read)
        is_known_device = facts is not None and facts.is_known_device
        return Presented(
            event_id=ceremonies.randomness.event_id("evt"),
            now=ceremonies.clock.now(),
            context=msgspec.structs.replace(context, is_known_device=is_known_device),
            found=found,
            facts=facts,
        )

    async def _reserve(self, presented: Presented) -> Reservation:
        """Nobody guesses signatures, but each costs work and a line: a network has so many, and the owner's known
        device its own, as with passwords. The account itself is not made to wait."""
        context, facts = presented.context, presented.facts
        known = device_digest(context.device_id) if context.is_known_device else None
        keys = login_keys(
            username=facts.account.username if facts and known else None,
            ip=context.ip,
            known_device=known.hex() if known else None,
        )
        return await self.throttle.reserve(keys, presented.now)

    async def _answer(
        self, presented: Presented, interaction_id: str, client: Client, entrance: Entrance | None
    ) -> LoginAnswer:
        found, facts = presented.found, presented.facts
        if isinstance(found, Flawed) or facts is None:
            flaw = found.flaw if isinstance(found, Flawed) else "unknown_credential"
            return await self._fail(presented, f"passkey_{flaw}")
        shown = self.ceremonies.check_sign_in(found, interaction_id, presented.line)
        if isinstance(shown, Flawed):
            return await self._fail(presented, f"passkey_{shown.flaw}")
        if facts.account.is_frozen:
            return await self._fail(presented, "frozen")
        return await self.admission(
            Recognised(
                event_id=presented.event_id,
                now=presented.now,
                account=facts.account,
                authentication=by_passkey(presented.now),
                factors=facts.factors,
                client=client,
                context=presented.context,
                spend=shown.spend,
                risk=facts.risk,
            ),
            entrance,
        )

    async def _fail(self, presented: Presented, why: str) -> WrongCredentials:
        """Writes the failure down, and tells the scorer of it where it is somebody's."""
        facts, event = presented.facts, None
        if facts is not None:
            user_id = facts.account.user_id
            event = login_event(presented.context, event_id=presented.event_id, user_id=user_id, success=False)
        line = msgspec.structs.replace(presented.line, rule=why)
        entry = self.recorder.outcome(line, event, "failure")
        await self.ceremonies.database.write(lambda tx: self.recorder.write(tx, entry))
        return WrongCredentials()
