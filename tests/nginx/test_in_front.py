"""Our nginx samples with a real nginx: what a client says about itself never counts, and what it is does."""

import asyncio
import ssl
import time

import pytest

from tests.nginx.conftest import Front
from tests.stories.gateway.story import PASSWORD

pytestmark = pytest.mark.nginx

JA4 = "t13d1516h2_8daaf6152771_b186095e22b6"
FORGED = [
    ("X-Forwarded-For", "198.51.100.66"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("Forwarded", "for=198.51.100.66"),
    ("X-Real-IP", "198.51.100.66"),
    ("CF-Connecting-IP", "198.51.100.66"),
    ("True-Client-IP", "198.51.100.66"),
    ("X_Forwarded_For", "198.51.100.66"),
    ("X-JA4", JA4),
    ("X-JA4", JA4),
    ("X_JA4", JA4),
    ("Ssl-JA4", JA4),
    ("X-JA4H", "ge11"),
    ("X-JA4S", "t13"),
    ("CF-JA4", JA4),
    ("CloudFront-Viewer-JA4-Fingerprint", JA4),
]
LOGIN = {"username": "alice", "password": PASSWORD}


def last(front: Front) -> tuple[str, str, object]:
    """The address in the newest line of the audit trail, and what the scorer was asked about."""
    story = front.story
    (line,) = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 1))
    event = story.scorer.events[-1]
    return str(line.ip), event["ip"], event.get("ja4") or event.get("ja4h") or event.get("ja4s")


@pytest.mark.parametrize("port", ["https", "stream"])
@pytest.mark.parametrize(("client", "headers"), [("127.0.0.7", []), ("127.0.0.8", FORGED), ("127.0.0.9", FORGED[7:8])])
def test_the_address_is_the_clients_whatever_it_says(
    front: Front, port: str, client: str, headers: list[tuple[str, str]]
) -> None:
    """By headers and by the PROXY protocol; in the audit trail and for the scorer. No fingerprint of its own counts."""
    answer = front.ask("POST", "/login", port=port, client=client, json=LOGIN, headers=headers)
    assert answer.status_code == 200, answer.text
    assert last(front) == (client, client, None)


def test_a_connection_past_nginx_is_nobodys(front: Front) -> None:
    """Whoever reaches the gateway's port for passed-on connections from elsewhere has no answer."""

    async def said(source: str) -> bytes:
        port = front.ports["passed_on"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        try:
            writer.write(b"PROXY TCP4 198.51.100.66 127.0.0.1 1 2\r\n")
            writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    assert front.run(said("127.0.0.7")) == b""
    assert front.run(said("127.0.0.1")).startswith(b"HTTP/1.1 200")


def test_plain_http_leads_to_tls(front: Front) -> None:
    """With the method and the body kept."""
    answer = front.ask("GET", "/login?x=1", port="http")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/login?x=1")


def test_tls_is_new_and_speaks_http_2(front: Front) -> None:
    """Nothing older than TLS 1.2; browsers are told to come by TLS alone."""

    async def spoken() -> tuple[str | None, str | None]:
        trust = ssl.create_default_context(cafile=str(front.place / "ours.pem"))
        trust.set_alpn_protocols(["h2", "http/1.1"])
        _, writer = await asyncio.open_connection("localhost", front.ports["https"], ssl=trust)
        found = writer.get_extra_info("ssl_object")
        writer.close()
        return found.version(), found.selected_alpn_protocol()

    assert front.run(spoken()) == ("TLSv1.3", "h2")
    answer = front.ask("GET", "/health")
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["server"] == "nginx"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/metrics", 404), ("/admin", 403), ("/admin/webhooks", 403), ("/ready", 403), ("/health", 200), ("//admin", 403)],
)
def test_what_is_not_for_everybody_is_not_there(front: Front, path: str, status: int) -> None:
    """Managing from one's own networks alone, metrics not at all."""
    assert front.ask("GET", path).status_code == status


@pytest.mark.parametrize(("size", "from_gateway"), [(262_144, True), (262_145, False)])
def test_bodies_are_bounded_like_ours(front: Front, size: int, from_gateway: bool) -> None:
    """The gateway refuses what is too large for the address; nginx what is too large for any of them."""
    answer = front.ask("POST", "/login", content=b"x" * size, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert (b"body_too_large" in answer.content) == from_gateway
    assert "temporary file" not in (front.place / "error.log").read_text()  # a password never lies on the disk


def test_a_slow_head_is_cut_off(front: Front) -> None:
    """After the time for a head (here a second), and the gateway never hears of it."""

    async def dripped() -> float:
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("localhost", front.ports["https"], ssl=front.trust)
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\n")
        drips = asyncio.create_task(_drip(writer))
        await asyncio.wait_for(reader.read(), 10)
        drips.cancel()
        writer.close()
        return time.monotonic() - started

    assert 0.9 < front.run(dripped()) < 8


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(0.1)
        writer.write(b"x")


def test_a_flood_from_one_address_waits(front: Front) -> None:
    """With Retry-After; another address goes on."""

    async def flood() -> list[bytes]:
        local = ("127.0.0.99", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", front.ports["https"], ssl=front.trust,
                                                       server_hostname="localhost", local_addr=local)  # fmt: skip
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n" * 159)
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        heard = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return heard.split(b"HTTP/1.1 ")[1:]

    answers = front.run(flood())
    late = [answer for answer in answers if answer.startswith(b"429")]
    assert len(answers) == 160
    assert 1 <= len(late) <= 59
    assert all(b"retry-after: 2" in answer.lower() for answer in late)
    assert front.ask("GET", "/health").status_code == 200


def test_what_is_secret_in_an_address_is_not_logged(front: Front) -> None:
    """Codes and tokens of links are in the query."""
    front.ask("GET", "/authorize?code=very-secret")
    text = (front.place / "riskgate.log").read_text()
    assert '"GET /authorize" ' in text
    assert "secret" not in text


def test_the_variable_of_the_ja4_module_is_the_clients_own_without_it(front: Front) -> None:
    """Why the sample sets `X-JA4` to nothing: a stock nginx takes `$http_ssl_ja4` for a request header."""
    assert front.ask("GET", "/", port="echo", headers={"Ssl-JA4": JA4}).text == JA4
