"""How much was guessed at an account: one row for each kind, with the time at which all of it is forgiven."""

from sqlalchemy import Float, bindparam, case, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_factors import GuessRow
from auth_gateway.core.guessing import Counted, latest_forgiven, seconds_each
from plumbing.statements import Statement, Transaction

_guesses = table_of(GuessRow)
_now, _each = bindparam("now", type_=Float), bindparam("each", type_=Float)
_from = case((_guesses.c.forgiven_at > _now, _guesses.c.forgiven_at), else_=_now)

# One statement counts and refuses, so that guesses that come together are counted one by one.
TAKE = Statement(
    upsert(_guesses)
    .values(user_id=bindparam("user"), kind=bindparam("of_kind"), forgiven_at=_now + _each)
    .on_conflict_do_update(
        index_elements=(_guesses.c.user_id, _guesses.c.kind),
        set_={"forgiven_at": _from + _each},
        where=_guesses.c.forgiven_at <= bindparam("latest", type_=Float),
    )
)
GIVE_BACK = Statement(
    update(_guesses)
    .where(_guesses.c.user_id == bindparam("user"), _guesses.c.kind == bindparam("of_kind"))
    .values(forgiven_at=_guesses.c.forgiven_at - _each)
)


class StoredGuesses:
    """Guesses in the database."""

    def take(self, tx: Transaction, user_id: str, kind: Counted, *, most: int, now: float) -> bool:
        latest = latest_forgiven(most, now)
        return tx.run(TAKE, user=user_id, of_kind=kind, now=now, each=seconds_each(most), latest=latest) == 1

    def give_back(self, tx: Transaction, user_id: str, kind: Counted, *, most: int) -> None:
        tx.run(GIVE_BACK, user=user_id, of_kind=kind, each=seconds_each(most))
