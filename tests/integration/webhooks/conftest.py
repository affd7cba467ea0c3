"""Real receivers on real ports, good and hostile, and an outbox on real SQLite."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import MetaData

from plumbing.clock import SystemClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from webhooks.delivery import DeliveryWorker, Endpoint, Pace
from webhooks.outbox import Delivery, Outbox, outbox_table
from webhooks.signing import standard_signer

KEY = bytes(range(32))
METADATA = MetaData()
TABLE = outbox_table(METADATA)
QUICK = Pace(first_retry=0.05, longest_retry=0.4, deadline=0.5, lease=1.0, poll=0.2)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop under a test marked `anyio`."""
    return "asyncio"


@dataclass
class Heard:
    """One request as a receiver saw it."""

    at: float
    line: str
    headers: dict[str, str]
    body: bytes


Reply = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """A server that keeps what it heard and answers as it was told to."""

    reply: Reply
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?from=us"

    @property
    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.heard]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    self.heard.append(heard := await self._request(reader))
                    await self.reply(heard, writer)
                    await writer.drain()
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> Heard:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Heard(asyncio.get_running_loop().time(), line, headers, body)


def answering(status: int, *headers: str, body: bytes = b"") -> Reply:
    """A receiver that always says the same."""

    async def reply(_heard: Heard, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode("latin-1") + body)

    return reply


@asynccontextmanager
async def receiving(
    reply: Reply, tls: ssl.SSLContext | None = None, port: int = 0, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    """A receiver on a free port, or on that one."""
    receiver = Receiver(reply)
    server = await asyncio.start_server(receiver.serve, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


@dataclass
class Sender:
    """An outbox, and the workers that empty it."""

    database: Database
    outbox: Outbox

    async def add(self, name: str, endpoint: str, *, body: bytes = b'{"type":"t"}', at: float | None = None) -> None:
        now = SystemClock().now() if at is None else at
        await self.database.write(
            lambda tx: self.outbox.add(tx, message_id=name, endpoint=endpoint, event_type="t", body=body, now=now)
        )

    def fate(self, name: str) -> Delivery:
        rows = self.database.read(lambda tx: self.outbox.recent(tx, 10_000))
        (found,) = [row for row in rows if row.message_id == name]
        return found

    def depth(self) -> int:
        return self.database.read(self.outbox.depth)

    @asynccontextmanager
    async def delivering(
        self, *endpoints: Endpoint, pace: Pace = QUICK, **more: object
    ) -> AsyncIterator[DeliveryWorker]:
        worker = DeliveryWorker(
            self.database,
            self.outbox,
            endpoints,
            SystemClock(),
            SeededRandomness(1),
            pace=pace,
            **more,  # type: ignore[arg-type]
        )
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            assert not task.done(), "the worker must outlive whatever happens to it"
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def endpoint(name: str, url: str, *, concurrency: int = 8) -> Endpoint:
    """A receiver on this machine."""
    signer = standard_signer([KEY])
    return Endpoint(name=name, url=url, signer=signer, allow_private=True, concurrency=concurrency)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until it holds, or fail."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, "it did not come to pass"
        await asyncio.sleep(0.005)


def certificate(place: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a fresh certificate for that name, and a client's that trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = place / "server.pem"
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


class Stage(Sender):
    """All that a test of deliveries needs; handed out as one fixture, since tests do not import one another."""

    KEY = KEY
    QUICK = QUICK
    METADATA = METADATA
    TABLE = TABLE
    answering = staticmethod(answering)
    receiving = staticmethod(receiving)
    endpoint = staticmethod(endpoint)
    until = staticmethod(until)
    certificate = staticmethod(certificate)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An empty outbox, and how to make receivers."""
    database = Database.open(f"sqlite:///{tmp_path}/outbox.db", metadata=METADATA)
    METADATA.create_all(database.engine)
    yield Stage(database, Outbox(TABLE))
    database.close()
