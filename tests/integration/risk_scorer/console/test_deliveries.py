"""The console's deliveries: this scorer's own receivers, and the gateway's where there is none to be asked."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from risk_scorer.adapters.tables import outbox as table
from tests.integration.risk_scorer.console.signing import by_link, code_of, post
from tests.integration.risk_scorer.service import Running, running
from webhooks.outbox import Outbox

pytestmark = pytest.mark.anyio
PATH = "/dashboard/deliveries"
OWN = f"{PATH}/scorer/announcements"
SECRET = "s3cr3t-in-a-path"
OUTBOX = Outbox(table)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """Its webhook is at a port where nothing listens."""
    async with running(tmp_path, webhook_url=f"http://127.0.0.1:9/{SECRET}") as found:
        del found.client.headers["authorization"]
        yield found


def dead(service: Running, *names: str) -> None:
    """Messages that were given up."""
    database, now = service.scorer.database, service.scorer.clock.now()
    for name in names:
        add = partial(OUTBOX.add, message_id=name, endpoint="announcements", event_type="login.high_risk", body=b"{}")
        database.write_sync(lambda tx, add=add: add(tx, now=now + 3600))
    database.write_sync(partial(OUTBOX.give_up, endpoint="announcements", now=now, error="status_500 203.0.113.77"))


async def test_a_dead_message_is_shown_and_tried_again(service: Running) -> None:
    """With why it died; by itself or with all others, in the operator's name; one that is not there is refused."""
    dead(service, "msg_one", "msg_two", "msg_three")
    await by_link(service, "admin")
    shown = (await service.client.get(PATH)).text
    for part in ("announcements", "has dead messages", "127.0.0.1:9", "gateway_not_configured", "nothing is known"):
        assert part in shown, part
    assert SECRET not in shown
    page = await service.client.get(f"{OWN}?status=dead")
    assert page.text.count("Try now") >= 3
    assert "status_500" in page.text
    assert SECRET not in page.text
    for fields, code in (
        ({"does": "retry", "message_id": "msg_nobody"}, "unknown_delivery"),
        ({"does": "pause"}, "not_here"),
        ({"does": "explode"}, "invalid_change"),
    ):
        assert code_of(await post(service, f"{OWN}/change", **fields)) == code
    await post(service, f"{OWN}/change", does="retry", message_id="msg_one")
    assert "msg_one" not in (await service.client.get(f"{OWN}?status=dead")).text
    await post(service, f"{OWN}/change", does="retry_dead")
    assert "No message is like that" in (await service.client.get(f"{OWN}?status=dead")).text
    audit = (await service.client.get("/dashboard/audit")).text
    for part in ("delivery.retry_dead", "scorer announcements", "unknown delivery", "jane"):
        assert part in audit, part


async def test_pages_go_on_where_the_one_before_ended(service: Running) -> None:
    """Newest first, fifty at a time; a place or a state that is none is refused."""
    dead(service, *(f"msg_{number:03}" for number in range(60)))
    await by_link(service, "reader")
    first = (await service.client.get(f"{OWN}?status=dead")).text
    assert ("msg_059" in first, "msg_009" in first) == (True, False)
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = (await service.client.get(older)).text
    assert ("msg_059" in second, "msg_009" in second, 'rel="next"' in second) == (False, True, False)
    for query in ("status=lost", "before=x"):
        answer = await service.client.get(f"{OWN}?{query}")
        assert (answer.status_code, code_of(answer)) == (422, "invalid_filter")
    for path in (f"{PATH}/scorer/nobody", f"{PATH}/nobody/announcements"):
        answer = await service.client.get(path)
        assert (answer.status_code, code_of(answer)) == (404, "unknown_receiver")
    away = await service.client.get(f"{PATH}/gateway/dst_x")
    assert (away.status_code, code_of(away)) == (503, "gateway_not_configured")


async def test_a_test_message_is_on_its_way(service: Running) -> None:
    """To the webhook alone; whether it arrives is on the page."""
    await by_link(service, "admin")
    answer = await post(service, f"{OWN}/change", does="test", reason="Does it arrive?")
    assert (answer.status_code, answer.headers["location"]) == (303, OWN)
    assert "webhook.test" in (await service.client.get(OWN)).text


async def test_a_veil_covers_what_a_receiver_answered(service: Running) -> None:
    """An address in an error is an address."""
    dead(service, "msg_one")
    await by_link(service, "reader")
    assert "203.0.113.77" in (await service.client.get(OWN)).text
    token = {"mask": "1", "back": PATH}
    await post(service, "/dashboard/mask", reason=None, **token)
    for path in (PATH, OWN):
        assert "203.0.113.77" not in (await service.client.get(path)).text


async def test_a_receiver_that_says_it_is_gone_is_told_as_disabled(tmp_path: Path) -> None:
    """It answers 410, and gets nothing until the next start: the page says just that."""
    gone = await asyncio.start_server(answer_gone, "127.0.0.1", 0)
    port = gone.sockets[0].getsockname()[1]
    async with gone, running(tmp_path, webhook_url=f"http://127.0.0.1:{port}/in") as service:
        await by_link(service, "admin")
        await post(service, f"{OWN}/change", does="test")
        async with asyncio.timeout(20):
            while "announcements" not in service.scorer.delivery.disabled:  # noqa: ASYNC110 - a set is looked at
                await asyncio.sleep(0.02)
        for path in (PATH, OWN):
            html = (await service.client.get(path)).text
            assert "disabled" in html
            assert "answered 410" in html
        for does in ("test", "retry_dead"):
            assert code_of(await post(service, f"{OWN}/change", does=does)) == "receiver_disabled"


async def answer_gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Whatever is asked."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    await writer.drain()
    writer.close()
