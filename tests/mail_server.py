"""A real mail server on a real port, in a thread of its own, that keeps what it is sent."""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

_LINK = re.compile(r"^https?://\S+/link/\S+?(?=\s)", re.MULTILINE)


@dataclass
class MailServer:
    """Where letters arrive; `url` is what a gateway is told."""

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def await_mail(self, subject: str, pause: Callable[[float], object] = time.sleep) -> EmailMessage:
        """The newest mail whose subject begins so, as soon as it is there; it is taken out."""
        for _ in range(500):
            for mail in reversed(self.mails):
                if mail["Subject"].startswith(subject):
                    self.mails.remove(mail)
                    return mail
            pause(0.02)
        raise AssertionError(f"no mail called {subject!r} among {[mail['Subject'] for mail in self.mails]}")


def text_of(mail: EmailMessage) -> str:
    """What the person reads."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(mail: EmailMessage) -> str:
    """The only link of ours in it."""
    (link,) = _LINK.findall(text_of(mail))
    return str(link)


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    """Up until the block ends."""
    loop, place = asyncio.new_event_loop(), MailServer()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    begin = loop.create_server(partial(SMTP, place, loop=loop), "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(begin, loop).result(10)
    place.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield place
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    """Whoever is still connected is cut off: nobody waits for an answer of a server that is gone."""
    server.close()
    talks = asyncio.all_tasks() - {asyncio.current_task()}
    for talk in talks:
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)
