"""Gateway and scorer know each other by certificates: both real, on a socket of this process."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from auth_gateway.adapters.scorer import HttpScorer
from plumbing.clock import FixedClock
from plumbing.connection_guard import GuardedProtocol
from plumbing.tls import LOOK_SECONDS, Certified, Identity, answering, calling
from risk_scorer.contract.events import LoginEvent
from tests.certificates import Authority
from tests.integration.risk_scorer.service import running

EVENT = LoginEvent(user_id="alice", ip="198.51.100.9", event_id="evt_1")


class Files(NamedTuple):
    """Two authorities, and what the right one certified."""

    ours: Authority
    others: Authority
    server: Identity
    gateway: Identity


@pytest.fixture
def files(tmp_path: Path) -> Files:
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    return Files(ours, others, Identity(*ours.certify("localhost")), Identity(*ours.certify("gateway")))


@contextlib.asynccontextmanager
async def listening(app: ASGIApp, context: ssl.SSLContext) -> AsyncIterator[str]:
    config = uvicorn.Config(app, ws="none", lifespan="off", proxy_headers=False, log_config=None)
    state, protocols = ServerState(), list[GuardedProtocol]()

    def made() -> GuardedProtocol:
        protocols.append(GuardedProtocol(config=config, server_state=state, app_state={}))
        return protocols[-1]

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for protocol in protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
        await asyncio.sleep(0.01)


async def answer(url: str, tls: Certified, credential: str | None) -> tuple[float | None, str | None]:
    scorer = HttpScorer(base_url=url, credential=credential, deadline_seconds=5.0, clock=FixedClock(0), tls=tls.context)
    score = await scorer.score(EVENT)
    await scorer.close()
    return score.risk_score if score else None, scorer.last_problem


async def asked(
    place: Path, files: Files, callers: list[Certified], *, server: Identity | None = None, bearer: bool = True
) -> list[tuple[float | None, str | None]]:
    """What each caller hears of the same scorer."""
    context = answering(server or files.server, callers_authority=files.ours.certificate)
    async with running(place) as scorer, listening(scorer.app, context) as url:
        credential = scorer.credential if bearer else "rgs_another"
        return [await answer(url, caller, credential) for caller in callers]


def test_a_gateway_shows_who_it_is_and_sees_who_answers(tmp_path: Path, files: Files) -> None:
    """Without a certificate, with one of another authority, run out, or not meant for callers' own: no score, which
    policy turns into a second factor. With the right one there is a score."""
    ours = files.ours.certificate
    callers = [
        calling(authority=ours, identity=files.gateway),
        calling(authority=ours, identity=None),
        calling(authority=ours, identity=Identity(*files.others.certify("gateway"))),
        calling(authority=ours, identity=Identity(*files.ours.certify("old", days=-1))),
        calling(authority=files.others.certificate, identity=files.gateway),
        calling(authority=None, identity=files.gateway),
    ]
    heard = asyncio.run(asked(tmp_path, files, callers))
    assert heard[0][0] is not None
    assert heard[1:] == [(None, "scorer_unreachable")] * 5


@pytest.mark.parametrize(("name", "days"), [("elsewhere", 1), ("localhost", -1)])
def test_a_scorer_proves_its_name_too(tmp_path: Path, files: Files, name: str, days: int) -> None:
    """Its certificate is for that name, and has not run out."""
    server = Identity(*files.ours.certify(name, days=days))
    caller = calling(authority=files.ours.certificate, identity=files.gateway)
    assert asyncio.run(asked(tmp_path, files, [caller], server=server)) == [(None, "scorer_unreachable")]


def test_the_credential_is_needed_all_the_same(tmp_path: Path, files: Files) -> None:
    """A certificate opens the door; what may be done is the credential's."""
    caller = calling(authority=files.ours.certificate, identity=files.gateway)
    assert asyncio.run(asked(tmp_path, files, [caller], bearer=False)) == [(None, "scorer_invalid")]


async def _served(files: Files, server: ssl.SSLContext, caller: Certified) -> bytes | None:
    """The certificate that is shown, None where no request is answered."""

    async def app(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    async with listening(app, server) as url:
        port = int(url.rpartition(":")[2])
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=caller.context, server_hostname="localhost"
            )
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            said = await reader.read()
        except (ssl.SSLError, ConnectionError):
            return None
        shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return shown if said.startswith(b"HTTP/1.1 204") else None


def test_certificates_are_exchanged_while_both_run(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next connection shows what lies there; a file that is half written changes nothing."""
    monkeypatch.setattr("plumbing.tls.LOOK_SECONDS", 0.0)
    server = answering(files.server, callers_authority=files.ours.certificate)
    caller = calling(authority=files.ours.certificate, identity=files.gateway)

    def shown() -> bytes | None:
        asyncio.run(_served(files, server, caller))  # a greeting looks, the next one shows
        return asyncio.run(_served(files, server, caller))

    first = shown()
    assert first is not None
    files.server.certificate.write_text("-----BEGIN CERTIFICATE-----\nhalf")
    assert shown() == first
    files.ours.certify("localhost")  # the same files
    second = shown()
    assert second not in (None, first)


def test_a_caller_follows_its_files(files: Files) -> None:
    """Looked at once in ten seconds: a certificate that has run out is replaced by the next."""
    clock, context = FixedClock(0), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server = answering(files.server, callers_authority=files.ours.certificate)
    identity = Identity(*files.ours.certify("caller", days=-1))
    caller = Certified(context, identity=identity, authority=files.ours.certificate, clock=clock)
    assert asyncio.run(_served(files, server, caller)) is None
    files.ours.certify("caller")
    clock.advance(LOOK_SECONDS - 1)
    caller.follow()
    assert asyncio.run(_served(files, server, caller)) is None
    clock.advance(1)
    caller.follow()
    assert asyncio.run(_served(files, server, caller)) is not None


def test_nothing_older_than_tls_1_2_is_spoken(files: Files) -> None:
    """By either side."""
    server = answering(files.server, callers_authority=None)
    caller = calling(authority=files.ours.certificate, identity=None)
    assert {server.minimum_version, caller.context.minimum_version} == {ssl.TLSVersion.TLSv1_2}
    assert asyncio.run(_served(files, server, caller)) is not None  # without an authority nobody is asked
