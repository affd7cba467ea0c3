"""Events that a scorer keeps, as a log to train on: SQLite or PostgreSQL, read and nothing else, a page at a time.

They are copied once, up to the newest that is there when it begins, into a file that has no name and is gone with the
process: fitting goes through the log several times, and all of them must see the same, while the scorer adds new events
and forgets old ones. Nobody waits for us: each page is a moment of its own, and in memory there is one page.
"""

import contextlib
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import msgspec
from sqlalchemy import bindparam, func, select, tuple_

from plumbing.statements import Row, Statement
from risk_scorer.adapters.activity.said import said_of
from risk_scorer.adapters.tables import activity_events
from risk_scorer.core.activity.seen import Seen, action_of, peers_of
from training.activity.reading import ActivityLog, Events
from training.lookups import Lookups
from training.read_only import Reading, is_database, name_of, opened
from training.refusals import WrongInputError

PAGE_ROWS: Final = 5_000
_LENGTH_BYTES: Final = 8
_c = activity_events.c
LAST = Statement(select(func.max(_c.id)))
PAGE = Statement(
    select(
        _c.id, _c.ts, _c.event_id, _c.user_id, _c.session_id, _c.endpoint, _c.method, _c.status, _c.latency_ms,
        _c.bytes_in, _c.bytes_out, _c.service, _c.trace_id, _c.event_type, _c.device_id, _c.ip, _c.prefix, _c.asn,
        _c.country, _c.browser, _c.user_agent, _c.ja4, _c.said,
    )
    .where(
        _c.ts >= bindparam("after_time"),  # what the index can do of the line below
        tuple_(_c.ts, _c.id) > tuple_(bindparam("after_time"), bindparam("after_id")),
        _c.id <= bindparam("last_id"),
    )
    .order_by(_c.ts, _c.id)
    .limit(bindparam("most"))
)  # fmt: skip


@contextlib.contextmanager
def opened_log(source: Path | str, lookups: Lookups, *, page_rows: int = PAGE_ROWS) -> Iterator[Events]:
    """The log of that file, or of the scorer whose database is at that URL.

    Raises as `ActivityLog` and `read_only.opened`, and WrongInputError("unwritable_output"): no room for the copy.
    """
    if not is_database(str(source)):
        yield ActivityLog(Path(source), lookups)
        return
    url = str(source)
    with tempfile.TemporaryFile(prefix="riskgate-events-", buffering=0) as copy:
        with opened(url, needed=(activity_events,)) as reading:
            for rows in _pages(reading, page_rows):
                _add(copy, rows)
        yield Events(name_of(url), lambda: _events(copy.fileno(), name_of(url), lookups))


def _pages(reading: Reading, page_rows: int) -> Iterator[list[Row]]:
    [[last_id]] = reading.all(LAST)
    after_time, after_id = 0.0, 0
    while last_id is not None and (
        rows := reading.all(PAGE, after_time=after_time, after_id=after_id, last_id=last_id, most=page_rows)
    ):
        yield rows
        after_id, after_time = rows[-1][0], rows[-1][1]


def _add(copy: IO[bytes], rows: list[Row]) -> None:
    packed = msgspec.msgpack.encode([tuple(row) for row in rows])
    left = memoryview(len(packed).to_bytes(_LENGTH_BYTES) + packed)
    try:
        while left:
            left = left[copy.write(left) :]
    except OSError as cause:
        problem = f"no room for a copy of the events in {tempfile.gettempdir()}: {cause.strerror}"
        raise WrongInputError("unwritable_output", f"{problem}; TMPDIR names another place") from cause


def _events(copy: int, name: str, lookups: Lookups) -> Iterator[Seen]:
    place = 0
    while length := os.pread(copy, _LENGTH_BYTES, place):
        size = int.from_bytes(length)
        rows = msgspec.msgpack.decode(os.pread(copy, size, place + _LENGTH_BYTES))
        place += _LENGTH_BYTES + size
        try:
            yield from (_seen(row, lookups) for row in rows)
        except msgspec.MsgspecError as cause:
            raise WrongInputError("bad_row", f"{name} has events that another version wrote") from cause


def _seen(row: list[Any], lookups: Lookups) -> Seen:
    _, ts, event_id, user_id, session_id, endpoint, method, status, latency_ms, bytes_in, bytes_out, *rest = row
    service, trace_id, event_type, device_id, ip, prefix, asn, country, browser, user_agent, ja4, packed = rest
    network, agent, _ = lookups.facts(ip, user_agent, "")
    said = said_of(packed)
    return Seen(
        ts=ts, event_id=event_id, user_id=user_id, session_id=session_id, endpoint=endpoint,
        action=action_of(method, endpoint), method=method, status=status,
        latency_ms=math.nan if latency_ms is None else latency_ms, bytes_in=bytes_in, bytes_out=bytes_out,
        service=service, trace_id=trace_id, event_type=event_type, device_id=device_id, ip=ip, prefix=prefix, asn=asn,
        country=country, browser=browser, os=agent.os, device_type=agent.device_type if user_agent else "", ja4=ja4,
        roles=said.roles, privileges=said.privileges, peers=peers_of(said.roles), change=said.change,
        object_id=said.object_id,
        latitude=math.nan if network.latitude is None else network.latitude,
        longitude=math.nan if network.longitude is None else network.longitude,
    )  # fmt: skip
