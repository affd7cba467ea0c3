"""What becomes of records, without a broker: known ones, bad ones, activities, outcomes, and what is published."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from risk_scorer.assembly import Scorer
from risk_scorer.contract.events import LoginEvent
from risk_scorer.flows.ports import StreamMessage, StreamRecord
from risk_scorer.flows.stream import MAX_RECORD_BYTES, Stream
from risk_scorer.streaming import assess_of, learn_of, stream_of
from tests.integration.risk_scorer.published import LOUD
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0
OUTCOMES = "login-outcomes"


class Taker:
    """A stream that is handed records as a broker would, one after the other on one partition."""

    def __init__(self, scorer: Scorer) -> None:
        self.stream: Stream = stream_of(scorer, assess_of(scorer), learn_of(scorer))
        self._offset = 0

    async def take(self, *values: Any, topic: str = "login-events", offset: int | None = None) -> list[StreamMessage]:
        """What is published of these; `offset` is where the first of them stands, where it came before."""
        first = self._offset if offset is None else offset
        records = [
            StreamRecord(topic, 0, first + n, int(NOW * 1000), b"key", as_bytes(value))
            for n, value in enumerate(values)
        ]
        self._offset = max(self._offset, first + len(records))
        return await self.stream.take(self.stream.read(records))


async def known_logins(service: Running) -> int:
    count: int = (await service.client.post("/score", json=EVENT)).json()["explain"]["known_logins"]
    return count


def as_bytes(value: Any) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else msgspec.json.encode(value)


def events(count: int, first: int = 0, **fields: Any) -> list[dict[str, Any]]:
    return [{**EVENT, "event_id": f"e{n}", **fields} for n in range(first, first + count)]


def ids(messages: Sequence[StreamMessage]) -> list[str]:
    return [msgspec.json.decode(each.value or b"")["score"]["event_id"] for each in messages]


def reasons(messages: Sequence[StreamMessage]) -> list[str]:
    return [dict(each.headers)["reason"].decode() for each in messages if each.topic == "login-events-dead"]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, kafka_topic_outcomes=OUTCOMES) as found:
        yield found


@pytest.fixture
def taker(service: Running) -> Taker:
    return Taker(service.scorer)


async def test_an_event_is_published_once_however_often_it_is_produced(taker: Taker) -> None:
    """Twice in one batch, or again in a later one: it is one event."""
    assert ids(await taker.take(*events(3), *events(3))) == ["e0", "e1", "e2"]
    assert ids(await taker.take(*events(4))) == ["e3"]
    assert dict(taker.stream.counts) == {"taken": 10, "scored": 4, "known_before": 6, "dead": 0}


async def test_a_record_that_is_delivered_again_is_published_again(taker: Taker, service: Running) -> None:
    """Nobody knows whether the first delivery got as far as the output topic, so the kept result goes out as it was."""
    first = await taker.take(*events(3))
    assert await taker.take(*events(3), offset=0) == first
    assert ids(await taker.take(*events(3), *events(1, 3), offset=1)) == ["e3", "e0", "e1"]
    rows = service.scorer.database.read(lambda tx: tx._connection.execute("SELECT events FROM scored_events"))
    assert sum(row[0] for row in rows) == 4


async def test_an_event_that_was_scored_by_http_is_known(taker: Taker, service: Running) -> None:
    """Whichever way it came first, its id is the same event."""
    await service.client.post("/score", json=events(1)[0])
    await service.scorer.log.find_many(["e0"])  # the log is written by now
    assert ids(await taker.take(*events(2))) == ["e1"]


async def test_an_event_without_an_id_is_known_by_its_place(taker: Taker) -> None:
    """Two records are two events, and each has the same id however often it is delivered."""
    first = ids(await taker.take(EVENT, EVENT))
    assert len(set(first)) == 2
    assert ids(await taker.take(EVENT, EVENT, offset=0)) == first
    assert ids(await taker.take(EVENT)) not in [first[:1], first[1:]]


PADDED = msgspec.json.encode({**EVENT, "event_id": "pad", "pad": ""})
POISON: list[tuple[str, Any]] = [
    ("malformed_json", b"{"),
    ("malformed_json", b""),
    ("malformed_json", b'{"pad":%b' % (b"[" * 60_000)),
    ("malformed_json", b'{"user_id":"\xff","ip":"198.51.100.9"}'),
    ("malformed_json", '{"user_id":"alice","ip":"198.51.100.9"}'.encode("utf-16")),
    ("malformed_json", b'{"user_id":"alice","ip":"198.51.100.9","ip_rep":NaN}'),
    ("invalid_request", b"[" + b"null," * 9_999 + b"null]"),
    ("invalid_request", {"user_id": "alice"}),
    ("invalid_request", [EVENT]),
    ("invalid_request", {**EVENT, "user_id": 123}),
    ("invalid_request", {**EVENT, "outcome": "maybe"}),
    ("invalid_request", {"identity": {"user_id": "alice"}, "event": {}}),
    ("invalid_ip", {**EVENT, "ip": "nowhere"}),
    ("invalid_text", {**EVENT, "device_id": "a\0b"}),
    ("invalid_timestamp", {**EVENT, "timestamp": 1}),
    ("invalid_timestamp", {**EVENT, "timestamp": 4_000_000_000, "outcome": "success"}),
    ("record_too_large", PADDED.replace(b'""', b'"%b"' % (b"x" * (MAX_RECORD_BYTES + 1 - len(PADDED))))),
    ("empty_record", None),
]


@pytest.mark.parametrize(("reason", "value"), POISON, ids=[f"{n}-{reason}" for n, (reason, _) in enumerate(POISON)])
async def test_what_nobody_can_read_goes_aside_with_its_reason(taker: Taker, reason: str, value: Any) -> None:
    """A bad record is kept as it came and holds up nothing that stands beside it."""
    messages = await taker.take(*events(1), value, *events(1, 1))
    [dead] = [each for each in messages if each.headers]
    assert reasons([dead]) == [reason]
    assert (dead.key, dead.value) == (b"key", as_bytes(value))
    assert dict(dead.headers)["offset"] == b"1"
    assert {"e0", "e1"} <= set(ids([each for each in messages if not each.headers]))


async def test_the_largest_record_is_taken(taker: Taker) -> None:
    """The bound itself is inside."""
    largest = PADDED.replace(b'""', b'"%b"' % (b"x" * (MAX_RECORD_BYTES - len(PADDED))))
    assert ids(await taker.take(largest)) == ["pad"]


async def test_outcomes_teach_and_scores_do_not(taker: Taker, service: Running) -> None:
    """What has ended is learned once, whether it came with its event or by itself; what was only scored never is."""
    ended = {"event_id": "o1", "event": EVENT, "outcome": "success", "ts": NOW}
    await taker.take(*events(3))
    assert await known_logins(service) == 0
    await taker.take(*events(2, 3, outcome="success"), *events(1, 5, outcome="failure"), *events(2, 3))
    assert await known_logins(service) == 2
    messages = await taker.take(ended, ended, {**ended, "outcome": "maybe"}, topic=OUTCOMES)
    assert reasons(messages) == ["invalid_request"]
    assert await known_logins(service) == 3
    assert taker.stream.counts["learned"] == 4


async def test_one_bad_outcome_keeps_no_other_from_being_learned(taker: Taker, service: Running) -> None:
    """By HTTP a list is taken or refused as a whole; on a stream each record stands for itself."""
    good = {"event_id": "o1", "event": EVENT, "outcome": "success", "ts": NOW}
    bad = {**good, "event_id": "o2", "event": {**EVENT, "ip": "nowhere"}}
    assert reasons(await taker.take(bad, good, topic=OUTCOMES)) == ["invalid_ip"]
    assert await known_logins(service) == 1


async def test_an_activity_is_scored_like_a_refresh(taker: Taker) -> None:
    """What detectors of suspicious activity report is a question about a session, by the person's own values."""
    who = {"user_id": "alice", "ip": "198.51.100.9", "device_id": "d1", "geo": "US", "user_agent": "x", "roles": ["a"]}
    done = {"timestamp": "2025-10-01T00:00:00Z", "endpoint": "/admin/export", "method": "POST", "status_code": 403}
    messages = await taker.take({"identity": who, "event": done, "event_id": "a1"}, *events(1, event_type="download"))
    first, second = [msgspec.json.decode(each.value or b"")["event"] for each in messages]
    assert msgspec.convert(first, LoginEvent) == LoginEvent(
        user_id="alice",
        ip="198.51.100.9",
        device_id="d1",
        user_agent="x",
        country="US",
        timestamp=done["timestamp"],
        success=False,
        event_id="a1",
        kind="refresh",
    )
    assert second["kind"] == "refresh"


