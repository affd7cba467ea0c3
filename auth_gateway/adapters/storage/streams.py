"""Streams of Shared Signals, their receivers, and the subjects that they name."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import ClientRow, table_of
from auth_gateway.adapters.storage.tables import outbox as _outbox
from auth_gateway.adapters.storage.tables_events import StreamRow, StreamSubjectRow
from auth_gateway.core.ssf.stream import POLL, UNCOLLECTED_SECONDS, Listening, Stream
from plumbing.statements import Row, Statement, Transaction
from webhooks.outbox_table import waiting_in

_rows, _subjects, _clients = table_of(StreamRow), table_of(StreamSubjectRow), table_of(ClientRow)
_OWN_COLUMNS = (
    "stream_id",
    "client_id",
    "method",
    "endpoint_url",
    "status",
    "reason",
    "default_subjects",
    "created_at",
    "verified_at",
)
_this = _rows.c.stream_id == bindparam("id")
# A stream goes with its receiver's registration; one that is left over by a crash of ours is nobody's.
_known = select(*(_rows.c[name] for name in _OWN_COLUMNS), _rows.c.terms, _clients.c.registration).select_from(
    _rows.join(_clients, _clients.c.client_id == _rows.c.client_id)
)
_in_order = (_rows.c.created_at, _rows.c.stream_id)

ADD = Statement(upsert(_rows))
FIND = Statement(_known.where(_this))
HOLD = Statement(select(_rows.c.stream_id).where(_this).with_for_update())
OF_CLIENT = Statement(_known.where(_rows.c.client_id == bindparam("client")).order_by(*_in_order))
LIST = Statement(_known.order_by(*_in_order))
LISTENING = Statement(_known.where(_rows.c.status != "disabled").order_by(*_in_order))
AUTHORIZATION = Statement(select(_rows.c.sealed_authorization).where(_this))
CHANGE = Statement(
    update(_rows)
    .where(_this)
    .values(
        method=bindparam("way"),
        endpoint_url=bindparam("url"),
        terms=bindparam("text"),
        sealed_authorization=bindparam("sealed"),
    )
)
SET_STATUS = Statement(update(_rows).where(_this).values(status=bindparam("state"), reason=bindparam("why")))
SET_VERIFIED = Statement(
    update(_rows).where(_this, _rows.c.verified_at <= bindparam("not_since")).values(verified_at=bindparam("now"))
)
REMOVE = Statement(delete(_rows).where(_this))
FORGET_SUBJECTS = Statement(delete(_subjects).where(_subjects.c.stream_id == bindparam("id")))
NAME_SUBJECT = Statement(upsert(_subjects).on_conflict_do_nothing())
SUBJECTS = Statement(select(func.count()).select_from(_subjects).where(_subjects.c.stream_id == bindparam("id")))
_subject = and_(_subjects.c.stream_id == bindparam("id"), _subjects.c.covered == bindparam("who"))
FORGET_SUBJECT = Statement(delete(_subjects).where(_subject))
NAMES_SUBJECT = Statement(select(_subjects.c.stream_id).where(_subject))
_uncollected = (
    select(_outbox.c.message_id)
    .where(
        waiting_in(_outbox),
        _outbox.c.endpoint == _rows.c.stream_id,
        _outbox.c.created_at < bindparam("before"),
    )
    .correlate(_rows)
)
LEFT_LYING = Statement(
    select(_rows.c.stream_id).where((_rows.c.method == POLL) | (_rows.c.status == "paused"), _uncollected.exists())
)
GIVE_UP = Statement(
    update(_outbox)
    .where(waiting_in(_outbox), _outbox.c.endpoint == bindparam("to"), _outbox.c.created_at < bindparam("before"))
    .values(dead_at=bindparam("now"), last_error="not_collected")
)


class StoredStreams:
    """Streams in the database."""

    def add(self, tx: Transaction, stream: Stream, sealed_authorization: bytes | None) -> None:
        known = msgspec.to_builtins(stream)
        tx.run(
            ADD,
            **{name: known[name] for name in _OWN_COLUMNS},
            terms=_terms(stream),
            sealed_authorization=sealed_authorization,
        )

    def find(self, tx: Transaction, stream_id: str) -> Stream | None:
        row = tx.one(FIND, id=stream_id)
        return None if row is None else _stream(row)

    def hold(self, tx: Transaction, stream_id: str) -> Stream | None:
        return None if tx.one(HOLD, id=stream_id) is None else self.find(tx, stream_id)

    def of_client(self, tx: Transaction, client_id: str) -> list[Stream]:
        return [_stream(row) for row in tx.all(OF_CLIENT, client=client_id)]

    def listening(self, tx: Transaction) -> Sequence[Listening]:
        return [_listening(row) for row in tx.all(LISTENING)]

    def authorization(self, tx: Transaction, stream_id: str) -> bytes | None:
        row = tx.one(AUTHORIZATION, id=stream_id)
        return None if row is None else row[0]

    def change(self, tx: Transaction, stream: Stream, sealed_authorization: bytes | None) -> None:
        tx.run(
            CHANGE,
            id=stream.stream_id,
            way=stream.method,
            url=stream.endpoint_url,
            text=_terms(stream),
            sealed=sealed_authorization,
        )

    def set_status(self, tx: Transaction, stream: Stream) -> None:
        tx.run(SET_STATUS, id=stream.stream_id, state=stream.status, why=stream.reason)

    def set_verified(self, tx: Transaction, stream_id: str, *, now: float, not_since: float) -> bool:
        return tx.run(SET_VERIFIED, id=stream_id, now=now, not_since=not_since) == 1

    def remove(self, tx: Transaction, stream_id: str) -> bool:
        tx.run(FORGET_SUBJECTS, id=stream_id)
        return tx.run(REMOVE, id=stream_id) == 1

    def name_subject(self, tx: Transaction, stream_id: str, covered: str, *, most: int) -> bool:
        if tx.one(NAMES_SUBJECT, id=stream_id, who=covered) is not None:
            return True
        counted = tx.one(SUBJECTS, id=stream_id)
        if counted is None or counted[0] >= most:
            return False
        tx.run(NAME_SUBJECT, stream_id=stream_id, covered=covered)
        return True

    def forget_subject(self, tx: Transaction, stream_id: str, covered: str) -> None:
        tx.run(FORGET_SUBJECT, id=stream_id, who=covered)

    def names_subject(self, tx: Transaction, stream_id: str, covered: Sequence[str]) -> bool:
        return any(tx.one(NAMES_SUBJECT, id=stream_id, who=each) is not None for each in covered)

    def list(self, tx: Transaction) -> list[Stream]:
        return [_stream(row) for row in tx.all(LIST)]

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        """Give up what nobody has collected for so long; how much that was."""
        now = expired_before + UNCOLLECTED_SECONDS
        left = [row[0] for row in tx.all(LEFT_LYING, before=expired_before)]
        return sum(tx.run(GIVE_UP, to=stream_id, before=expired_before, now=now) for stream_id in left)


def _terms(stream: Stream) -> str:
    terms = {"events_requested": stream.events_requested, "description": stream.description}
    return msgspec.json.encode(terms).decode()


def _stream(row: Row) -> Stream:
    known = dict(zip(_OWN_COLUMNS, row, strict=False))
    return msgspec.convert({**msgspec.json.decode(row[-2]), **known}, Stream)


def _listening(row: Row) -> Listening:
    algorithm = msgspec.json.decode(row[-1]).get("id_token_signed_response_alg", "ES256")
    return msgspec.convert({"stream": _stream(row), "algorithm": algorithm}, Listening)
