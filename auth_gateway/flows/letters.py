"""The post office: letters wait in the outbox, in the transaction of what they tell of, and leave on a lane of their
own. Nothing here waits for a mail server.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.letter import LETTER_PURPOSE, Letter, Posted
from auth_gateway.flows.ports import OutboxWriter, Sealer
from plumbing.statements import Transaction
from webhooks.announcement import message_id

MAIL_ENDPOINT = "mail"


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
