"""What an event of another provider does to whom it names, in the caller's transaction."""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.detections import received
from auth_gateway.core.ssf.effects import SIGNAL_RECEIVED, Effects
from auth_gateway.core.ssf.named_subject import LookUp, Named
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.ports import AuditTrail, Recoverables, Sessions, TrustedDevices, Users
from auth_gateway.flows.user_risk import RiskFollower
from plumbing.statements import Transaction


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom an event is about, and of their sessions the one that it names, "" for none."""

    account: Account
    session_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """Finds people, and raises, ends and freezes."""

    users: Users
    recoverables: Recoverables
    sessions: Sessions
    trusted_devices: TrustedDevices
    ending: Ending
    audit: AuditTrail
    follower: RiskFollower

    def affected(self, tx: Transaction, named: Named) -> list[Affected]:
        """Whom it is about, in an order that is always the same. An address may be several people's who have all
        verified it: it is about each of them. A session must be that person's."""
        if not named.people and not named.session_id:
            return []
        owner = None
        if named.session_id:
            session = self.sessions.find(tx, named.session_id)
            if session is None:
                return []
            owner = session.user_id
        ids = self._ids(tx, named) if named.people else [owner or ""]
        accounts = [self.users.by_id(tx, each) for each in ids if owner in {None, each}]
        return [Affected(account=each, session_id=named.session_id) for each in accounts if each is not None]

    def apply(self, tx: Transaction, line: AuditEvent, one: Affected, effects: Effects, *, by: str, why: str) -> None:
        """Write the line, which says what was received, and everything that follows from it."""
        ended = 0
        if effects.freezes or effects.revokes:
            # The account first: whoever is being let in at this moment holds its row, and their session is there after.
            self.users.hold(tx, one.account.user_id)
        was_frozen_now = effects.freezes and self.users.set_frozen(tx, one.account.user_id, is_frozen=True)
        if effects.freezes or effects.revokes:
            ended = self._end(tx, line, one if not effects.freezes else Affected(account=one.account))
        done = effects.text if not ended else f"{effects.text} ({ended} ended)"
        self.audit.record(tx, msgspec.structs.replace(line, detail=f"{line.detail} {done}"))
        if was_frozen_now:
            frozen = msgspec.structs.replace(
                line, event_id=f"{line.event_id}.frozen", kind="user.frozen", rule=SIGNAL_RECEIVED
            )
            self.audit.record(tx, frozen)
        if effects.level is not None:
            move = received(line.rule or "", effects.level)
            self.follower.apply(tx, line, move, by=by, why=why)

    def _end(self, tx: Transaction, line: AuditEvent, one: Affected) -> int:
        """The session that was named, or all of them and the trust in every browser; how many still ran."""
        ids = [one.session_id]
        if not one.session_id:
            self.trusted_devices.revoke_all(tx, one.account.user_id, line.ts)
            ids = [session.session_id for session in self.sessions.of_user(tx, one.account.user_id)]
        return self.ending.end_all(tx, ids, reason=SIGNAL_RECEIVED, event_id=line.event_id, now=line.ts)

    def _ids(self, tx: Transaction, named: Named) -> list[str]:
        """Those whom the first look-up finds that finds anybody."""
        for look_up in named.people:
            found = self._found(tx, look_up)
            if found:
                return found
        return []

    def _found(self, tx: Transaction, look_up: LookUp) -> list[str]:
        if look_up.by == "email":
            return self.recoverables.of_address(tx, look_up.value)
        find = self.users.by_id if look_up.by == "id" else self.users.find
        account = find(tx, look_up.value)
        return [] if account is None else [account.user_id]
