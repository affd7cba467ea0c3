"""From a high-risk score to a receiver that checks who sent it: the official library's signature and the plain one."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from tests.integration.risk_scorer.published import LOUD
from tests.integration.risk_scorer.service import EVENT, WEBHOOK_SECRET, running

pytestmark = pytest.mark.anyio
PLAIN_SECRET = "a-plain-secret-of-the-demo"


class Receiver:
    """Keeps what it is sent; answers what it is told to."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        self.statuses: list[int] = []
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        status = self.statuses.pop(0) if self.statuses else 204
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await self.got.put((headers, body))


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    server = await asyncio.start_server(found.take, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


async def test_a_high_risk_login_reaches_the_receiver_signed_in_both_ways(tmp_path: Path) -> None:
    """The official library accepts the signature, and the plain header is the hex HMAC of the exact body."""
    async with (
        receiver() as there,
        running(
            tmp_path,
            webhook_url=f"http://127.0.0.1:{there.port}/hooks",
            mfa_hmac_secret=PLAIN_SECRET,
            mfa_tenant="example-tenant",
        ) as service,
    ):
        score = (await service.client.post("/score", json={**EVENT, **LOUD, "event_id": "evt-1"})).json()
        headers, body = await asyncio.wait_for(there.got.get(), 10)
    Webhook(WEBHOOK_SECRET).verify(body, headers)
    assert headers["x-signature"] == hmac.new(PLAIN_SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["webhook-id"] == "msg_evt-1_high_risk"
    sent = json.loads(body)["data"]
    assert (sent["tenant"], sent["risk_score"]) == ("example-tenant", score["risk_score"])
    assert sent["reasons"] == score["reasons"]


async def test_a_receiver_that_fails_gets_the_same_message_again(tmp_path: Path) -> None:
    """Same id, same bytes, after a short while; what was delivered is not sent once more."""
    async with (
        receiver() as there,
        running(
            tmp_path,
            webhook_url=f"http://127.0.0.1:{there.port}/hooks",
            webhook_retry_first_seconds=0.05,
        ) as service,
    ):
        there.statuses = [500]
        await service.client.post("/score", json={**EVENT, **LOUD})
        first, first_body = await asyncio.wait_for(there.got.get(), 10)
        again, again_body = await asyncio.wait_for(there.got.get(), 10)
        assert (first["webhook-id"], first_body) == (again["webhook-id"], again_body)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(there.got.get(), 0.5)
