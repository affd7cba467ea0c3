"""Second factors, enrolled by an operator for now. A person's own enrolment behind a step-up will use the same rule."""

from base64 import b32encode
from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Factor
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.totp import NEVER_USED, provisioning_uri
from auth_gateway.flows.accounts import known_account
from auth_gateway.flows.ports import AuditTrail, Clock, Factors, Randomness, Sealer, TrustedDevices, Users
from auth_gateway.flows.proofs import TOTP_PURPOSE
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

SECRET_BYTES = 20  # RFC 4226 section 4, R6: 160 bits recommended


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What the person puts into their authenticator; shown once and never again."""

    secret: str
    provisioning_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolTotp:
    """Enrols an authenticator; blocks, for command lines."""

    database: Database
    clock: Clock
    randomness: Randomness
    vault: Sealer
    users: Users
    factors: Factors
    audit: AuditTrail
    trusted_devices: TrustedDevices
    issuer_name: str

    def __call__(self, username: str, *, replace: bool = False) -> Enrolled:
        """A new secret for this person. One that takes another's place ends the trust in browsers: who has the old
        one may have ticked theirs.

        Raises: Refused("unknown_user"); Refused("already_enrolled") unless `replace`.
        """
        account = known_account(self.database, self.users, username)
        secret = b32encode(self.randomness.bytes(SECRET_BYTES)).decode()
        now = self.clock.now()
        factor = Factor(
            factor_id=self.randomness.uuid(),
            user_id=account.user_id,
            sealed_secret=self.vault.seal(secret.encode(), TOTP_PURPOSE),
            last_used_step=NEVER_USED,
            created_at=now,
        )
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"), ts=now, kind="factor.enrolled", user_id=account.user_id
        )

        def job(tx: Transaction) -> bool:
            had_one = self.factors.find(tx, account.user_id) is not None
            if had_one and not replace:
                return False
            if had_one:
                self.trusted_devices.revoke_all(tx, account.user_id, now)
            self.factors.put(tx, factor)
            self.audit.record(tx, line)
            return True

        if not self.database.write_sync(job):
            raise Refused("already_enrolled", "This person has an authenticator already.", status=409)
        uri = provisioning_uri(secret, username=account.username, issuer=self.issuer_name)
        return Enrolled(secret=secret, provisioning_uri=uri)
