"""The post office: letters wait in the outbox, in the transaction of what they tell of, and leave on a lane of their
own. Nothing here waits for a mail server.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.letter import LETTER_PURPOSE, MAIL_ENDPOINT, Letter, LetterKind, Posted
from auth_gateway.flows.ports import OutboxWriter, Sealer
from plumbing.statements import Transaction
from webhooks.announcement import message_id


def letter_to(account: Account, kind: LetterKind, values: Mapping[str, str] | None = None) -> Letter:
    """A letter to an account's owner: to nobody where the address is not verified, for it may be a stranger's."""
    named = {"name": account.display_name or account.username, "username": account.username}
    to = account.email if account.email_verified else ""
    return Letter(to=to, kind=kind, language=account.language, values={**named, **(values or {})})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPost:
    """Keeps letters sealed: whoever reads the database finds no link and no code in them."""

    outbox: OutboxWriter
    vault: Sealer

    def post(self, tx: Transaction, letter: Letter, *, letter_id: str, now: float) -> None:
        if not letter.to:
            return
        posted = msgspec.json.encode(Posted(letter=letter, posted_at=now))
        self.outbox.add(
            tx,
            message_id=message_id(letter_id),
            endpoint=MAIL_ENDPOINT,
            event_type=f"mail.{letter.kind}",
            body=self.vault.seal(posted, LETTER_PURPOSE),
            now=now,
        )
