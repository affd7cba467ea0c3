"""People's leeway follows the audit trail: what gives it or takes it away is written in the same transaction."""

from dataclasses import dataclass

from auth_gateway.core.answered import ENDS, is_answered_by_owner
from auth_gateway.core.audit import AuditEvent
from auth_gateway.flows.ports.leeway import LeewayBook
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class LeewayFollower:
    """Counts answered challenges, and forgets them at whatever speaks against the person."""

    book: LeewayBook

    def __call__(self, tx: Transaction, line: AuditEvent) -> None:
        """Most lines say nothing about it, and cost nothing here."""
        if line.user_id is None:
            return
        if line.kind in ENDS:
            self.book.forget(tx, line.user_id)
        elif is_answered_by_owner(line):
            before = self.book.hold(tx, line.user_id, line.ts)
            after = before.after(line.ts)
            if after != before:
                self.book.put(tx, line.user_id, after)
