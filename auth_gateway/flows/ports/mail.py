"""Mails to people and the links in them."""

from typing import Protocol

from auth_gateway.core.account import Account
from auth_gateway.core.letter import Letter, LinkPurpose, MailLink
from auth_gateway.core.session import Session
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskScore


class PostOffice(Protocol):
    """Takes letters inside a transaction; they leave when it is committed, and are tried again until they arrive."""

    def post(self, tx: Transaction, letter: Letter, *, letter_id: str, now: float) -> None:
        """Keep it to be sent. A letter to nobody (`to` empty) is not kept."""
        ...


class MailLinks(Protocol):
    """Links in mails."""

    def add(self, tx: Transaction, link: MailLink) -> None: ...

    def find(self, tx: Transaction, token_digest: bytes) -> MailLink | None: ...

    def use(self, tx: Transaction, token_digest: bytes, purpose: LinkPurpose, now: float) -> bool:
        """Spend it by compare-and-set; False when it is another's purpose, too old or used."""
        ...

    def withdraw(self, tx: Transaction, user_id: str, purpose: LinkPurpose, now: float) -> int:
        """None of the person's unused links of that purpose counts any more."""
        ...

    def sent_since(self, tx: Transaction, user_id: str, purpose: LinkPurpose, since: float) -> int:
        """How many of the person's links of that purpose were made after that time, used or not."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class Aftermath(Protocol):
    """What follows when somebody was let in, in the transaction that lets them in: the mail about a new device or
    place."""

    def let_in(
        self, tx: Transaction, *, account: Account, session: Session, score: RiskScore | None, event_id: str
    ) -> None: ...


class NothingFollows:
    """No aftermath."""

    def let_in(
        self, tx: Transaction, *, account: Account, session: Session, score: RiskScore | None, event_id: str
    ) -> None:
        """Nothing is written."""
