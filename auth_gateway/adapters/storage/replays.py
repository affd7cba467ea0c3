"""Replays under way and past ones."""

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_events import ReplayRow
from auth_gateway.core.replay import Replay
from plumbing.statements import Row, Statement, Transaction

_rows = table_of(ReplayRow)
_COLUMNS = tuple(_rows.c[name] for name in Replay.__struct_fields__)
_this = _rows.c.replay_id == bindparam("id")
_runs = _rows.c.ended_at.is_(None)

ADD = Statement(upsert(_rows).on_conflict_do_nothing())
RUNNING = Statement(select(*_COLUMNS).where(_runs).order_by(_rows.c.asked_at))
OF = Statement(
    select(*_COLUMNS)
    .where(_rows.c.destination_id == bindparam("to"))
    .order_by(_rows.c.asked_at.desc(), _rows.c.replay_id)
    .limit(bindparam("most"))
)
ADVANCE = Statement(
    update(_rows)
    .where(_this, _runs, _rows.c.at_ts == bindparam("from_ts"), _rows.c.at_seq == bindparam("from_seq"))
    .values(
        at_ts=bindparam("to_ts"),
        at_seq=bindparam("to_seq"),
        messages=_rows.c.messages + bindparam("more"),
        ended_at=bindparam("ended"),
    )
)
STOP = Statement(
    update(_rows)
    .where(_rows.c.destination_id == bindparam("to"), _runs)
    .values(ended_at=bindparam("at"), is_stopped=True)
)


class StoredReplays:
    """Replays in the database; of each destination one may run, which the table itself sees to."""

    def add(self, tx: Transaction, replay: Replay) -> bool:
        known = msgspec.to_builtins(replay)
        return tx.run(ADD, **{**known, "types": msgspec.json.encode(replay.types).decode()}) == 1

    def running(self, tx: Transaction) -> list[Replay]:
        return [_replay(row) for row in tx.all(RUNNING)]

    def of(self, tx: Transaction, destination_id: str, limit: int) -> list[Replay]:
        return [_replay(row) for row in tx.all(OF, to=destination_id, most=limit)]

    def advance(self, tx: Transaction, before: Replay, after: Replay) -> bool:
        return (
            tx.run(
                ADVANCE,
                id=before.replay_id,
                from_ts=before.at_ts,
                from_seq=before.at_seq,
                to_ts=after.at_ts,
                to_seq=after.at_seq,
                more=after.messages - before.messages,
                ended=after.ended_at,
            )
            == 1
        )

    def stop(self, tx: Transaction, destination_id: str, now: float) -> bool:
        return tx.run(STOP, to=destination_id, at=now) == 1


def _replay(row: Row) -> Replay:
    known = dict(zip(Replay.__struct_fields__, row, strict=True))
    return msgspec.convert({**known, "types": msgspec.json.decode(known["types"])}, Replay, strict=False)
