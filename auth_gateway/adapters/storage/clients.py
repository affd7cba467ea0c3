"""Registered applications."""

import hmac
from functools import lru_cache

import msgspec
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import (
    ClientRow,
    PendingLoginRow,
    RefreshFamilyRow,
    SessionRow,
    UserRow,
    table_of,
)
from auth_gateway.adapters.storage.tables_events import StreamRow, StreamSubjectRow
from auth_gateway.adapters.storage.tables_provider import (
    AuthorizationCodeRow,
    ConsentRow,
    DeviceGrantRow,
    InteractionRow,
    PushedRequestRow,
    SessionClientRow,
)
from auth_gateway.core.provider.authorization import AuthorizationRequest
from auth_gateway.core.provider.client import RegisteredClient
from plumbing.statements import Row, Statement, Transaction

_clients = table_of(ClientRow)
_sessions = table_of(SessionRow)
_families = table_of(RefreshFamilyRow)
_parts = table_of(SessionClientRow)
_users = table_of(UserRow)
_CLIENT = (_clients.c.client_id, _clients.c.may_vouch, _clients.c.may_see_scores, _clients.c.registration)
_OWN_COLUMNS = ("client_id", "may_vouch", "may_see_scores")

FIND = Statement(
    select(
        *_CLIENT, _clients.c.secret_digest, _clients.c.previous_secret_digest, _clients.c.previous_secret_until
    ).where(_clients.c.client_id == bindparam("id"))
)
REGISTERED_AT = Statement(select(_clients.c.created_at).where(_clients.c.client_id == bindparam("id")))
LIST = Statement(select(*_CLIENT).order_by(_clients.c.client_id))
# A person's id is the `sub` of their tokens, as an application's is of its own: nobody has both.
IS_A_PERSONS = Statement(select(_users.c.user_id).where(_users.c.user_id == bindparam("id")))
ADD = Statement(upsert(_clients).on_conflict_do_nothing(index_elements=(_clients.c.client_id,)))
ROTATE = Statement(
    update(_clients)
    .where(_clients.c.client_id == bindparam("id"), _clients.c.secret_digest != b"")
    .values(
        previous_secret_digest=_clients.c.secret_digest,
        previous_secret_until=bindparam("until"),
        secret_digest=bindparam("new_digest"),
    )
)
REMOVE = Statement(delete(_clients).where(_clients.c.client_id == bindparam("id")))
SESSIONS_OF = Statement(
    select(_sessions.c.session_id)
    .where(_sessions.c.client_id == bindparam("id"), _sessions.c.revoked_at.is_(None))
    .order_by(_sessions.c.created_at, _sessions.c.session_id)
)
END_FAMILIES = Statement(
    update(_families)
    .where(_families.c.client_id == bindparam("id"), _families.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
END_PARTS = Statement(
    update(_parts)
    .where(_parts.c.client_id == bindparam("id"), _parts.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)
_NAMING = (PendingLoginRow, InteractionRow, AuthorizationCodeRow, DeviceGrantRow, ConsentRow, StreamRow)
_streams, _subjects = table_of(StreamRow), table_of(StreamSubjectRow)
_own_streams = select(_streams.c.stream_id).where(_streams.c.client_id == bindparam("id"))
FORGET = (
    Statement(delete(_subjects).where(_subjects.c.stream_id.in_(_own_streams))),
    *(
        Statement(delete(table).where(table.c.client_id == bindparam("id")))
        for table in [table_of(row) for row in _NAMING]
    ),
)
_pushed = table_of(PushedRequestRow)
PUSHED = Statement(
    select(_pushed.c.request_digest, _pushed.c.request).where(
        _pushed.c.used_at.is_(None), _pushed.c.expires_at > bindparam("now")
    )
)
FORGET_PUSHED = Statement(delete(_pushed).where(_pushed.c.request_digest == bindparam("digest")))


class StoredClients:
    """Registered applications in the database."""

    def authenticate(
        self, tx: Transaction, client_id: str, secret_digest: bytes, now: float
    ) -> RegisteredClient | None:
        row = tx.one(FIND, id=client_id)
        if row is None:
            return None
        current, previous, previous_until = row[4:7]
        is_previous = previous is not None and now < previous_until and hmac.compare_digest(previous, secret_digest)
        is_current = current != b"" and hmac.compare_digest(current, secret_digest)
        return _client(row) if is_current or is_previous else None

    def find(self, tx: Transaction, client_id: str) -> RegisteredClient | None:
        row = tx.one(FIND, id=client_id)
        return None if row is None else _client(row)

    def registered_at(self, tx: Transaction, client_id: str) -> float | None:
        row = tx.one(REGISTERED_AT, id=client_id)
        return None if row is None else float(row[0])

    def add(self, tx: Transaction, client: RegisteredClient, secret_digest: bytes, now: float) -> bool:
        if tx.one(IS_A_PERSONS, id=client.client_id) is not None:
            return False
        added = tx.run(
            ADD,
            client_id=client.client_id,
            secret_digest=secret_digest,
            may_vouch=client.may_vouch,
            may_see_scores=client.may_see_scores,
            created_at=now,
            registration=_registration(client),
            previous_secret_digest=None,
            previous_secret_until=None,
        )
        return added == 1

    def rotate_secret(self, tx: Transaction, client_id: str, *, secret_digest: bytes, previous_until: float) -> bool:
        return tx.run(ROTATE, id=client_id, new_digest=secret_digest, until=previous_until) == 1

    def sessions_of(self, tx: Transaction, client_id: str) -> list[str]:
        return [row[0] for row in tx.all(SESSIONS_OF, id=client_id)]

    def remove(self, tx: Transaction, client_id: str, *, now: float) -> bool:
        if tx.run(REMOVE, id=client_id) == 0:
            return False
        tx.run(END_FAMILIES, id=client_id, now=now)
        tx.run(END_PARTS, id=client_id, now=now)
        for statement in FORGET:
            tx.run(statement, id=client_id)
        for digest, request in tx.all(PUSHED, now=now):  # a minute's worth: whose they are is written inside
            if msgspec.json.decode(request, type=AuthorizationRequest).client_id == client_id:
                tx.run(FORGET_PUSHED, digest=digest)
        return True

    def list(self, tx: Transaction) -> list[RegisteredClient]:
        return [_client(row) for row in tx.all(LIST)]


def _client(row: Row) -> RegisteredClient:
    return _read(*row[:4])


@lru_cache(maxsize=1024)
def _read(client_id: str, may_vouch: int, may_see_scores: int, registration: str) -> RegisteredClient:
    """The columns as a value, read once for as long as they stay the same.

    A client of before there were registrations has an empty one: it logs people in by the JSON `/login`.
    """
    known = msgspec.json.decode(registration)
    if not known:
        known = {"may_log_in": True}
    trust = {"client_id": client_id, "may_vouch": bool(may_vouch), "may_see_scores": bool(may_see_scores)}
    return msgspec.convert({**known, **trust}, RegisteredClient)


def _registration(client: RegisteredClient) -> str:
    known = msgspec.to_builtins(client)
    return msgspec.json.encode({name: known[name] for name in known if name not in _OWN_COLUMNS}).decode()
