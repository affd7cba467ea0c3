"""The log of deliveries, what is dead once more, and the test message, on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auth_gateway.adapters.storage.tables import outbox as table
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.destination import Destination, Filter
from auth_gateway.flows.deliveries import REVIVED_AT_ONCE, Deliveries
from auth_gateway.settings import load_settings
from auth_gateway.telling import deliveries
from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from webhooks.delivery_log import STATUSES
from webhooks.outbox import Outbox

NOW = 1_800_000_000.0
OUTBOX = Outbox(table)
SIEM = Destination(destination_id="", name="siem", kind="webhook", url="https://siem.example/in")


@pytest.fixture
def gateway(database_url: str, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose clock stands still."""
    given = {"auth_gateway_database": database_url} if database_url.startswith("postgresql") else {}
    opened = assemble(load_settings(auth_gateway_state=tmp_path / "state", **given), clock=FixedClock(NOW))
    yield opened
    opened.close()


@pytest.fixture
def desk(gateway: Gateway) -> Deliveries:
    return deliveries(gateway)


@pytest.fixture
def siem(desk: Deliveries) -> Destination:
    return desk.listeners.add(SIEM, show=lambda _: None)


def put(gateway: Gateway, destination: Destination, *names: str, **more: Any) -> None:
    """Messages, each a second after the one before."""

    def job(tx: Any) -> None:
        for place, name in enumerate(names):
            OUTBOX.add(
                tx, message_id=name, endpoint=destination.destination_id, event_type="login.denied", body=b"{}",
                now=NOW - 100 + place, **more,
            )  # fmt: skip

    gateway.database.write_sync(job)


def claimed(gateway: Gateway, destination: Destination, limit: int) -> Any:
    def job(tx: Any) -> Any:
        return OUTBOX.claim(tx, endpoint=destination.destination_id, now=NOW, limit=limit, lease_seconds=15)

    return gateway.database.write_sync(job)


def killed(gateway: Gateway, destination: Destination, limit: int = 10) -> None:
    """The oldest of them are dead."""
    for message in claimed(gateway, destination, limit):
        gateway.database.write_sync(lambda tx, m=message: OUTBOX.dead(tx, m, now=NOW, status=503, error="status_503"))


def test_each_message_is_listed_with_how_it_stands(gateway: Gateway, desk: Deliveries, siem: Destination) -> None:
    """Waiting, in flight, delivered and dead; each is found by its status too."""
    other = desk.listeners.add(msgspec.structs.replace(SIEM, name="other"), show=lambda _: None)
    put(gateway, other, "msg_other")
    put(gateway, siem, "msg_dead")
    killed(gateway, siem)
    put(gateway, siem, "msg_done")
    done = claimed(gateway, siem, 1)
    gateway.database.write_sync(lambda tx: OUTBOX.delivered(tx, done, now=NOW, status=204))
    put(gateway, siem, "msg_flying")
    claimed(gateway, siem, 1)
    put(gateway, siem, "msg_waiting")
    found = {each.message_id: each for each in desk.page("siem").deliveries}
    assert {name: each.status for name, each in found.items()} == {
        "msg_dead": "dead", "msg_done": "delivered", "msg_flying": "in_flight", "msg_waiting": "waiting",
    }  # fmt: skip
    dead = found["msg_dead"]
    assert (dead.attempts, dead.last_status, dead.last_error, dead.dead_at) == (1, 503, "status_503", NOW)
    assert (found["msg_done"].last_status, found["msg_done"].delivered_at) == (204, NOW)
    assert (found["msg_waiting"].next_attempt_at, dead.next_attempt_at) == (NOW - 100, None)
    for status in STATUSES:
        listed = [each.message_id for each in desk.page("siem", status=status).deliveries]
        assert listed == [name for name, each in found.items() if each.status == status]


def test_pages_are_newest_first_and_miss_nothing(gateway: Gateway, desk: Deliveries, siem: Destination) -> None:
    """Also where many were made in one moment, and where one comes in between."""
    names = [f"msg_{number:02}" for number in range(9)]
    put(gateway, siem, *names)
    for number in range(3):
        put(gateway, siem, f"msg_same_{number}")
    seen, before = [], ""
    while True:
        page = desk.page("siem", limit=4, before=before)
        seen += [each.message_id for each in page.deliveries]
        put(gateway, siem, *(f"msg_new{len(seen)}_{n}" for n in range(12)))
        if page.following is None:
            break
        before = page.following
    first = seen[: len(seen)]
    assert sorted(name for name in first if "new" not in name) == sorted([*names, *(f"msg_same_{n}" for n in range(3))])
    assert len(set(seen)) == len(seen)


