"""Accounts, and what people prove themselves with."""

from typing import Protocol

import msgspec

from auth_gateway.core.account import Account, Factor, LoginFacts
from auth_gateway.core.factor import FactorKind
from plumbing.statements import Transaction


class PasswordCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a password is the right one, its hash in today's scheme when the stored one is older, and whether it is
    one that others guess first."""

    matches: bool
    upgraded_hash: str | None = None
    is_listed: bool = False


class Passwords(Protocol):
    """Password checks in a bounded pool."""

    async def check(
        self,
        password: str | None,
        stored_hash: str | None,
        *,
        user_id: str,
        may_upgrade: bool,
        is_known_device: bool = False,
    ) -> PasswordCheck:
        """Compare in the same time whether or not there is an account (`stored_hash` None) or a usable password.

        `stored_hash` is what is kept for `user_id`, sealed as a rule; one in the clear counts as old, so that it is
        kept sealed after this login.

        A device that its owner has logged in with has places of its own in the pool: a flood of strangers cannot show
        one, so it does not keep people out who come as they always do.

        A better hash and a look at the blocklist cost time, so there is none of it for a wrong password, nor where the
        answer may not differ from a refusal (`may_upgrade` False).

        Raises: Refused("busy", 503) when the pool is full, or ("sealing_key_missing", 503) when what is kept cannot be
        opened: fails closed, nobody is let in unhashed.
        """
        ...


class NewHashes(Protocol):
    """Hashes made while people wait, in the pool that checks passwords."""

    async def hash(self, password: str) -> str:
        """A new hash in today's scheme.

        Raises: Refused("busy", 503) when the pool is full.
        """
        ...


class PasswordHashes(Protocol):
    """Hashes made for the operator's commands; blocks."""

    def hash(self, password: str) -> str:
        """A new hash in today's scheme."""
        ...


class Blocklist(Protocol):
    """Passwords that others guess first."""

    def holds(self, password: str) -> bool:
        """Whether a prepared password is one of them. Reads memory or a local file; nothing leaves this machine."""
        ...


class Users(Protocol):
    """Accounts."""

    def login_facts(
        self,
        tx: Transaction,
        username: str,
        device_digest: bytes | None,
        *,
        trusted_digest: bytes | None = None,
        now: float = 0.0,
    ) -> LoginFacts | None:
        """The account with its factors, and whether this device is one of its own and trusted, in one look-up."""
        ...

    def factor_kinds(self, tx: Transaction, user_id: str) -> tuple[FactorKind, ...]:
        """What the person could show beside the password, the strongest first; a code by mail where the address is
        verified."""
        ...

    def find(self, tx: Transaction, username: str) -> Account | None: ...

    def by_id(self, tx: Transaction, user_id: str) -> Account | None: ...

    def username(self, tx: Transaction, user_id: str) -> str: ...

    def is_still(self, tx: Transaction, user_id: str, password_version: int) -> bool:
        """Whether the account is active and has kept the password that was checked."""
        ...

    def hold(self, tx: Transaction, user_id: str) -> None:
        """Whoever is being let in as this person comes first or last: what is looked for after it has their session, or
        they find what is written here."""
        ...

    def add(self, tx: Transaction, account: Account) -> bool:
        """False when the name or the id is taken."""
        ...

    def all(self, tx: Transaction) -> list[Account]: ...

    def schemes(self, tx: Transaction) -> list[str]:
        """Every scheme and cost (`core.account.hash_scheme`) that a stored password has."""
        ...

    def upgrade_hash(self, tx: Transaction, user_id: str, *, expected_hash: str, new_hash: str) -> bool:
        """Store a better hash of the same password, unless the hash has changed meanwhile."""
        ...

    def set_frozen(self, tx: Transaction, user_id: str, *, is_frozen: bool) -> bool:
        """False when it already was. What was half done before is over, whichever way it is changed."""
        ...

    def set_password(self, tx: Transaction, user_id: str, new_hash: str) -> bool:
        """Another password, and so another version; False when there is no such account."""
        ...

    def mark_password(self, tx: Transaction, user_id: str, *, password_version: int, is_listed: bool) -> bool:
        """Note what the blocklist said of the password of that version; False when nothing is new about it."""
        ...


class Factors(Protocol):
    """Enrolled TOTP factors: at most one for a user."""

    def find(self, tx: Transaction, user_id: str) -> Factor | None: ...

    def put(self, tx: Transaction, factor: Factor) -> None:
        """Replace whatever factor the user had."""
        ...

    def remove(self, tx: Transaction, user_id: str, factor_id: str) -> bool:
        """False when the person has no such factor."""
        ...

    def use_step(self, tx: Transaction, factor_id: str, step: int) -> bool:
        """Spend one time step; False when it or a later one was spent before, or the factor is gone."""
        ...


class KnownDevices(Protocol):
    """Devices a user has finished a login on."""

    def remember(self, tx: Transaction, user_id: str, device_digest: bytes, now: float) -> None: ...

    def forget_unseen(self, tx: Transaction, unseen_since: float) -> int: ...
