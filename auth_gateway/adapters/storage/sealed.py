"""What the vault sealed, seen as one question: does this database need the key that it was filled with?"""

from typing import NamedTuple

from sqlalchemy import select

from auth_gateway.adapters.storage.tables import SigningKeyRow, TotpFactorRow, table_of
from plumbing.statements import Statement, Transaction

_keys = table_of(SigningKeyRow)
_factors = table_of(TotpFactorRow)

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
