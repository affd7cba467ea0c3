"""What follows when somebody was let in from where they have not been seen: a letter that asks their owner."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.letter import WAS_THIS_YOU_SECONDS, MailLink
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import Session
from auth_gateway.core.sign_in_report import MOST_LETTERS_A_DAY, AskedAbout, SignIn, is_worth_asking
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.ports import MailLinks, PostOffice, Randomness
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskScore

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticing:
    """Asks "Was this you?". `link_to` makes an address of a token, `device_of` says what a user agent is called: a
    browser's own words go into no letter."""

    randomness: Randomness
    mail_links: MailLinks
    post_office: PostOffice
    link_to: Callable[[str], str]
    device_of: Callable[[str], str]

    def let_in(
        self, tx: Transaction, *, account: Account, session: Session, score: RiskScore | None, event_id: str
    ) -> None:
        """A letter with one link, where the sign-in is worth asking about and the owner has a verified address."""
        now = session.created_at
        if not account.email or not account.email_verified or not is_worth_asking(score):
            return
        if self.mail_links.sent_since(tx, account.user_id, "was_this_you", now - DAY_SECONDS) >= MOST_LETTERS_A_DAY:
            return
        sign_in = SignIn(user_id=account.user_id, session_id=session.session_id, scored_as=event_id)
        device = self.device_of(session.user_agent)
        about = AskedAbout(sign_in=sign_in, at=now, place=session.place or session.country, device=device)
        token = self.randomness.token()
        link = MailLink(
            token_digest=digest(token),
            purpose="was_this_you",
            user_id=account.user_id,
            data=msgspec.json.encode(about),
            created_at=now,
            expires_at=now + WAS_THIS_YOU_SECONDS,
        )
        self.mail_links.add(tx, link)
        values = {"at": str(now), "place": about.place, "device": device, "link": self.link_to(token)}
        letter = letter_to(account, "new_sign_in", values)
        self.post_office.post(tx, letter, letter_id=self.randomness.event_id("ltr"), now=now)
