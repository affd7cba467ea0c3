"""Accounts as recovery knows them: found by a mail address, frozen on their owner's word or until
the password is another one, unfrozen by their owner."""

from sqlalchemy import bindparam, func, or_, select, text, update

from auth_gateway.adapters.storage.tables import UserRow, table_of
from auth_gateway.core.account import LIFTED_BY_OWNER, RENEWAL, REPORTED
from plumbing.statements import Statement, Transaction

_users = table_of(UserRow)
_this = _users.c.user_id == bindparam("id")

MOST_OF_ONE_ADDRESS = 5

OF_ADDRESS = Statement(
    select(_users.c.user_id)
    .where(
        func.lower(_users.c.email) == bindparam("lower"),
        text("users.email <> ''"),  # as the index says it
        _users.c.email_verified,
    )
    .limit(MOST_OF_ONE_ADDRESS)
)
# An operator's freeze stays an operator's: recovery must not lift it. The version ends what is half done, as an
# operator's freeze does.
FREEZE = Statement(
    update(_users)
    .where(_this, _users.c.is_frozen.is_(False))
    .values(is_frozen=True, frozen_reason=REPORTED, password_version=_users.c.password_version + 1)
)
DEMAND = Statement(
    update(_users)
    .where(_this, _users.c.is_frozen.is_(False))
    .values(is_frozen=True, frozen_reason=RENEWAL, password_version=_users.c.password_version + 1)
)
UNFREEZE = Statement(
    update(_users)
    .where(_this, _users.c.is_frozen, or_(*(_users.c.frozen_reason == reason for reason in LIFTED_BY_OWNER)))
    .values(is_frozen=False, frozen_reason="")
)


class StoredRecoverables:
    """They, in the database."""

    def of_address(self, tx: Transaction, address: str) -> list[str]:
        return sorted(row[0] for row in tx.all(OF_ADDRESS, lower=address.lower()))

    def freeze(self, tx: Transaction, user_id: str) -> bool:
        return tx.run(FREEZE, id=user_id) == 1

    def demand(self, tx: Transaction, user_id: str) -> bool:
        return tx.run(DEMAND, id=user_id) == 1

    def unfreeze(self, tx: Transaction, user_id: str) -> bool:
        return tx.run(UNFREEZE, id=user_id) == 1
