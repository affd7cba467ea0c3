"""A real SMTP server on a real port that does as it is told, and the lane that hands letters over to it."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auth_gateway.adapters.catalogues import shipped_texts
from auth_gateway.adapters.letters import LetterWriter
from auth_gateway.adapters.mail import Desk, by_smtp
from auth_gateway.adapters.mail_server import MailServer
from auth_gateway.adapters.storage.tables import outbox as outbox_rows
from auth_gateway.core.letter import Letter
from auth_gateway.flows.letters import OutboxPost
from plumbing.clock import SystemClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from plumbing.vault import Vault
from tests.migrated import migrated_storage
from webhooks.delivery import DeliveryWorker, Pace, Receiver
from webhooks.outbox import Delivery, Outbox

QUICK = Pace(first_retry=0.05, longest_retry=0.4, deadline=0.5, lease=1.0, poll=0.2)
USER, PASSWORD = "login", "geheim: p@ss"
VAULT = Vault(b"k" * 32)
DESK = Desk(
    vault=VAULT,
    writer=LetterWriter(texts=shipped_texts(), service="Häuser & Co", default_language="en"),
    sender="Login <login@gateway.example>",
)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop under a test marked `anyio`."""
    return "asyncio"


@dataclass
class Postbox:
    """What the server does with mails: takes them, or says at `RCPT` or `DATA` what it was told to say."""

    says_to_recipient: str = "250 OK"
    says_to_content: str = "250 OK"
    hangs_at: str = ""
    taken: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    were_encrypted: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    commands: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, to: str, options: Any
    ) -> str:
        self.commands += 1
        if self.hangs_at == "RCPT":
            await asyncio.sleep(3_600)
        if self.says_to_recipient.startswith("2"):
            envelope.rcpt_tos.append(to)
        return self.says_to_recipient

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.hangs_at == "DATA":
            await asyncio.sleep(3_600)
        if self.says_to_content.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.taken.append(envelope.content)
            self.recipients.append(list(envelope.rcpt_tos))
            self.were_encrypted.append(session.ssl is not None)
        return self.says_to_content

    def mail(self, number: int = 0) -> EmailMessage:
        """One mail, read as whoever gets it reads it."""
        found = message_from_bytes(self.taken[number], policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> AuthResult:
        is_right = isinstance(given, LoginPassword) and given == LoginPassword(USER.encode(), PASSWORD.encode())
        if is_right:
            self.users.append(USER)
        return AuthResult(success=is_right, handled=False)


@asynccontextmanager
async def serving(postbox: Postbox, *, port: int = 0, implicit_tls: Any = None, **more: Any) -> AsyncIterator[int]:
    """The server, on a free port or on that one, until the block ends; `more` is aiosmtpd's."""
    loop = asyncio.get_running_loop()
    protocol = partial(SMTP, postbox, loop=loop, authenticator=postbox.authenticate, **more)
    server = await loop.create_server(protocol, "127.0.0.1", port, ssl=implicit_tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@dataclass
class Office:
    """An outbox with letters, and the lane that empties it."""

    database: Database
    outbox: Outbox

    async def post(self, letter: Letter, name: str = "1", *, at: float | None = None) -> None:
        now = SystemClock().now() if at is None else at
        post = OutboxPost(outbox=self.outbox, vault=VAULT)
        await self.database.write(lambda tx: post.post(tx, letter, letter_id=name, now=now))

    def fate(self, name: str = "1") -> Delivery:
        rows = self.database.read(lambda tx: self.outbox.recent(tx, 1_000))
        (found,) = [row for row in rows if row.message_id == f"msg_{name}"]
        return found

    def bodies(self) -> bytes:
        """Everything that the table holds."""
        with self.database.engine.connect() as connection:
            return b"\n".join(row[0] for row in connection.exec_driver_sql("SELECT body FROM outbox"))

    @asynccontextmanager
    async def sending(self, receiver: Receiver, *, pace: Pace = QUICK) -> AsyncIterator[DeliveryWorker]:
        worker = DeliveryWorker(self.database, self.outbox, [receiver], SystemClock(), SeededRandomness(1), pace=pace)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            assert not task.done(), "the worker must outlive whatever happens to it"
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def by_smtp(self, port: int, **more: Any) -> Receiver:
        """Letters go to that port of this machine, in the clear unless `more` says otherwise."""
        return by_smtp(DESK, MailServer(**{"host": "127.0.0.1", "port": port, "must_start_tls": False, **more}))

    async def until(self, condition: Any, seconds: float = 5.0) -> None:
        """Wait until it holds, or fail."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not condition():
            assert loop.time() < deadline, "it did not come to pass"
            await asyncio.sleep(0.005)

    async def until_delivered(self, name: str = "1") -> None:
        await self.until(lambda: self.fate(name).delivered_at is not None)

    async def until_dead(self, name: str = "1") -> None:
        await self.until(lambda: self.fate(name).dead_at is not None)


class Mail(Office):
    """All that a test of mails needs; handed out as one fixture, since tests do not import one another."""

    DESK = DESK
    VAULT = VAULT
    USER = USER
    PASSWORD = PASSWORD
    Postbox = Postbox
    serving = staticmethod(serving)


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    """An empty outbox, and how to make a mail server."""
    database = migrated_storage(tmp_path / "gateway.db")
    yield Mail(database, Outbox(outbox_rows))
    database.close()


@dataclass(frozen=True)
class Authority:
    """A private authority that vouches for 127.0.0.1: what a server shows, and what a client trusts."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for the whole run."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("authority") / "server.pem"
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password)
    file.write_bytes(private + certificate.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cadata=certificate.public_bytes(pem).decode())
    return Authority(server=server, client=client)
