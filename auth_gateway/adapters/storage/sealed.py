"""What the vault sealed: whether this database needs the key that it was filled with, and the values one by one."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, select, true, update

from auth_gateway.adapters.storage.tables import SigningKeyRow, TotpFactorRow, metadata, table_of
from auth_gateway.adapters.storage.tables_events import DestinationRow, StreamRow, TransmitterRow
from auth_gateway.core.letter import MAIL_ENDPOINT
from auth_gateway.flows.ports import SealedValue
from plumbing.statements import Statement, Transaction

_keys = table_of(SigningKeyRow)
_factors = table_of(TotpFactorRow)
_destinations = table_of(DestinationRow)
_streams = table_of(StreamRow)
_transmitters = table_of(TransmitterRow)
_outbox = metadata.tables["outbox"]
_letters = and_(_outbox.c.endpoint == MAIL_ENDPOINT, _outbox.c.dead_at.is_(None))

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


_EACH: ColumnElement[bool] = true()
_PLACES = {
    "totp_factors": (_factors.c.factor_id, _factors.c.sealed_secret, _EACH),
    "signing_keys": (_keys.c.kid, _keys.c.sealed_private, _EACH),
    "destinations": (_destinations.c.destination_id, _destinations.c.sealed_secret, _EACH),
    "previous_of_destinations": (_destinations.c.destination_id, _destinations.c.sealed_previous_secret, _EACH),
    "streams": (_streams.c.stream_id, _streams.c.sealed_authorization, _EACH),
    "transmitters": (_transmitters.c.transmitter_id, _transmitters.c.sealed_poll_token, _EACH),
    # Letters that wait, and those that are kept for a few days: both hold links.
    "outbox": (_outbox.c.message_id, _outbox.c.body, _letters),
}
AFTER = {
    name: Statement(
        select(key, sealed)
        .where(key > bindparam("after"), sealed.is_not(None), which)
        .order_by(key)
        .limit(bindparam("most"))
    )
    for name, (key, sealed, which) in _PLACES.items()
}
REPLACE = {
    name: Statement(
        update(key.table)
        .where(key == bindparam("id"), sealed == bindparam("before"), which)
        .values({sealed.name: bindparam("anew")})
    )
    for name, (key, sealed, which) in _PLACES.items()
}


class StoredSealed:
    """Authenticators', destinations' and streams' secrets, private keys and letters, in the database."""

    def after(self, tx: Transaction, table: str, key: str, limit: int) -> list[SealedValue]:
        rows = tx.all(AFTER[table], after=key, most=limit)
        return [SealedValue(table, row[0], row[1]) for row in rows]

    def replace(self, tx: Transaction, value: SealedValue, sealed: bytes) -> bool:
        return tx.run(REPLACE[value.table], id=value.key, before=value.sealed, anew=sealed) == 1
