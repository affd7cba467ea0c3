"""Another password, by whoever knows the one before. Everybody who got in with that is out, but this browser; and this
browser's cookie is new, so that a copy of it opens nothing any more.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.factor import is_enrolled
from auth_gateway.core.names import prepare_password
from auth_gateway.core.rotation import digest
from auth_gateway.flows.account.changes import Change, Changes
from auth_gateway.flows.account.current_password import WRONG_PASSWORD, CurrentPassword
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.account.sessions import SignOuts
from auth_gateway.flows.answers import Throttled
from auth_gateway.flows.ending import PASSWORD_CHANGED
from auth_gateway.flows.new_passwords import NewPasswords
from auth_gateway.flows.ports import NewHashes, Users
from auth_gateway.flows.provider.ports import BrowserSessions
from plumbing.refusals import Refused
from plumbing.statements import Transaction


class PasswordChanged(msgspec.Struct, frozen=True, kw_only=True):
    """It is another one from now on; `cookie` is this browser's new session cookie."""

    cookie: str


class NotChanged(msgspec.Struct, frozen=True):
    """It stays: the current one is `wrong_password`, the new one is `unchanged_password`, or a rule's own code."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """Changes it."""

    changes: Changes
    sign_outs: SignOuts
    current_password: CurrentPassword
    new_hashes: NewHashes
    users: Users
    browser_sessions: BrowserSessions
    new_passwords: NewPasswords

    async def __call__(self, person: Person, current: str, new: str) -> PasswordChanged | NotChanged | Throttled:
        """The new one is judged only after the current one was right; each try of that counts as one of a login.

        Raises: Refused("signed_out_meanwhile", 409); Refused("busy" or "storage_unavailable", 503).
        """
        account = person.account
        matches = await self.current_password.matches(person, current)
        if isinstance(matches, Throttled):
            return matches
        if not matches:
            return NotChanged(WRONG_PASSWORD)
        try:
            prepared = self.new_passwords.checked(
                new,
                names=(account.username, account.display_name, account.email),
                has_factor=is_enrolled(person.kinds),
            )
        except Refused as refusal:
            return NotChanged(refusal.code)
        if prepared == prepare_password(current):
            return NotChanged("unchanged_password")
        return await self._change(person, await self.new_hashes.hash(prepared))

    async def _change(self, person: Person, new_hash: str) -> PasswordChanged:
        randomness = self.changes.randomness
        cookie, event_id = randomness.token(), randomness.event_id("evt")
        change = Change(kind="user.password_changed", letter="password_changed", distrusts=True)
        moved = msgspec.structs.replace(person.browser, token_digest=digest(cookie))
        after = msgspec.structs.replace(
            person,
            account=msgspec.structs.replace(person.account, password_version=person.account.password_version + 1),
            browser=moved,
        )

        def job(tx: Transaction) -> bool:
            self.users.set_password(tx, person.user_id, new_hash)
            self.browser_sessions.forget(tx, person.browser.token_digest)
            self.browser_sessions.add(tx, moved)
            self.sign_outs.end_others(tx, after, PASSWORD_CHANGED, event_id)
            return True

        await self.changes.make(person, change, job, after=after)
        return PasswordChanged(cookie=cookie)
