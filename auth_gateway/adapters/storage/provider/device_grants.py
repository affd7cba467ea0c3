"""Devices that wait for a person."""

from typing import Any

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.provider.sweeping import expired
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_provider import DeviceGrantRow
from auth_gateway.core.provider.device_grant import DeviceGrant, State
from plumbing.statements import Row, Statement, Transaction

_grants = table_of(DeviceGrantRow)

# Both keys decide: neither a user code nor a device code may stand for two devices.
ADD = Statement(upsert(_grants).on_conflict_do_nothing())
FIND = Statement(select(_grants).where(_grants.c.device_digest == bindparam("digest")))
BY_USER_CODE = Statement(select(_grants).where(_grants.c.user_code == bindparam("typed")))
POLL = Statement(
    update(_grants)
    .where(_grants.c.device_digest == bindparam("digest"))
    .values(polled_at=bindparam("now"), interval_seconds=bindparam("seconds"))
)
FORGET_EXPIRED = expired(_grants)


def _step(before: State) -> Update:
    return update(_grants).where(_grants.c.device_digest == bindparam("digest"), _grants.c.state == before)


ANSWER = Statement(
    _step("pending")
    .where(_grants.c.expires_at > bindparam("now"))
    .values(state=bindparam("answer"), session_id=bindparam("session"))
)
REDEEM = Statement(_step("approved").values(state="redeemed"))
_DENIED: State = "denied"
END_OF_SESSION = Statement(
    update(_grants)
    .where(_grants.c.session_id == bindparam("session"), _grants.c.state == "approved")
    .values(state=_DENIED)
)


class StoredDeviceGrants:
    """Device grants in the database."""

    def add(self, tx: Transaction, grant: DeviceGrant) -> bool:
        known = {name: getattr(grant, name) for name in grant.__struct_fields__}
        return tx.run(ADD, **{**known, "acr_values": " ".join(grant.acr_values)}) == 1

    def find(self, tx: Transaction, device_digest: bytes) -> DeviceGrant | None:
        return _grant(tx.one(FIND, digest=device_digest))

    def by_user_code(self, tx: Transaction, user_code: str) -> DeviceGrant | None:
        return _grant(tx.one(BY_USER_CODE, typed=user_code))

    def poll(self, tx: Transaction, device_digest: bytes, *, now: float, interval_seconds: int) -> None:
        tx.run(POLL, digest=device_digest, now=now, seconds=interval_seconds)

    def answer(self, tx: Transaction, device_digest: bytes, *, session_id: str | None, now: float) -> bool:
        state: State = "denied" if session_id is None else "approved"
        return tx.run(ANSWER, digest=device_digest, answer=state, session=session_id, now=now) == 1

    def redeem(self, tx: Transaction, device_digest: bytes) -> bool:
        return tx.run(REDEEM, digest=device_digest) == 1

    def end_of_session(self, tx: Transaction, session_id: str) -> None:
        tx.run(END_OF_SESSION, session=session_id)

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_EXPIRED, before=expired_before)


def _grant(row: Row | None) -> DeviceGrant | None:
    if row is None:
        return None
    known: dict[str, Any] = dict(zip(_grants.columns.keys(), row, strict=True))
    return DeviceGrant(**{**known, "acr_values": tuple(known["acr_values"].split())})
