"""A write that leaves nothing, to see whether the storage takes one."""

from typing import Final

from sqlalchemy import bindparam, delete

from auth_gateway.adapters.storage.provider.once import SEE
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_provider import SeenOnceRow
from plumbing.statements import Statement, Transaction

_MARK: Final = b"readiness"
_seen = table_of(SeenOnceRow)
_UNSEE = Statement(delete(_seen).where(_seen.c.digest == bindparam("mark")))


def write_and_undo(tx: Transaction) -> None:
    """Mark something as seen, and take it back."""
    tx.run(SEE, digest=_MARK, expires_at=0.0)
    tx.run(_UNSEE, mark=_MARK)
