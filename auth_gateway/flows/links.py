"""Links in mails, looked at: whether one still says something. What comes of one is the flow's of its purpose."""

from dataclasses import dataclass

from auth_gateway.core.letter import LinkPurpose, MailLink
from auth_gateway.core.rotation import digest, is_plausible
from auth_gateway.flows.ports import Clock, MailLinks
from plumbing.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLinks:
    """Finds links. Looking changes nothing: programs that read mail look too."""

    database: Database
    clock: Clock
    mail_links: MailLinks

    def find(self, token: str, purpose: LinkPurpose | None = None) -> MailLink | None:
        """The link of that secret, while it is unused and in time; of that purpose where one is named."""
        if not is_plausible(token):
            return None
        link = self.database.read(lambda tx: self.mail_links.find(tx, digest(token)))
        if link is None or link.used_at is not None or link.expires_at <= self.clock.now():
            return None
        return link if purpose is None or link.purpose == purpose else None
