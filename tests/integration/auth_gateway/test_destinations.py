"""Those who are told of events: how they come, change their secret, rest and go, on both databases."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from auth_gateway.adapters.destination_signer import DestinationSigner
from auth_gateway.adapters.storage.destinations import StoredDestinations
from auth_gateway.adapters.storage.tables import outbox
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.destination import Destination, Filter
from auth_gateway.core.destination_change import DestinationChange, FilterChange
from auth_gateway.core.vocabulary import EventType
from auth_gateway.flows.destinations import Listeners
from auth_gateway.service import Service
from auth_gateway.settings import load_settings
from auth_gateway.telling import destination_receiver, distributor, listeners
from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from tests.integration.webhooks.conftest import Heard, answering, receiving
from webhooks.endpoint import Endpoint, Withdrawn
from webhooks.outbox import Outbox
from webhooks.signing import BadSignature, parse_secret, verify
from webhooks.targets import TargetRefused

NOW = 1_800_000_000.0
SIEM = Destination(destination_id="", name="siem", kind="webhook", url="https://siem.example/in")


@pytest.fixture
def gateway(database_url: str, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose clock stands still."""
    given = {"auth_gateway_database": database_url} if database_url.startswith("postgresql") else {}
    settings = load_settings(auth_gateway_state=tmp_path / "state", **given)
    opened = assemble(settings, clock=FixedClock(NOW))
    yield opened
    opened.close()


@pytest.fixture
def book(gateway: Gateway) -> Listeners:
    return listeners(gateway)


def added(book: Listeners, destination: Destination = SIEM) -> tuple[Destination, str]:
    """The destination, and the secret that was shown."""
    shown: list[str] = []
    made = book.add(destination, show=shown.append)
    return made, shown[0]


def signed(gateway: Gateway, destination_id: str, body: bytes = b"{}") -> dict[str, str]:
    """The headers of a message to it."""
    receiver = destination_receiver(gateway, destination_id)
    assert isinstance(receiver, Endpoint)
    return dict(receiver.signer("msg_1", int(gateway.clock.now()), body))


def is_taken(secret: str, headers: dict[str, str], body: bytes = b"{}") -> bool:
    """Whether a receiver with that secret takes it when it comes."""
    try:
        verify([parse_secret(secret)], headers, body, now=float(headers["webhook-timestamp"]))
    except BadSignature:
        return False
    return True


def told_types(gateway: Gateway) -> list[str]:
    return [line.kind for line in gateway.database.read(lambda tx: gateway.audit.recent(tx, 50))][::-1]


def test_a_new_destination_is_kept_with_its_terms_and_its_secret_sealed(book: Listeners, gateway: Gateway) -> None:
    """What was shown signs; what is stored does not hold it."""
    wanted = msgspec.structs.replace(SIEM, filter=Filter(types=("login.*",), min_score=60, clients=("web",)))
    made, secret = added(book, wanted)
    assert book.list() == [book.find("siem")] == [book.find(made.destination_id)] == [made]
    assert made.destination_id.startswith("dst_")
    assert (made.filter, made.created_at) == (wanted.filter, NOW)
    assert is_taken(secret, signed(gateway, made.destination_id))
    kept = gateway.database.read(lambda tx: StoredDestinations().secrets(tx, made.destination_id))
    assert kept is not None
    assert kept.current is not None
    assert secret.encode() not in kept.current
    assert told_types(gateway) == ["webhook.added"]


ODD: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "two words"},
    {"name": "dst_x"},
    {"name": "x" * 65},
    {"url": "http://siem.example/in"},
    {"url": "https://127.0.0.1/in"},
    {"url": "https://" + "x" * 2_000},
    {"url": ""},
    {"kind": "ssf"},
    {"filter": Filter(types=("login.*", "nothing.of.this"))},
    {"filter": Filter(min_score=101)},
    {"filter": Filter(clients=("x",) * 101)},
    {"filter": Filter(clients=("",))},
    {"filter": Filter(clients=("x" * 257,))},
    {"filter": Filter(clients=("a\nb",))},
    {"filter": Filter(types=("login.*",) * 1_000)},
    {"tenant": "x" * 129},
]


def test_what_means_nothing_is_refused(book: Listeners) -> None:
    """Before anybody is shown a secret, with one code and without the value."""
    for odd in ODD:
        with pytest.raises(Refused) as refused:
            book.add(msgspec.structs.replace(SIEM, **odd), show=lambda _: pytest.fail("shown"))
        assert (refused.value.code, refused.value.status) == ("invalid_destination", 400), odd


