"""Letters on their way out: handed to a mail server, or where there is none written to the log.

Fails open for whoever caused a letter (nobody waits for it) and closed for the letter: it stays in the outbox until the
server has taken it, at least once, or has refused it for good.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime
from typing import Final

import aiosmtplib
import msgspec
import structlog

from auth_gateway.adapters.letters import LetterWriter
from auth_gateway.adapters.mail_server import MailServer
from auth_gateway.core.letter import LETTER_PURPOSE, Posted, Written
from auth_gateway.core.mail_address import prepare_address
from auth_gateway.flows.ports import Sealer
from plumbing.clock import Clock
from plumbing.vault import Unsealable
from webhooks.endpoint import Carrier, Merge
from webhooks.targets import Resolver
from webhooks.transport import Attempt

MAIL: Final = "mail"
TAKEN: Final = 250
CONCURRENCY: Final = 4

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Opens what waits and writes it out. `sender` is the address that mails come from, with or without a name."""

    vault: Sealer
    writer: LetterWriter
    sender: str

    def opened(self, body: bytes) -> Posted | None:
        """The letter that waits, None when nobody can read it any more."""
        try:
            return msgspec.json.decode(self.vault.open(body, LETTER_PURPOSE), type=Posted)
        except (Unsealable, msgspec.DecodeError):
            return None

    def mail(self, message_id: str, posted: Posted, to: str) -> EmailMessage:
        """The whole mail, the same at each attempt, so that one that comes twice can be known by its id.

        Raises: ValueError when a header would hold more than its line.
        """
        written = self.writer.write(posted)
        mail = EmailMessage(policy=MAIL_POLICY)
        mail["From"] = self.sender
        mail["To"] = to
        mail["Subject"] = written.subject
        mail["Date"] = format_datetime(datetime.fromtimestamp(posted.posted_at, UTC))
        mail["Message-ID"] = f"<{message_id}@{mail['From'].addresses[0].domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
        mail.set_content(written.text, cte="quoted-printable")
        mail.add_alternative(written.html, subtype="html", cte="quoted-printable")
        return mail

    def written(self, posted: Posted) -> Written:
        """The letter in words."""
        return self.writer.write(posted)


@dataclass(frozen=True, kw_only=True, slots=True)
class MailReceiver:
    """The outbox's endpoint for letters; `carrier_of` says how one is opened."""

    carrier_of: Callable[[Clock, float], Carrier]
    name: str = MAIL
    concurrency: int = CONCURRENCY
    merge: Merge | None = None
    linger_seconds: float = 0.0

    @asynccontextmanager
    async def opened(self, *, clock: Clock, resolver: Resolver, deadline_seconds: float) -> AsyncIterator[Carrier]:
        """What carries letters; the mail server's name is the operator's own, so no resolver of ours is asked."""
        yield self.carrier_of(clock, deadline_seconds)


def by_smtp(desk: Desk, server: MailServer) -> MailReceiver:
    """Letters go to that mail server."""
    return MailReceiver(carrier_of=lambda clock, deadline_seconds: SmtpCarrier(desk, server, clock, deadline_seconds))


def to_the_log(desk: Desk, *, shows_secrets: bool) -> MailReceiver:
    """Letters go to the log: whole in a demo, elsewhere without a word of what stands in them."""
    return MailReceiver(
        carrier_of=lambda _clock, _deadline: LogCarrier(desk, shows_secrets=shows_secrets),
    )


class SmtpCarrier:
    """Hands over one mail a connection."""

    def __init__(self, desk: Desk, server: MailServer, clock: Clock, deadline_seconds: float) -> None:
        self._desk = desk
        self._server = server
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        """One attempt. A server's word about this very mail is final when it is 5xx (RFC 5321, section 4.2.1); what is
        wrong with the server or with us is tried again."""
        posted = self._desk.opened(body)
        if posted is None:
            return Attempt(problem="unsealable", is_final=True)
        if posted.is_too_late(self._clock.now()):
            return Attempt(problem="too_late", is_final=True)
        to = prepare_address(posted.letter.to)
        if to is None:
            return Attempt(problem="bad_address", is_final=True)
        try:
            mail = self._desk.mail(message_id, posted, to)
        except (MessageError, ValueError, KeyError) as error:
            return Attempt(problem=f"unwritable_{type(error).__name__}", is_final=True)
        return await self._handed_over(mail)

    async def _handed_over(self, mail: EmailMessage) -> Attempt:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._send(mail)
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            return Attempt(problem="timeout")
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _refused("recipient", refused.recipients[0].code)
        except aiosmtplib.SMTPDataError as refused:
            return _refused("content", refused.code)
        except aiosmtplib.SMTPResponseException as refused:
            return Attempt(status=refused.code, problem=f"smtp_{type(refused).__name__}_{refused.code}")
        except (aiosmtplib.SMTPException, OSError) as error:
            return Attempt(problem=f"smtp_{type(error).__name__}")
        return Attempt(status=TAKEN)

    async def _send(self, mail: EmailMessage) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.begins_with_tls,
            start_tls=server.must_start_tls and not server.begins_with_tls,
            tls_context=server.tls,
            timeout=self._deadline_seconds,
        )
        try:
            await client.connect()
            await client.send_message(mail)
            with suppress(aiosmtplib.SMTPException, OSError):  # it has the mail; how it says goodbye changes nothing
                await client.quit()
        finally:
            client.close()


class LogCarrier:
    """Tells the log."""

    def __init__(self, desk: Desk, *, shows_secrets: bool) -> None:
        self._desk = desk
        self._shows_secrets = shows_secrets

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        """One line, and the letter is done."""
        posted = self._desk.opened(body)
        if posted is None:
            return Attempt(problem="unsealable", is_final=True)
        kind = posted.letter.kind
        if not self._shows_secrets:
            log.info("mail_not_sent", kind=kind, message_id=message_id, next_step="set SMTP_URL and MAIL_FROM")
            return Attempt(status=TAKEN)
        written = self._desk.written(posted)
        # Apart from the text, in which line breaks are escaped: whoever copies the link from there copies one of them.
        apart = {name: value for name, value in posted.letter.values.items() if name in ("link", "code")}
        log.info("mail", kind=kind, to=posted.letter.to, subject=written.subject, text=written.text, **apart)
        return Attempt(status=TAKEN)


def _refused(what: str, code: int) -> Attempt:
    """The server's answer about this mail."""
    return Attempt(status=code, problem=f"{what}_refused_{code}", is_final=code >= 500)
