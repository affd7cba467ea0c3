"""A person's own passkeys at the account pages: registration's rules, with the letters and the trust that follow."""

from dataclasses import dataclass

from auth_gateway.core.factor import Passkey
from auth_gateway.core.passkey_ceremony import Flawed, passkey_name
from auth_gateway.flows.account.changes import Change, Changes
from auth_gateway.flows.account.current_password import CurrentPassword, StillNeeded, became_last
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.answers import Throttled
from auth_gateway.flows.passkey_registration import PasskeyRegistration
from auth_gateway.flows.ports import Factors, Passkeys, RecoveryCodes
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPasskeys:
    """Adds, renames and removes them."""

    changes: Changes
    registration: PasskeyRegistration
    passkeys: Passkeys
    factors: Factors
    recovery_codes: RecoveryCodes
    current_password: CurrentPassword

    def of(self, person: Person) -> list[Passkey]:
        """The person's passkeys, the oldest first."""
        return self.registration.of(person.user_id)

    def options(self, person: Person) -> str:
        """What the page asks the browser to make."""
        return self.registration.options(person.account, person.session.session_id)

    async def add(self, person: Person, text: str, name: str, default_name: str) -> Passkey | Flawed:
        """The new passkey.

        Raises: Refused("signed_out_meanwhile", 409); Refused("busy" or "storage_unavailable", 503).
        """
        change = Change(kind="factor.enrolled", letter="factor_added")
        return await self.registration.finish(
            text,
            user_id=person.user_id,
            session_id=person.session.session_id,
            name=name,
            default_name=default_name,
            ip=person.context.ip,
            also=self.changes.alongside(person, change),
        )

    async def rename(self, person: Person, credential_id: bytes, name: str, default_name: str) -> bool:
        """Another name for it; False when the person has no such passkey.

        Raises: as `add`.
        """
        chosen = passkey_name(name, default_name)
        return await self.changes.make(
            person,
            Change(kind="passkey.renamed"),
            lambda tx: self.passkeys.rename(tx, person.user_id, credential_id, chosen),
        )

    def is_last(self, person: Person) -> bool:
        """Whether nothing but the password would be left without the one passkey that there is."""
        totp = self.changes.database.read(lambda tx: self.factors.find(tx, person.user_id))
        return totp is None and len(self.of(person)) == 1

    async def remove(self, person: Person, credential_id: bytes, current: str) -> bool | StillNeeded | Throttled:
        """It opens nothing any more; False when the person has no such passkey. As the last factor it goes when the
        current password may stand alone, and recovery codes with it: they stand in for one.

        Raises: as `add`.
        """
        change = Change(kind="factor.removed", letter="factor_removed", distrusts=True)
        follow = self.changes.alongside(person, change)
        if credential_id not in [each.credential_id for each in self.of(person)]:
            return False
        is_last = self.is_last(person)
        if is_last and (needed := await self.current_password.stands_alone(person, current)) is not None:
            return needed

        def also(tx: Transaction) -> None:
            follow(tx)
            if self.factors.find(tx, person.user_id) is None and not self.passkeys.of_user(tx, person.user_id):
                if not is_last:
                    raise became_last()
                self.recovery_codes.replace(tx, person.user_id, (), person.now)

        return await self.registration.remove(
            person.user_id,
            credential_id,
            session_id=person.session.session_id,
            ip=person.context.ip,
            also=also,
        )
