"""The password that somebody has, shown once more at their own account: to change it, or to have nothing else."""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.names import prepare_password
from auth_gateway.core.password_rules import SHORTEST_ALONE
from auth_gateway.core.throttle import login_keys
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.answers import Throttled
from auth_gateway.flows.ports import Passwords, Throttle
from plumbing.refusals import Refused

WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a code's name
TOO_SHORT_ALONE = "password_too_short_alone"


class StillNeeded(msgspec.Struct, frozen=True):
    """The last factor stays: its owner's password is `wrong_password`, or `password_too_short_alone` to be all that
    the account is proven with."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPassword:
    """Looks at it. Each try counts as one of a login."""

    throttle: Throttle
    passwords: Passwords

    async def matches(self, person: Person, current: str) -> bool | Throttled:
        """Whether it is theirs.

        Raises: Refused("busy" or "sealing_key_missing", 503); then the try is not counted.
        """
        account = person.account
        # A key of this browser's own: whoever sits at a stolen session must not lock the owner's login.
        keys = login_keys(username=account.username, ip=person.context.ip, known_device=person.browser.browser_id)
        reservation = await self.throttle.reserve(keys, person.now)
        if reservation.wait_seconds > 0:
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        try:
            check = await self.passwords.check(
                prepare_password(current), account.password_hash, user_id=account.user_id, may_upgrade=False
            )
        except Exception:
            await self.throttle.refund(reservation)
            raise
        if check.matches:
            await self.throttle.refund(reservation)
        return check.matches

    async def stands_alone(self, person: Person, current: str) -> StillNeeded | Throttled | None:
        """None when it is theirs and long enough to be all that is asked for. How long it is, nobody else can tell: we
        keep its hash.

        Raises: as `matches`.
        """
        matches = await self.matches(person, current)
        if isinstance(matches, Throttled):
            return matches
        if not matches:
            return StillNeeded(WRONG_PASSWORD)
        is_short = len(prepare_password(current) or "") < SHORTEST_ALONE
        return StillNeeded(TOO_SHORT_ALONE) if is_short else None


def became_last() -> Refused:
    """What a removal is answered with when the other factor went meanwhile, in another tab."""
    return Refused("last_factor", "This is the only factor by now. Open the page again.", status=409)