def test_terms_are_changed_and_the_secret_stays(book: Listeners, gateway: Gateway) -> None:
    """What is not named stays, one change after the other; what means nothing changes nothing."""
    made, secret = added(book, msgspec.structs.replace(SIEM, filter=Filter(types=("login.*",))))
    book.update("siem", DestinationChange(filter=FilterChange(min_score=60)))
    moved = book.update(made.destination_id, DestinationChange(url="https://siem.example/v2"), by="soc")
    wanted = Filter(types=("login.*",), min_score=60)
    assert moved == msgspec.structs.replace(made, url="https://siem.example/v2", filter=wanted)
    for odd in (DestinationChange(url="https://127.0.0.1/in"), DestinationChange(tenant="x" * 129)):
        with pytest.raises(Refused, match=r"address|tenant"):
            book.update("siem", odd)
    assert book.list() == [moved]
    receiver = destination_receiver(gateway, made.destination_id)
    assert isinstance(receiver, Endpoint)
    assert receiver.url == "https://siem.example/v2"
    assert is_taken(secret, signed(gateway, made.destination_id))
    assert told_types(gateway) == ["webhook.added", "webhook.changed", "webhook.changed"]


def test_a_name_is_given_once(book: Listeners) -> None:
    """The second one is refused and shown nothing."""
    added(book)
    with pytest.raises(Refused, match="already"):
        book.add(SIEM, show=lambda _: pytest.fail("shown"))


def test_both_secrets_sign_until_the_overlap_ends(book: Listeners, gateway: Gateway) -> None:
    """Also for a lane that has been open since before; one more rotation drops the oldest."""
    made, first = added(book)
    signer = DestinationSigner(
        made.destination_id,
        database=gateway.database,
        destinations=StoredDestinations(),
        vault=gateway.vault,
        clock=gateway.clock,
    )
    clock = gateway.clock
    assert isinstance(clock, FixedClock)

    def takers() -> list[bool]:
        headers = dict(signer("msg_1", int(clock.now()), b"{}"))
        return [is_taken(secret, headers) for secret in secrets]

    secrets = [first]
    assert takers() == [True]
    book.rotate_secret("siem", overlap_seconds=3_600, show=secrets.append)
    assert takers() == [True, True]
    clock.advance(3_599)
    assert takers() == [True, True]
    clock.advance(1)
    assert takers() == [False, True]
    book.rotate_secret("siem", overlap_seconds=60, show=secrets.append)
    with pytest.raises(Refused, match="still signs") as refused:  # or the receiver's time would end unannounced
        book.rotate_secret("siem", overlap_seconds=60, show=lambda _: pytest.fail("shown"))
    assert (refused.value.code, refused.value.status) == ("overlap_running", 409)
    assert takers() == [False, True, True]
    book.rotate_secret("siem", overlap_seconds=0, show=secrets.append)
    assert takers() == [False, False, False, True]
    book.rotate_secret("siem", overlap_seconds=60, show=secrets.append)
    assert takers() == [False, False, False, True, True]


def test_of_two_who_rotate_at_once_one_does(book: Listeners, gateway: Gateway) -> None:
    """Whoever was shown a secret has one that signs."""
    made, first = added(book)
    secrets = [first]
    held = threading.Barrier(2, timeout=10)

    def rotate(_: int) -> str:
        def show(secret: str) -> None:
            secrets.append(secret)
            held.wait()

        try:
            book.rotate_secret("siem", overlap_seconds=60, show=show)
        except Refused as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(rotate, range(2))) == ["done", "overlap_running"]
    headers = signed(gateway, made.destination_id)
    assert [is_taken(secret, headers) for secret in secrets].count(True) == 2
    assert is_taken(first, headers)


def test_a_removed_one_takes_back_what_was_about_to_be_signed(book: Listeners, gateway: Gateway) -> None:
    """That is no failed attempt."""
    made, _ = added(book)
    receiver = destination_receiver(gateway, made.destination_id)
    assert isinstance(receiver, Endpoint)
    book.remove("siem")
    with pytest.raises(Withdrawn):
        receiver.signer("msg_1", int(NOW), b"{}")


@pytest.mark.parametrize("reason", ["", "x" * 201, "a\nb", "\0"])
def test_a_reason_is_one_line(book: Listeners, reason: str) -> None:
    """An empty one would look like none: the destination would be listed as enabled."""
    added(book)
    with pytest.raises(Refused, match="printable") as refused:
        book.disable("siem", reason=reason)
    assert (refused.value.code, refused.value.status) == ("invalid_reason", 400)
    assert book.find("siem").disabled_at is None


def test_what_waited_is_due_when_it_is_enabled(book: Listeners, gateway: Gateway) -> None:
    """Its last failure chose a moment that may be an hour away."""
    made, _ = added(book)
    told(gateway)
    letters, to = Outbox(outbox), made.destination_id
    claim = partial(letters.claim, endpoint=to, now=NOW + 1, limit=1, lease_seconds=15)
    (message,) = gateway.database.write_sync(claim)
    later = partial(letters.retry, message=message, next_attempt_at=NOW + 3_600, status=503, error="status_503")
    gateway.database.write_sync(later)
    book.disable("siem", reason="moving")
    assert gateway.database.read(partial(letters.next_due, endpoint=to, now=NOW + 2)) == NOW + 3_600
    book.enable("siem")
    assert gateway.database.read(partial(letters.next_due, endpoint=to, now=NOW + 2)) == NOW + 2


