"""Accounts that are frozen until somebody has looked, and that are opened by who has."""

from sqlalchemy import bindparam, or_, update

from auth_gateway.adapters.storage.tables import UserRow, table_of
from auth_gateway.core.account import LIFTED_BY_OWNER, SHIELD
from plumbing.statements import Statement, Transaction

_users = table_of(UserRow)
_this = _users.c.user_id == bindparam("id")

# What its owner may lift becomes a freeze that they may not; an operator's own stays one.
SHIELDED = Statement(
    update(_users)
    .where(_this, or_(_users.c.is_frozen.is_(False), *(_users.c.frozen_reason == reason for reason in LIFTED_BY_OWNER)))
    .values(is_frozen=True, frozen_reason=SHIELD, password_version=_users.c.password_version + 1)
)
# Told again while it holds, it has another version all the same: a review that began before has not seen why.
AGAIN = Statement(
    update(_users).where(_this, _users.c.is_frozen).values(password_version=_users.c.password_version + 1)
)
LIFT = Statement(
    update(_users)
    .where(_this, _users.c.is_frozen, _users.c.password_version == bindparam("version"))
    .values(is_frozen=False, frozen_reason="", password_version=_users.c.password_version + 1)
)


class StoredShields:
    """They, in the database."""

    def shield(self, tx: Transaction, user_id: str) -> bool:
        if tx.run(SHIELDED, id=user_id) == 1:
            return True
        tx.run(AGAIN, id=user_id)
        return False

    def lift(self, tx: Transaction, user_id: str, *, expected_version: int) -> bool:
        return tx.run(LIFT, id=user_id, version=expected_version) == 1
