"""What the vault sealed: whether this database needs the key that it was filled with, and the values one by one."""

from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from auth_gateway.adapters.storage.tables import SigningKeyRow, TotpFactorRow, table_of
from auth_gateway.adapters.storage.tables_events import DestinationRow
from auth_gateway.flows.ports import SealedValue
from plumbing.statements import Statement, Transaction

_keys = table_of(SigningKeyRow)
_factors = table_of(TotpFactorRow)
_destinations = table_of(DestinationRow)

NEWEST_KEY = Statement(select(_keys.c.kid, _keys.c.sealed_private).order_by(_keys.c.created_at.desc()).limit(1))
ANY_FACTOR = Statement(select(_factors.c.sealed_secret).limit(1))


class Sample(NamedTuple):
    """One sealed value; `kid` names the signing key that it is, None stands for an authenticator's secret."""

    sealed: bytes
    kid: str | None


def sealed_sample(tx: Transaction) -> Sample | None:
    """A value that only the right vault opens, or None while nothing was sealed yet."""
    key = tx.one(NEWEST_KEY)
    if key is not None:
        return Sample(key[1], key[0])
    factor = tx.one(ANY_FACTOR)
    return None if factor is None else Sample(factor[0], None)


_PLACES = {
    "totp_factors": (_factors.c.factor_id, _factors.c.sealed_secret),
    "signing_keys": (_keys.c.kid, _keys.c.sealed_private),
    "destinations": (_destinations.c.destination_id, _destinations.c.sealed_secret),
    "previous_of_destinations": (_destinations.c.destination_id, _destinations.c.sealed_previous_secret),
}
AFTER = {
    name: Statement(
        select(key, sealed).where(key > bindparam("after"), sealed.is_not(None)).order_by(key).limit(bindparam("most"))
    )
    for name, (key, sealed) in _PLACES.items()
}
REPLACE = {
    name: Statement(
        update(key.table)
        .where(key == bindparam("id"), sealed == bindparam("before"))
        .values({sealed.name: bindparam("anew")})
    )
    for name, (key, sealed) in _PLACES.items()
}


class StoredSealed:
    """Authenticators' and destinations' secrets, and private keys, in the database."""

    def after(self, tx: Transaction, table: str, key: str, limit: int) -> list[SealedValue]:
        rows = tx.all(AFTER[table], after=key, most=limit)
        return [SealedValue(table, row[0], row[1]) for row in rows]

    def replace(self, tx: Transaction, value: SealedValue, sealed: bytes) -> bool:
        return tx.run(REPLACE[value.table], id=value.key, before=value.sealed, anew=sealed) == 1
