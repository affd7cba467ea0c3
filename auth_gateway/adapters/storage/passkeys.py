"""WebAuthn credentials. The primary key says that a credential is somebody's, and the counter is kept by
compare-and-set.
"""

import msgspec
from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import LONG, table_of
from auth_gateway.adapters.storage.tables_factors import PasskeyRow
from auth_gateway.core.factor import Passkey
from plumbing.statements import Row, Statement, Transaction

_passkeys = table_of(PasskeyRow)
_NAMES = [column.name for column in _passkeys.columns]
_ours = and_(_passkeys.c.credential_id == bindparam("credential"), _passkeys.c.user_id == bindparam("user"))

FIND = Statement(select(_passkeys).where(_passkeys.c.credential_id == bindparam("credential")))
OF_USER = Statement(
    select(_passkeys)
    .where(_passkeys.c.user_id == bindparam("user"))
    .order_by(_passkeys.c.created_at, _passkeys.c.credential_id)
)
ADD = Statement(upsert(_passkeys).on_conflict_do_nothing(index_elements=(_passkeys.c.credential_id,)))
USE = Statement(
    update(_passkeys)
    .where(
        _passkeys.c.credential_id == bindparam("credential"),
        or_(
            _passkeys.c.sign_count < bindparam("count"),
            and_(_passkeys.c.sign_count == 0, bindparam("count", type_=LONG) == 0),
        ),
    )
    .values(sign_count=bindparam("count"), is_backed_up=bindparam("backed_up"), last_used_at=bindparam("now"))
)
RENAME = Statement(update(_passkeys).where(_ours).values(name=bindparam("name")))
REMOVE = Statement(delete(_passkeys).where(_ours))


class StoredPasskeys:
    """Passkeys in the database."""

    def find(self, tx: Transaction, credential_id: bytes) -> Passkey | None:
        row = tx.one(FIND, credential=credential_id)
        return None if row is None else _passkey(row)

    def of_user(self, tx: Transaction, user_id: str) -> list[Passkey]:
        return [_passkey(row) for row in tx.all(OF_USER, user=user_id)]

    def add(self, tx: Transaction, passkey: Passkey) -> bool:
        return tx.run(ADD, **msgspec.structs.asdict(passkey)) == 1

    def use(self, tx: Transaction, credential_id: bytes, *, sign_count: int, is_backed_up: bool, now: float) -> bool:
        return tx.run(USE, credential=credential_id, count=sign_count, backed_up=is_backed_up, now=now) == 1

    def rename(self, tx: Transaction, user_id: str, credential_id: bytes, name: str) -> bool:
        return tx.run(RENAME, user=user_id, credential=credential_id, name=name) == 1

    def remove(self, tx: Transaction, user_id: str, credential_id: bytes) -> bool:
        return tx.run(REMOVE, user=user_id, credential=credential_id) == 1


def _passkey(row: Row) -> Passkey:
    values = dict(zip(_NAMES, row, strict=True))
    for name in ("is_backup_eligible", "is_backed_up"):
        values[name] = bool(values[name])
    return Passkey(**values)
