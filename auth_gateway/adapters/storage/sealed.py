"""What the vault sealed: whether this database needs the key that it was filled with, and the values one by one."""

from sqlalchemy import ColumnElement, and_, bindparam, select, true, update

from auth_gateway.adapters.sealed_passwords import bytes_of, is_sealed, text_of
from auth_gateway.adapters.storage.tables import SigningKeyRow, TotpFactorRow, UserRow, metadata, table_of
from auth_gateway.adapters.storage.tables_events import DestinationRow, StreamRow, TransmitterRow
from auth_gateway.adapters.storage.users import LAST_KEPT
from auth_gateway.core.letter import MAIL_ENDPOINT
from auth_gateway.flows.ports import SealedValue
from plumbing.statements import Statement, Transaction

_keys = table_of(SigningKeyRow)
_factors = table_of(TotpFactorRow)
_destinations = table_of(DestinationRow)
_streams = table_of(StreamRow)
_transmitters = table_of(TransmitterRow)
_users = table_of(UserRow)
_outbox = metadata.tables["outbox"]
_letters = and_(_outbox.c.endpoint == MAIL_ENDPOINT, _outbox.c.dead_at.is_(None))

NEWEST_KEY = Statement(select(_keys.c.kid, _keys.c.sealed_private).order_by(_keys.c.created_at.desc()).limit(1))
ANY_FACTOR = Statement(select(_factors.c.factor_id, _factors.c.sealed_secret).limit(1))


def sealed_sample(tx: Transaction) -> SealedValue | None:
    """A value that only the right vault opens, or None while nothing was sealed yet."""
    key = tx.one(NEWEST_KEY)
    if key is not None:
        return SealedValue("signing_keys", key[0], key[1])
    factor = tx.one(ANY_FACTOR)
    if factor is not None:
        return SealedValue("totp_factors", factor[0], factor[1])
    return next((_password(row[0], row[1]) for row in tx.all(LAST_KEPT) if is_sealed(row[1])), None)


PASSWORDS = "users"
_EACH: ColumnElement[bool] = true()
_PLACES = {
    "totp_factors": (_factors.c.factor_id, _factors.c.sealed_secret, _EACH),
    "signing_keys": (_keys.c.kid, _keys.c.sealed_private, _EACH),
    "destinations": (_destinations.c.destination_id, _destinations.c.sealed_secret, _EACH),
    "previous_of_destinations": (_destinations.c.destination_id, _destinations.c.sealed_previous_secret, _EACH),
    "streams": (_streams.c.stream_id, _streams.c.sealed_authorization, _EACH),
    "transmitters": (_transmitters.c.transmitter_id, _transmitters.c.sealed_poll_token, _EACH),
    PASSWORDS: (_users.c.user_id, _users.c.password_hash, _EACH),
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
    """Authenticators', destinations' and streams' secrets, private keys, letters and passwords, in the database."""

    def after(self, tx: Transaction, table: str, key: str, limit: int) -> list[SealedValue]:
        rows = tx.all(AFTER[table], after=key, most=limit)
        return [_password(row[0], row[1]) if table == PASSWORDS else SealedValue(table, row[0], row[1]) for row in rows]

    def replace(self, tx: Transaction, value: SealedValue, sealed: bytes) -> bool:
        if value.table != PASSWORDS:
            return tx.run(REPLACE[value.table], id=value.key, before=value.sealed, anew=sealed) == 1
        before = value.sealed.decode() if value.is_clear else text_of(value.sealed)
        return tx.run(REPLACE[PASSWORDS], id=value.key, before=before, anew=text_of(sealed)) == 1


def _password(user_id: str, kept: str) -> SealedValue:
    if is_sealed(kept):
        return SealedValue(PASSWORDS, user_id, bytes_of(kept))
    return SealedValue(PASSWORDS, user_id, kept.encode(), is_clear=True)
