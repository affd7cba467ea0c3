"""Recovery codes of a person: made together, shown once, and none of those before counts from then on."""

from dataclasses import dataclass

from auth_gateway.core.recovery_code import CODE_BYTES, CODES, code_digest, drawn_code
from auth_gateway.core.rotation import digest
from auth_gateway.flows.account.changes import Change, Changes
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.ports import Factors, Passkeys, RecoveryCodes
from auth_gateway.flows.provider.ports import SeenOnce
from plumbing.statements import Transaction

ONCE_SECONDS = 86_400
LONGEST_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRecoveryCodes:
    """Makes them. `key` is derived for their digests alone."""

    changes: Changes
    factors: Factors
    passkeys: Passkeys
    recovery_codes: RecoveryCodes
    seen_once: SeenOnce
    key: bytes

    def once(self) -> str:
        """What a form brings back, so that sending it again makes no second set."""
        return self.changes.randomness.token()

    async def __call__(self, person: Person, once: str) -> tuple[str, ...]:
        """The new codes, for their owner to keep; none where there is no factor that they could stand in for, and none
        for a form that was sent before.

        Raises: Refused("signed_out_meanwhile", 409); Refused("busy" or "storage_unavailable", 503).
        """
        if not 0 < len(once) <= LONGEST_ONCE:
            return ()
        codes = tuple(drawn_code(self.changes.randomness.bytes(CODE_BYTES)) for _ in range(CODES))
        digests = [kept for code in codes if (kept := code_digest(self.key, person.user_id, code)) is not None]
        used = digest(f"recovery-codes\n{person.user_id}\n{once}")

        def job(tx: Transaction) -> bool:
            has_factor = self.factors.find(tx, person.user_id) or self.passkeys.of_user(tx, person.user_id)
            if not has_factor or not self.seen_once.first(tx, used, person.now + ONCE_SECONDS):
                return False
            self.recovery_codes.replace(tx, person.user_id, digests, person.now)
            return True

        change = Change(kind="recovery_codes.made", detail="recovery_codes", letter="recovery_codes_made")
        return codes if await self.changes.make(person, change, job) else ()
