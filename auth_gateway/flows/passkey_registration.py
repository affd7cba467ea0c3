"""A person's passkeys: a new one is made, an old one taken away. Who may do that, and when, is the account's matter."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.factor import Passkey
from auth_gateway.core.passkey_ceremony import MOST_PASSKEYS, Attested, Flaw, Flawed, passkey_name
from auth_gateway.core.webauthn_challenge import replay_digest
from auth_gateway.flows.passkeys import PasskeyCeremonies
from plumbing.statements import Transaction

Also = Callable[[Transaction], None]
"""What else belongs into the same transaction, after the change; what it raises undoes the change."""


def nothing_else(_tx: Transaction) -> None:
    """No more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRegistration:
    """Keeps people's passkeys. Callers have made sure of the person."""

    ceremonies: PasskeyCeremonies

    def of(self, user_id: str) -> list[Passkey]:
        """The person's passkeys, the oldest first."""
        ceremonies = self.ceremonies
        return ceremonies.database.read(lambda tx: ceremonies.passkeys.of_user(tx, user_id))

    def options(self, account: Account, session_id: str) -> str:
        """What the page asks the browser to make, as JSON; the answer counts in this session."""
        ceremonies = self.ceremonies
        return ceremonies.webauthn.creation_options(
            challenge=ceremonies.challenge("register", session_id),
            user_handle=ceremonies.handle(account.user_id),
            username=account.username,
            display_name=account.display_name or account.username,
            registered=self.of(account.user_id),
        )

    async def finish(
        self,
        text: str,
        *,
        user_id: str,
        session_id: str,
        name: str,
        default_name: str = "Passkey",
        ip: str | None = None,
        also: Also = nothing_else,
    ) -> Passkey | Flawed:
        """The new passkey, kept under that name; what is wrong with the answer is written down.

        Raises: Refused("storage_unavailable", 503), and what `also` raises.
        """
        ceremonies = self.ceremonies
        now = ceremonies.clock.now()
        line = self._line("factor.enrolled", user_id, session_id, now=now, ip=ip)
        read = self._read(text, session_id)
        if isinstance(read, Flawed):
            await ceremonies.database.write(lambda tx: ceremonies.refuse(tx, line, read.flaw, user_id))
            return msgspec.structs.replace(read, user_id=user_id)
        attested, digest, expires_at = read
        passkey = _passkey(attested, user_id=user_id, name=passkey_name(name, default_name), now=now)

        def job(tx: Transaction) -> Passkey | Flawed:
            flaw = self._keep(tx, passkey, digest, expires_at)
            if flaw is not None:
                ceremonies.refuse(tx, line, flaw, user_id)
                return Flawed(flaw=flaw, user_id=user_id)
            ceremonies.audit.record(tx, msgspec.structs.replace(line, detail="passkey"))
            also(tx)
            return passkey

        return await ceremonies.database.write(job)

    async def remove(
        self, user_id: str, credential_id: bytes, *, session_id: str, ip: str | None = None, also: Also = nothing_else
    ) -> bool:
        """It opens nothing any more; False when the person has no such passkey.

        Raises: Refused("storage_unavailable", 503), and what `also` raises.
        """
        ceremonies = self.ceremonies
        line = self._line("factor.removed", user_id, session_id, now=ceremonies.clock.now(), ip=ip)

        def job(tx: Transaction) -> bool:
            if not ceremonies.passkeys.remove(tx, user_id, credential_id):
                return False
            ceremonies.audit.record(tx, msgspec.structs.replace(line, detail="passkey"))
            also(tx)
            return True

        return await ceremonies.database.write(job)

    def _read(self, text: str, session_id: str) -> tuple[Attested, bytes, float] | Flawed:
        """The credential, what its challenge is remembered by, and for how long."""
        ceremonies = self.ceremonies
        attestation = ceremonies.webauthn.read_attestation(text)
        if isinstance(attestation, Flawed):
            return attestation
        expires_at = ceremonies.expiry(attestation.challenge, "register", session_id)
        if expires_at is None:
            return Flawed(flaw="challenge")
        attested = ceremonies.webauthn.verify_attestation(attestation)
        if isinstance(attested, Flawed):
            return attested
        return attested, replay_digest(attestation.challenge), expires_at

    def _keep(self, tx: Transaction, passkey: Passkey, digest: bytes, expires_at: float) -> Flaw | None:
        ceremonies = self.ceremonies
        if not ceremonies.seen_once.first(tx, digest, expires_at):
            return "replayed"
        if len(ceremonies.passkeys.of_user(tx, passkey.user_id)) >= MOST_PASSKEYS:
            return "too_many"
        return None if ceremonies.passkeys.add(tx, passkey) else "duplicate"

    def _line(self, kind: Kind, user_id: str, session_id: str, *, now: float, ip: str | None) -> AuditEvent:
        event_id = self.ceremonies.randomness.event_id("evt")
        return AuditEvent(event_id=event_id, ts=now, kind=kind, user_id=user_id, session_id=session_id, ip=ip)


def _passkey(attested: Attested, *, user_id: str, name: str, now: float) -> Passkey:
    return Passkey(
        credential_id=attested.credential_id,
        user_id=user_id,
        public_key=attested.public_key,
        sign_count=attested.sign_count,
        name=name,
        aaguid=attested.aaguid,
        transports=" ".join(attested.transports),
        is_backup_eligible=attested.is_backup_eligible,
        is_backed_up=attested.is_backed_up,
        created_at=now,
    )
