"""Transmitters of Shared Signals whose events we take, in the database."""

from collections.abc import Sequence
from typing import get_args

import msgspec
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_events import TransmitterRow
from auth_gateway.core.ssf.transmitter import Standing, Transmitter
from auth_gateway.flows.ports.signals import Counter
from plumbing.statements import Row, Statement, Transaction

_rows = table_of(TransmitterRow)
_this = _rows.c.transmitter_id == bindparam("id")
_OWN = ("transmitter_id", "name", "issuer", "created_at", "disabled_at")
_known = select(*(_rows.c[name] for name in _OWN), _rows.c.terms)
_STANDING = Standing.__struct_fields__
_COUNTERS: tuple[Counter, ...] = get_args(Counter)

ADD = Statement(
    upsert(_rows)
    .values({name: bindparam(name) for name in (*_OWN, "terms", "bearer_digest", "sealed_poll_token")})
    .on_conflict_do_nothing(index_elements=(_rows.c.name,))
)
FIND = Statement(_known.where(_this))
NAMED = Statement(_known.where(_rows.c.name == bindparam("called")))
LIST = Statement(_known.order_by(_rows.c.name))
BEARER = Statement(select(_rows.c.bearer_digest).where(_this))
POLL_TOKEN = Statement(select(_rows.c.sealed_poll_token).where(_this))
CHANGE = Statement(update(_rows).where(_this).values(terms=bindparam("text")))
DISABLE = Statement(update(_rows).where(_this, _rows.c.disabled_at.is_(None)).values(disabled_at=bindparam("since")))
ENABLE = Statement(update(_rows).where(_this, _rows.c.disabled_at.is_not(None)).values(disabled_at=None))
REMOVE = Statement(delete(_rows).where(_this))
STANDING = Statement(select(*(_rows.c[name] for name in _STANDING)).where(_this))
COUNT = Statement(
    update(_rows)
    .where(_this)
    .values(
        {name: _rows.c[name] + bindparam(f"more_{name}") for name in _COUNTERS} | {"last_taken_at": bindparam("now")}
    )
)
VERIFIED = Statement(update(_rows).where(_this).values(verified_at=bindparam("now"), verified_state=bindparam("state")))
STATUS = Statement(update(_rows).where(_this).values(stream_status=bindparam("state"), stream_reason=bindparam("why")))
POLLED = Statement(update(_rows).where(_this).values(polled_at=bindparam("now"), poll_problem=bindparam("problem")))


class StoredTransmitters:
    """They; `Transmitters` says what each method promises."""

    def add(
        self,
        tx: Transaction,
        transmitter: Transmitter,
        *,
        bearer_digest: bytes | None,
        sealed_poll_token: bytes | None,
    ) -> bool:
        own = {name: getattr(transmitter, name) for name in _OWN}
        return (
            tx.run(
                ADD,
                **own,
                terms=_terms(transmitter),
                bearer_digest=bearer_digest,
                sealed_poll_token=sealed_poll_token,
            )
            == 1
        )

    def find(self, tx: Transaction, transmitter_id: str) -> Transmitter | None:
        return _transmitter(tx.one(FIND, id=transmitter_id))

    def named(self, tx: Transaction, name: str) -> Transmitter | None:
        return _transmitter(tx.one(NAMED, called=name))

    def list(self, tx: Transaction) -> list[Transmitter]:
        return [found for row in tx.all(LIST) if (found := _transmitter(row)) is not None]

    def bearer_digest(self, tx: Transaction, transmitter_id: str) -> bytes | None:
        row = tx.one(BEARER, id=transmitter_id)
        return None if row is None else row[0]

    def poll_token(self, tx: Transaction, transmitter_id: str) -> bytes | None:
        row = tx.one(POLL_TOKEN, id=transmitter_id)
        return None if row is None else row[0]

    def change(self, tx: Transaction, transmitter: Transmitter) -> bool:
        return tx.run(CHANGE, id=transmitter.transmitter_id, text=_terms(transmitter)) == 1

    def set_disabled(self, tx: Transaction, transmitter_id: str, *, at: float | None) -> bool:
        if at is None:
            return tx.run(ENABLE, id=transmitter_id) == 1
        return tx.run(DISABLE, id=transmitter_id, since=at) == 1

    def remove(self, tx: Transaction, transmitter_id: str) -> bool:
        return tx.run(REMOVE, id=transmitter_id) == 1

    def standing(self, tx: Transaction, transmitter_id: str) -> Standing:
        row = tx.one(STANDING, id=transmitter_id)
        return Standing() if row is None else Standing(**dict(zip(_STANDING, row, strict=True)))

    def count(self, tx: Transaction, transmitter_id: str, counters: Sequence[Counter], now: float) -> None:
        more = {f"more_{name}": int(name in counters) for name in _COUNTERS}
        tx.run(COUNT, id=transmitter_id, now=now, **more)

    def note_verified(self, tx: Transaction, transmitter_id: str, state: str, now: float) -> None:
        tx.run(VERIFIED, id=transmitter_id, state=state, now=now)

    def note_status(self, tx: Transaction, transmitter_id: str, status: str, reason: str) -> None:
        tx.run(STATUS, id=transmitter_id, state=status, why=reason)

    def note_poll(self, tx: Transaction, transmitter_id: str, *, problem: str, now: float) -> None:
        tx.run(POLLED, id=transmitter_id, problem=problem, now=now)


def _terms(transmitter: Transmitter) -> str:
    known = msgspec.to_builtins(transmitter)
    return msgspec.json.encode({name: value for name, value in known.items() if name not in _OWN}).decode()


def _transmitter(row: Row | None) -> Transmitter | None:
    if row is None:
        return None
    known = dict(zip(_OWN, row, strict=False))
    return msgspec.convert({**msgspec.json.decode(row[-1]), **known}, Transmitter)
