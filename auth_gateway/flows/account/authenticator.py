"""A person's own authenticator application: a secret is shown, the first code proves that it arrived, and only then it
counts. What waits for that code is kept by nobody: the page carries it, sealed.
"""

from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal

import msgspec

from auth_gateway.core.account import Factor
from auth_gateway.core.rotation import digest
from auth_gateway.core.totp import NEVER_USED, matching_step, provisioning_uri
from auth_gateway.flows.account.changes import Change, Changes
from auth_gateway.flows.account.current_password import CurrentPassword, StillNeeded, became_last
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.answers import Throttled
from auth_gateway.flows.enrolment import SECRET_BYTES
from auth_gateway.flows.ports import Factors, Passkeys, RecoveryCodes, Sealer
from auth_gateway.flows.proofs import TOTP_PURPOSE
from auth_gateway.flows.provider.ports import SeenOnce
from plumbing.statements import Transaction
from plumbing.vault import Unsealable

OFFER_PURPOSE = "totp-offer"
OFFER_SECONDS = 900
LONGEST_OFFER = 1024

Confirmed = Literal["enrolled", "wrong_code", "outdated"]


class _Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What the page carries: for whom the secret is, and which factor it takes the place of ("" none)."""

    secret: str
    user_id: str
    browser_id: str
    replaces: str
    expires_at: float


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A secret for the person's authenticator; `sealed` comes back with its first code."""

    secret: str
    provisioning_uri: str
    sealed: str
    is_replacing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticators:
    """Enrols, replaces and removes authenticators."""

    changes: Changes
    vault: Sealer
    factors: Factors
    passkeys: Passkeys
    recovery_codes: RecoveryCodes
    seen_once: SeenOnce
    current_password: CurrentPassword
    issuer_name: str

    def offer(self, person: Person) -> Offer:
        """A new secret."""
        factor = self.changes.database.read(lambda tx: self.factors.find(tx, person.user_id))
        sealed = _Sealed(
            secret=b32encode(self.changes.randomness.bytes(SECRET_BYTES)).decode(),
            user_id=person.user_id,
            browser_id=person.browser.browser_id,
            replaces="" if factor is None else factor.factor_id,
            expires_at=person.now + OFFER_SECONDS,
        )
        text = urlsafe_b64encode(self.vault.seal(msgspec.json.encode(sealed), OFFER_PURPOSE)).decode()
        return self._offer(person, sealed, text)

    def reopen(self, person: Person, text: str) -> Offer | None:
        """The offer that a page brings back; None for another person's or browser's, an old or an invented one."""
        sealed = self._opened(person, text)
        return None if sealed is None else self._offer(person, sealed, text)

    async def confirm(self, person: Person, text: str, code: str) -> Confirmed:
        """From now on this secret counts, and none before it. The offer counts once, and so does the code.

        Raises: Refused("signed_out_meanwhile", 409); Refused("busy" or "storage_unavailable", 503).
        """
        sealed = self._opened(person, text)
        if sealed is None:
            return "outdated"
        step = matching_step(sealed.secret, code, person.now, NEVER_USED)
        if step is None:
            return "wrong_code"
        factor = Factor(
            factor_id=self.changes.randomness.uuid(),
            user_id=person.user_id,
            sealed_secret=self.vault.seal(sealed.secret.encode(), TOTP_PURPOSE),
            last_used_step=step,
            created_at=person.now,
        )
        change = Change(
            kind="factor.enrolled",
            detail="totp",
            letter="factor_added",
            distrusts=sealed.replaces != "",
        )

        def job(tx: Transaction) -> bool:
            """Of two tabs one wins: the other's factor to be replaced is another by then."""
            before = self.factors.find(tx, person.user_id)
            if ("" if before is None else before.factor_id) != sealed.replaces:
                return False
            if not self.seen_once.first(tx, digest(f"{OFFER_PURPOSE}\n{text}"), sealed.expires_at):
                return False
            self.factors.put(tx, factor)
            return True

        return "enrolled" if await self.changes.make(person, change, job) else "outdated"

    def is_last(self, person: Person) -> bool:
        """Whether nothing but the password would be left without it."""
        return not self.changes.database.read(lambda tx: self.passkeys.of_user(tx, person.user_id))

    async def remove(self, person: Person, current: str) -> bool | StillNeeded | Throttled:
        """No authenticator from now on; False when there was none. As the last factor it goes when the current password
        may stand alone, and recovery codes with it: they stand in for one.

        Raises: as `confirm`.
        """
        change = Change(kind="factor.removed", detail="totp", letter="factor_removed", distrusts=True)
        if self.changes.database.read(lambda tx: self.factors.find(tx, person.user_id)) is None:
            return False
        is_last = self.is_last(person)
        if is_last and (needed := await self.current_password.stands_alone(person, current)) is not None:
            return needed

        def job(tx: Transaction) -> bool:
            factor = self.factors.find(tx, person.user_id)
            if factor is None or not self.factors.remove(tx, person.user_id, factor.factor_id):
                return False
            if not self.passkeys.of_user(tx, person.user_id):
                if not is_last:
                    raise became_last()
                self.recovery_codes.replace(tx, person.user_id, (), person.now)
            return True

        return await self.changes.make(person, change, job)

    def _opened(self, person: Person, text: str) -> _Sealed | None:
        if not 0 < len(text) <= LONGEST_OFFER or not text.isascii():
            return None
        try:
            plain = self.vault.open(urlsafe_b64decode(text), OFFER_PURPOSE)
            sealed = msgspec.json.decode(plain, type=_Sealed)
        except (ValueError, Unsealable):
            return None
        is_theirs = (sealed.user_id, sealed.browser_id) == (person.user_id, person.browser.browser_id)
        return sealed if is_theirs and person.now < sealed.expires_at else None

    def _offer(self, person: Person, sealed: _Sealed, text: str) -> Offer:
        uri = provisioning_uri(sealed.secret, username=person.account.username, issuer=self.issuer_name)
        return Offer(secret=sealed.secret, provisioning_uri=uri, sealed=text, is_replacing=sealed.replaces != "")