@pytest.mark.parametrize(("announce", "told"), [(True, [("msg_e0_high_risk",)]), (False, [])])
async def test_high_risk_is_announced_once(tmp_path: Path, announce: bool, told: list[tuple[str]]) -> None:
    """A login that came by the stream is announced as one that came by HTTP, unless that is switched off."""
    async with running(tmp_path, webhook_url="http://127.0.0.1:1/hooks", kafka_announce=announce) as service:
        taker = Taker(service.scorer)
        await taker.take(*events(1, **LOUD), *events(1, **LOUD), *events(1, 1))
        await taker.take(*events(1, **LOUD), offset=0)
    with closing(sqlite3.connect(tmp_path / "scorer" / "scorer.db")) as database:
        assert database.execute("SELECT message_id FROM outbox").fetchall() == told


async def test_streamed_events_are_among_the_recent_ones(taker: Taker, service: Running) -> None:
    """The dashboard shows them as it shows the others."""
    await taker.take(*events(2))
    listed = (await service.client.get("/recent")).json()
    assert [each["event_id"] for each in listed["events"]] == ["e1", "e0"]


async def test_a_backlog_takes_smaller_pieces_while_somebody_waits_for_scores(service: Running) -> None:
    """Between two pieces the event loop answers others; a moment after the last of them pieces are large again."""
    assess = assess_of(service.scorer)
    waiting, sizes = [LoginEvent(user_id="alice", ip="198.51.100.9")] * 300, list[int]()

    async def drain() -> list[int]:
        sizes.clear()
        await assess.each(waiting, together=100, take=lambda _, answers: sizes.append(len(answers)))
        return sizes

    assert await drain() == [250, 50]
    await assess.one(waiting[0])
    assert await drain() == [100, 100, 100]
