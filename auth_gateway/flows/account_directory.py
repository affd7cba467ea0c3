"""Accounts are found by reviewers: by user id, by how the name or the mail address begins, or all by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from auth_gateway.core.account_line import START, AccountLine, ListPlace, State
from auth_gateway.core.names import prepare_username
from auth_gateway.flows.ports.directory import Directory
from plumbing.database import Database
from plumbing.statements import Transaction

SHORTEST_MAIL: Final = 3
"""From so many signs on an address is looked for: what is shorter is how half of all addresses begin."""
NOBODY: Final = "\U0010ffff"
"""How no user name begins."""


class AccountPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some accounts, and where the next page goes on."""

    accounts: tuple[AccountLine, ...]
    next: ListPlace | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDirectory:
    """Lists accounts. Blocks."""

    database: Database
    directory: Directory

    def page(self, query: str, *, state: State | None, place: ListPlace, limit: int) -> AccountPage:
        """The next accounts: whoever has that id, then by name, then by mail address."""

        def read(tx: Transaction) -> AccountPage:
            found = self._whole_id(tx, query, state) if place == START else []
            found += self._named(tx, query, state, place, limit + 1 - len(found))
            last_named = len(found)
            if len(found) <= limit:
                found += self._mailed(tx, query, state, place, limit + 1 - len(found))
            return AccountPage(accounts=tuple(found[:limit]), next=_next(found, query, last_named, limit))

        return self.database.read(read)

    def of_ids(self, user_ids: Sequence[str]) -> tuple[AccountLine, ...]:
        """Those of these people who have an account, in that order."""

        def read(tx: Transaction) -> tuple[AccountLine, ...]:
            found = [self.directory.one(tx, user_id) for user_id in user_ids]
            return tuple(each for each in found if each is not None)

        return self.database.read(read)

    def _whole_id(self, tx: Transaction, query: str, state: State | None) -> list[AccountLine]:
        one = self.directory.one(tx, query) if query else None
        is_asked = one is not None and state in (None, "frozen" if one.is_frozen else "active")
        return [one] if one is not None and is_asked and not one.username.startswith(_name(query)) else []

    def _named(
        self, tx: Transaction, query: str, state: State | None, place: ListPlace, limit: int
    ) -> list[AccountLine]:
        if place.found != "name":
            return []
        return self.directory.named(tx, _name(query), after=place.key, state=state, limit=limit)

    def _mailed(
        self, tx: Transaction, query: str, state: State | None, place: ListPlace, limit: int
    ) -> list[AccountLine]:
        if len(query) < SHORTEST_MAIL:
            return []
        after = place if place.found == "mail" else ListPlace("mail", "", "")
        but = (_name(query), query)
        return self.directory.mailed(tx, query.lower(), but=but, after=after, state=state, limit=limit)


def _name(query: str) -> str:
    """How a prepared name begins; without a query, any."""
    return (prepare_username(query) or NOBODY) if query else ""


def _next(found: list[AccountLine], query: str, named: int, limit: int) -> ListPlace | None:
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    if limit > named:
        return ListPlace("mail", last.email.lower(), last.user_id)
    is_by_id = limit == 1 and last.user_id == query and not last.username.startswith(_name(query))
    return ListPlace("name", "" if is_by_id else last.username, last.user_id)