def test_a_page_has_bounds_and_a_place_that_a_page_named(desk: Deliveries, siem: Destination) -> None:
    """One to five hundred; everything else is 400, and no crash."""
    for before in ("x", "nan_msg", "-1_msg", "inf_msg", "1e400_msg", "5_\x00", "5_" + "x" * 300):
        with pytest.raises(Refused, match="invalid_page"):
            desk.page("siem", before=before)
    for limit in (0, 501):
        with pytest.raises(Refused, match="invalid_page"):
            desk.page("siem", limit=limit)
    assert desk.page("siem", limit=500, before="1").deliveries == desk.page("siem", limit=1).deliveries == ()


def test_a_dead_message_is_tried_again_from_the_beginning(
    gateway: Gateway, desk: Deliveries, siem: Destination
) -> None:
    """At once, under its id; what a receiver may have seen takes in no others any more."""
    put(gateway, siem, "msg_1", fold_key="storm")
    killed(gateway, siem)
    assert desk.retry("siem", "msg_1").status == "waiting"
    folded = gateway.database.write_sync(
        lambda tx: OUTBOX.fold(tx, endpoint=siem.destination_id, fold_key="storm", into=lambda body, _: body)
    )
    assert folded is None
    (again,) = claimed(gateway, siem, 5)
    assert (again.message_id, again.attempts) == ("msg_1", 1)
    assert desk.retry("siem", "msg_1").status == "in_flight"  # it is being tried


def test_only_what_was_not_taken_is_tried_again(gateway: Gateway, desk: Deliveries, siem: Destination) -> None:
    """A replay tells again what was."""
    put(gateway, siem, "msg_1")
    done = claimed(gateway, siem, 1)
    gateway.database.write_sync(lambda tx: OUTBOX.delivered(tx, done, now=NOW, status=200))
    with pytest.raises(Refused, match="already_delivered"):
        desk.retry("siem", "msg_1")
    with pytest.raises(Refused, match="unknown_delivery"):
        desk.retry("siem", "msg_2")
    with pytest.raises(Refused, match="unknown_destination"):
        desk.retry("nobody", "msg_1")


def test_all_that_is_dead_is_tried_again(gateway: Gateway, desk: Deliveries, siem: Destination) -> None:
    """In pieces, so that no login waits long; what is dead elsewhere stays so."""
    other = desk.listeners.add(msgspec.structs.replace(SIEM, name="other"), show=lambda _: None)
    put(gateway, other, "msg_other")
    killed(gateway, other)
    count = REVIVED_AT_ONCE + 5
    put(gateway, siem, *(f"msg_{number}" for number in range(count)))
    gateway.database.write_sync(
        lambda tx: OUTBOX.give_up(tx, endpoint=siem.destination_id, now=NOW, error="target_inside")
    )
    assert desk.retry_dead("siem") == count
    assert desk.retry_dead("siem") == 0
    assert desk.page("siem", status="dead").deliveries == ()
    assert [each.message_id for each in desk.page("other", status="dead").deliveries] == ["msg_other"]


def test_a_test_message_goes_to_that_destination_alone(gateway: Gateway, desk: Deliveries, siem: Destination) -> None:
    """Whatever its filter, in its own format, and nothing stands in the trail."""
    wanted = msgspec.structs.replace(SIEM, name="ecs", format="ecs", filter=Filter(types=("account.*",)))
    desk.listeners.add(wanted, show=lambda _: None)
    sent = desk.test("ecs", by="soar")
    assert (sent.event_type, sent.status) == ("webhook.test", "waiting")
    (message,) = claimed(gateway, desk.listeners.find("ecs"), 5)
    body = msgspec.json.decode(message.body)
    assert (message.message_id, body["event"]["action"]) == (sent.message_id, "webhook.test")
    assert f"msg_{body['event']['id']}" == sent.message_id
    assert desk.page("siem").deliveries == ()


def test_what_is_disabled_is_not_tried(desk: Deliveries, siem: Destination) -> None:
    """It would only wait."""
    desk.listeners.disable("siem", reason="by hand")
    for attempt in (lambda: desk.test("siem"), lambda: desk.retry("siem", "msg"), lambda: desk.retry_dead("siem")):
        with pytest.raises(Refused, match="destination_disabled"):
            attempt()


def test_the_log_is_read_on_its_indexes(gateway: Gateway, desk: Deliveries, siem: Destination) -> None:
    """However many messages there are, a page is a few steps."""
    if gateway.database.engine.dialect.name != "sqlite":
        return
    log = desk.log
    values = {"to": "x", "made": 1.0, "last": "", "most": 5}
    for statement, index in ((log._page, "outbox_log"), (log._pages["dead"], "outbox_dead")):  # type: ignore[attr-defined]
        compiled = statement.compiled()
        with gateway.database.engine.connect() as connection:
            given = tuple(compiled.fixed.get(name, values.get(name)) for name in compiled.names)
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled.sql}", given).fetchall())
        assert index in plan or "outbox_log" in plan
        assert "TEMP B-TREE" not in plan