@pytest.mark.parametrize("overlap_seconds", [-1, 30 * 86_400 + 1])
def test_an_overlap_has_an_end(book: Listeners, overlap_seconds: int) -> None:
    """A month at the most."""
    added(book)
    with pytest.raises(Refused, match="30 days"):
        book.rotate_secret("siem", overlap_seconds=overlap_seconds, show=lambda _: None)


def test_a_disabled_one_is_told_nothing_until_it_is_enabled(book: Listeners, gateway: Gateway) -> None:
    """Its lane is closed meanwhile; the trail says why it was, and others are told."""
    made, _ = added(book)
    other, _ = added(book, msgspec.structs.replace(SIEM, name="other"))
    assert book.disable("siem", reason="gone")
    assert not book.disable("siem", reason="gone")
    assert (book.find("siem").disabled_reason, book.find("siem").disabled_at) == ("gone", NOW)
    assert destination_receiver(gateway, made.destination_id) is None
    told(gateway)
    assert waiting(gateway, made.destination_id) == []
    assert waiting(gateway, other.destination_id) == ["webhook.added", "webhook.added", "webhook.disabled"]
    assert book.enable("siem")
    assert not book.enable("siem")
    told(gateway)
    assert waiting(gateway, made.destination_id) == ["webhook.enabled"]


def told(gateway: Gateway) -> None:
    asyncio.run(distributor(gateway, told=lambda: None).turn())


def waiting(gateway: Gateway, destination_id: str) -> list[EventType]:
    rows = select(outbox.c.event_type).where(outbox.c.endpoint == destination_id, outbox.c.dead_at.is_(None))
    with gateway.database.engine.connect() as connection:
        return [row[0] for row in connection.execute(rows.order_by(outbox.c.created_at))]


def test_a_removed_one_is_forgotten_and_what_waits_for_it_given_up(book: Listeners, gateway: Gateway) -> None:
    """Its secret with it; whoever has its name later is another."""
    made, _ = added(book)
    told(gateway)
    assert waiting(gateway, made.destination_id) == ["webhook.added"]
    book.remove("siem")
    assert waiting(gateway, made.destination_id) == []
    with pytest.raises(TargetRefused):
        destination_receiver(gateway, made.destination_id)
    with pytest.raises(Refused, match="no destination"):
        book.remove("siem")
    again, _ = added(book)
    assert again.destination_id != made.destination_id


def test_secrets_are_sealed_anew_with_the_rest(book: Listeners, gateway: Gateway) -> None:
    """Both of them, while they sign."""
    made, first = added(book)
    secrets = [first]
    book.rotate_secret("siem", overlap_seconds=3_600, show=secrets.append)
    before = gateway.database.read(lambda tx: StoredDestinations().secrets(tx, made.destination_id))
    assert gateway.resealing().values == 2
    after = gateway.database.read(lambda tx: StoredDestinations().secrets(tx, made.destination_id))
    assert before is not None
    assert after is not None
    assert (before.current, before.previous) != (after.current, after.previous)
    headers = signed(gateway, made.destination_id)
    assert [is_taken(secret, headers) for secret in secrets] == [True, True]


def test_events_arrive_signed_while_the_gateway_runs(tmp_path: Path) -> None:
    """From the line that is written to the receiver's hands, in order, without anybody listing the destination."""
    settings = load_settings(auth_gateway_state=tmp_path / "demo", auth_gateway_profile="demo")
    running = assemble(settings)
    service = Service(running)

    async def story() -> tuple[str, list[Heard]]:
        heard: asyncio.Queue[Heard] = asyncio.Queue()

        async def take(one: Heard, writer: asyncio.StreamWriter) -> None:
            await answering(200)(one, writer)
            heard.put_nowait(one)

        async with receiving(take) as receiver:
            wanted = msgspec.structs.replace(SIEM, url=receiver.url, filter=Filter(types=("login.*",)))
            _, secret = await asyncio.to_thread(added, listeners(running), wanted)
            tasks = [asyncio.create_task(work()) for work in (service.delivery.run, service.distributor.run)]
            for number in range(3):
                line = AuditEvent(event_id=f"evt_{number}", ts=NOW, kind="login.denied", user_id="alice")
                await running.database.write(partial(running.audit.record, event=line))
                service.wake()
            async with asyncio.timeout(20):
                found = [await heard.get() for _ in range(3)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return secret, found

    secret, heard = asyncio.run(story())
    running.close()
    assert [one.headers["webhook-id"] for one in heard] == ["msg_evt_0", "msg_evt_1", "msg_evt_2"]
    assert all(is_taken(secret, one.headers, one.body) for one in heard)
