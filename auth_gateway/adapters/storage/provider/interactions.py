"""Ways through the sign-in page, and requests that were pushed beforehand."""

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from auth_gateway.adapters.storage.provider.sweeping import expired
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_provider import InteractionRow, PushedRequestRow
from auth_gateway.core.provider.authorization import (
    AccountVisit,
    AuthorizationRequest,
    Card,
    DeviceApproval,
    Interaction,
    PushedRequest,
)
from plumbing.statements import Statement, Transaction

_interactions = table_of(InteractionRow)
_pushed = table_of(PushedRequestRow)
_KINDS: dict[str, type[AuthorizationRequest | DeviceApproval | AccountVisit]] = {
    "authorization": AuthorizationRequest,
    "device": DeviceApproval,
    "account": AccountVisit,
}
_KIND_OF = {each: kind for kind, each in _KINDS.items()}

PUSH = Statement(insert(_pushed))
# A row that is marked as used was written by an earlier version.
TAKE_PUSHED = Statement(
    delete(_pushed).where(
        _pushed.c.request_digest == bindparam("digest"),
        _pushed.c.used_at.is_(None),
        _pushed.c.expires_at > bindparam("now"),
    )
)
PUSHED = Statement(select(_pushed.c.request).where(_pushed.c.request_digest == bindparam("digest")))
FORGET_PUSHED = expired(_pushed)

START = Statement(insert(_interactions))
FIND = Statement(select(_interactions).where(_interactions.c.interaction_id == bindparam("id")))
SHOW = Statement(
    update(_interactions)
    .where(_interactions.c.interaction_id == bindparam("id"), _interactions.c.finished_at.is_(None))
    .values(
        card=bindparam("next_card"),
        session_id=bindparam("session"),
        challenge=bindparam("awaited"),
        incident_id=bindparam("incident"),
    )
)
FINISH = Statement(
    update(_interactions)
    .where(_interactions.c.interaction_id == bindparam("id"), _interactions.c.finished_at.is_(None))
    .values(finished_at=bindparam("now"))
)
FORGET_EXPIRED = expired(_interactions)


class StoredInteractions:
    """Interactions and pushed requests in the database."""

    def push(self, tx: Transaction, pushed: PushedRequest) -> None:
        tx.run(
            PUSH,
            request_digest=pushed.request_digest,
            request=msgspec.json.encode(pushed.request),
            expires_at=pushed.expires_at,
            used_at=None,
        )

    def take_pushed(self, tx: Transaction, request_digest: bytes, now: float) -> AuthorizationRequest | None:
        row = tx.one(PUSHED, digest=request_digest)
        # Of two who read it, one deletes it.
        if row is None or tx.run(TAKE_PUSHED, digest=request_digest, now=now) == 0:
            return None
        return msgspec.json.decode(row[0], type=AuthorizationRequest)

    def start(self, tx: Transaction, interaction: Interaction) -> None:
        kind = _KIND_OF[type(interaction.request)]
        known = {name: getattr(interaction, name) for name in interaction.__struct_fields__}
        tx.run(START, **{**known, "kind": kind, "request": msgspec.json.encode(interaction.request)})

    def find(self, tx: Transaction, interaction_id: str) -> Interaction | None:
        row = tx.one(FIND, id=interaction_id)
        if row is None:
            return None
        known = dict(zip(_interactions.columns.keys(), row, strict=True))
        known["request"] = msgspec.json.decode(known["request"], type=_KINDS[known.pop("kind")])
        return Interaction(**known)

    def show(
        self,
        tx: Transaction,
        interaction_id: str,
        card: Card,
        *,
        session_id: str | None,
        challenge: bytes | None = None,
        incident_id: str | None = None,
    ) -> bool:
        changed = tx.run(
            SHOW, id=interaction_id, next_card=card, session=session_id, awaited=challenge, incident=incident_id
        )
        return changed == 1

    def finish(self, tx: Transaction, interaction_id: str, now: float) -> bool:
        return tx.run(FINISH, id=interaction_id, now=now) == 1

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        return tx.run(FORGET_EXPIRED, before=expired_before) + tx.run(FORGET_PUSHED, before=expired_before)
