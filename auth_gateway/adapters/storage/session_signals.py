"""What the scorer signalled of sessions, each signal once."""

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.provider.sweeping import portion
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_risk import SessionSignalRow
from auth_gateway.core.session_risk import Effect, KeptSignal
from plumbing.statements import Row, Statement, Transaction
from risk_scorer.contract.signals import SignalReason

_signals = table_of(SessionSignalRow)
_reasons = msgspec.json.Decoder(tuple[SignalReason, ...])

KEEP = Statement(upsert(_signals).on_conflict_do_nothing())
NOTE = Statement(
    update(_signals).where(_signals.c.signal_id == bindparam("id")).values(effect=bindparam("what_was_done"))
)
OF_USER = Statement(
    select(_signals)
    .where(_signals.c.user_id == bindparam("user"))
    .order_by(_signals.c.received_at.desc(), _signals.c.signal_id)
    .limit(bindparam("most"))
)
FORGET = portion(_signals, _signals.c.received_at < bindparam("before"))


class StoredSessionSignals:
    """They, in the database."""

    def keep(self, tx: Transaction, signal: KeptSignal) -> bool:
        known = {name: getattr(signal, name) for name in signal.__struct_fields__}
        return tx.run(KEEP, **{**known, "reasons": msgspec.json.encode(signal.reasons)}) == 1

    def note(self, tx: Transaction, signal_id: str, effect: Effect) -> None:
        tx.run(NOTE, id=signal_id, what_was_done=effect)

    def of_user(self, tx: Transaction, user_id: str, limit: int) -> list[KeptSignal]:
        return [_signal(row) for row in tx.all(OF_USER, user=user_id, most=limit)]

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET, before=expired_before)


def _signal(row: Row) -> KeptSignal:
    known = dict(zip(_signals.columns.keys(), row, strict=True))
    return KeptSignal(**{**known, "reasons": _reasons.decode(known["reasons"])})
