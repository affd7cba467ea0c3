"""Those who are told of events."""

import msgspec
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_events import DestinationRow
from auth_gateway.core.destination import Destination
from auth_gateway.flows.ports.events import SealedSecrets
from plumbing.statements import Row, Statement, Transaction

_rows = table_of(DestinationRow)
_OWN_COLUMNS = ("destination_id", "name", "kind", "url", "created_at", "disabled_at", "disabled_reason")
_COLUMNS = (*(_rows.c[name] for name in _OWN_COLUMNS), _rows.c.terms)
_this = _rows.c.destination_id == bindparam("id")

ADD = Statement(upsert(_rows).on_conflict_do_nothing())
FIND = Statement(select(*_COLUMNS).where(_this))
HOLD = Statement(select(*_COLUMNS).where(_this).with_for_update())
NAMED = Statement(select(*_COLUMNS).where(_rows.c.name == bindparam("called")))
LIST = Statement(select(*_COLUMNS).order_by(_rows.c.name))
SECRETS = Statement(
    select(_rows.c.sealed_secret, _rows.c.sealed_previous_secret, _rows.c.previous_secret_until).where(_this)
)
ROTATE = Statement(
    update(_rows)
    .where(_this)
    .values(
        sealed_previous_secret=_rows.c.sealed_secret,
        previous_secret_until=bindparam("until"),
        sealed_secret=bindparam("sealed"),
    )
)
CHANGE = Statement(update(_rows).where(_this).values(url=bindparam("address"), terms=bindparam("new_terms")))
DISABLE = Statement(
    update(_rows)
    .where(_this, _rows.c.disabled_at.is_(None))
    .values(disabled_at=bindparam("at"), disabled_reason=bindparam("why"))
)
ENABLE = Statement(
    update(_rows).where(_this, _rows.c.disabled_at.is_not(None)).values(disabled_at=None, disabled_reason="")
)
REMOVE = Statement(delete(_rows).where(_this))


class StoredDestinations:
    """Destinations in the database."""

    def add(self, tx: Transaction, destination: Destination, sealed_secret: bytes | None) -> bool:
        known = msgspec.to_builtins(destination)
        return (
            tx.run(
                ADD,
                **{name: known[name] for name in _OWN_COLUMNS},
                terms=_terms(destination),
                sealed_secret=sealed_secret,
                sealed_previous_secret=None,
                previous_secret_until=None,
            )
            == 1
        )

    def find(self, tx: Transaction, destination_id: str) -> Destination | None:
        row = tx.one(FIND, id=destination_id)
        return None if row is None else _destination(row)

    def hold(self, tx: Transaction, destination_id: str) -> Destination | None:
        row = tx.one(HOLD, id=destination_id)
        return None if row is None else _destination(row)

    def change(self, tx: Transaction, destination: Destination) -> bool:
        terms = _terms(destination)
        return tx.run(CHANGE, id=destination.destination_id, address=destination.url, new_terms=terms) == 1

    def named(self, tx: Transaction, name: str) -> Destination | None:
        row = tx.one(NAMED, called=name)
        return None if row is None else _destination(row)

    def list(self, tx: Transaction) -> list[Destination]:
        return [_destination(row) for row in tx.all(LIST)]

    def secrets(self, tx: Transaction, destination_id: str) -> SealedSecrets | None:
        row = tx.one(SECRETS, id=destination_id)
        return None if row is None else SealedSecrets(*row)

    def rotate_secret(
        self, tx: Transaction, destination_id: str, *, sealed_secret: bytes, previous_until: float
    ) -> bool:
        return tx.run(ROTATE, id=destination_id, sealed=sealed_secret, until=previous_until) == 1

    def set_disabled(self, tx: Transaction, destination_id: str, *, at: float | None, reason: str) -> bool:
        if at is None:
            return tx.run(ENABLE, id=destination_id) == 1
        return tx.run(DISABLE, id=destination_id, at=at, why=reason) == 1

    def remove(self, tx: Transaction, destination_id: str) -> bool:
        return tx.run(REMOVE, id=destination_id) == 1


def _terms(destination: Destination) -> str:
    known = msgspec.to_builtins(destination)
    return msgspec.json.encode({name: known[name] for name in known if name not in _OWN_COLUMNS}).decode()


def _destination(row: Row) -> Destination:
    known = dict(zip(_OWN_COLUMNS, row, strict=False))
    return msgspec.convert({**msgspec.json.decode(row[-1]), **known}, Destination)
