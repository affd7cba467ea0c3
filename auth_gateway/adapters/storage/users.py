"""Accounts, their factor and the devices they are known on."""

from sqlalchemy import and_, bindparam, exists, func, insert, or_, select, union, update

from auth_gateway.adapters.sealed_passwords import SealedPasswords
from auth_gateway.adapters.storage.tables import ClientRow, KnownDeviceRow, TotpFactorRow, UserRow, table_of
from auth_gateway.adapters.storage.tables_factors import PasskeyRow, RecoveryCodeRow, TrustedDeviceRow
from auth_gateway.adapters.storage.tables_risk import LeewayRow, UserRiskRow
from auth_gateway.core.account import Account, LoginFacts, hash_scheme
from auth_gateway.core.factor import KEPT_KINDS, FactorKind
from auth_gateway.core.leeway import NO_LEEWAY, Leeway
from auth_gateway.core.user_risk import NO_RISK, UserRisk
from auth_gateway.flows.ports import Sealer
from plumbing.statements import Row, Statement, Transaction

_users = table_of(UserRow)
_factors = table_of(TotpFactorRow)
_devices = table_of(KnownDeviceRow)
_clients = table_of(ClientRow)
_passkeys = table_of(PasskeyRow)
_recovery_codes = table_of(RecoveryCodeRow)
_trusted = table_of(TrustedDeviceRow)
_risks = table_of(UserRiskRow)
_leeways = table_of(LeewayRow)

SAMPLED = 2000
"""Of so many people, those with the first and the last ids, it is asked which schemes they have."""

_ACCOUNT_COLUMNS = (
    _users.c.user_id,
    _users.c.username,
    _users.c.display_name,
    _users.c.password_hash,
    _users.c.password_version,
    _users.c.is_frozen,
    _users.c.created_at,
    _users.c.email,
    _users.c.email_verified,
    _users.c.frozen_reason,
    _users.c.language,
    _users.c.listed_version,
)
_WIDTH = len(_ACCOUNT_COLUMNS)
# In the order of KEPT_KINDS; each is a look at an index.
FACTOR_COLUMNS = (
    exists().where(_passkeys.c.user_id == _users.c.user_id),
    exists().where(_factors.c.user_id == _users.c.user_id),
    exists().where(_recovery_codes.c.user_id == _users.c.user_id, _recovery_codes.c.used_at.is_(None)),
    and_(_users.c.email_verified, _users.c.email != ""),
)

LOGIN_FACTS = Statement(
    select(
        *_ACCOUNT_COLUMNS,
        *FACTOR_COLUMNS,
        exists().where(_devices.c.user_id == _users.c.user_id, _devices.c.device_digest == bindparam("device")),
        exists().where(
            _trusted.c.token_digest == bindparam("trusted"),
            _trusted.c.user_id == _users.c.user_id,
            _trusted.c.revoked_at.is_(None),
            _trusted.c.expires_at > bindparam("now"),
        ),
        _risks.c.value,
        _risks.c.at,
        _risks.c.is_held,
        _leeways.c.passed,
        _leeways.c.at.label("passed_at"),
    )
    .select_from(
        _users.outerjoin(_risks, _risks.c.user_id == _users.c.user_id).outerjoin(
            _leeways, _leeways.c.user_id == _users.c.user_id
        )
    )
    .where(_users.c.username == bindparam("name"))
)
FACTOR_KINDS_OF = Statement(select(*FACTOR_COLUMNS).where(_users.c.user_id == bindparam("id")))
FIND = Statement(select(*_ACCOUNT_COLUMNS).where(_users.c.username == bindparam("name")))
BY_ID = Statement(select(*_ACCOUNT_COLUMNS).where(_users.c.user_id == bindparam("id")))
USERNAME = Statement(select(_users.c.username).where(_users.c.user_id == bindparam("id")))
LAST_KEPT = Statement(select(_users.c.user_id, _users.c.password_hash).order_by(_users.c.user_id.desc()).limit(3))
ALL = Statement(select(*_ACCOUNT_COLUMNS).order_by(_users.c.username))
SCHEMES = Statement(select(_users.c.password_scheme).distinct())
_WHO_HAS = select(_users.c.user_id, _users.c.password_scheme).limit(SAMPLED // 2)
_SOME = union(
    select(_WHO_HAS.order_by(_users.c.user_id).subquery()),
    select(_WHO_HAS.order_by(_users.c.user_id.desc()).subquery()),
).subquery()
SOME_SCHEMES = Statement(
    select(_SOME.c.password_scheme, func.count().label("people")).group_by(_SOME.c.password_scheme)
)
# An application's id is the `sub` of its own tokens: whoever had the same would be it, at an API that reads no more.
IS_TAKEN = Statement(
    select(
        exists().where((_users.c.username == bindparam("name")) | (_users.c.user_id == bindparam("id")))
        | exists().where(_clients.c.client_id == bindparam("id"))
    )
)
# The row is held until the commit: who freezes the account or changes its password meanwhile waits, and then finds the
# session that begins here, to end it. (SQLite has one writer, and leaves the clause out.)
IS_STILL = Statement(
    select(_users.c.user_id)
    .where(
        _users.c.user_id == bindparam("id"),
        _users.c.is_frozen.is_(False),
        _users.c.password_version == bindparam("version"),
    )
    .with_for_update(key_share=True)
)
HOLD = Statement(select(_users.c.user_id).where(_users.c.user_id == bindparam("id")).with_for_update(key_share=True))
ADD = Statement(insert(_users))
UPGRADE_HASH = Statement(
    update(_users)
    .where(_users.c.user_id == bindparam("id"), _users.c.password_hash == bindparam("expected_hash"))
    .values(password_hash=bindparam("new_hash"), password_scheme=bindparam("new_scheme"))
)
# The version ends what is half done: a challenge of before the freeze is none after it, however soon it is lifted.
SET_FROZEN = Statement(
    update(_users)
    .where(
        _users.c.user_id == bindparam("id"),
        or_(_users.c.is_frozen != bindparam("frozen"), _users.c.frozen_reason != ""),
    )
    .values(is_frozen=bindparam("frozen"), frozen_reason="", password_version=_users.c.password_version + 1)
)

SET_PASSWORD = Statement(
    update(_users)
    .where(_users.c.user_id == bindparam("id"))
    .values(
        password_hash=bindparam("new_hash"),
        password_scheme=bindparam("new_scheme"),
        password_version=_users.c.password_version + 1,
    )
)
# Of two logins with one password, one finds it unmarked.
MARK_LISTED = Statement(
    update(_users)
    .where(
        _users.c.user_id == bindparam("id"),
        _users.c.password_version == bindparam("version"),
        or_(_users.c.listed_version.is_(None), _users.c.listed_version != bindparam("version")),
    )
    .values(listed_version=bindparam("version"))
)
MARK_UNLISTED = Statement(
    update(_users)
    .where(
        _users.c.user_id == bindparam("id"),
        _users.c.password_version == bindparam("version"),
        _users.c.listed_version == bindparam("version"),
    )
    .values(listed_version=None)
)


class StoredUsers:
    """Accounts in the database. New hashes are given in the clear and kept sealed, where there is a vault;
    accounts that are read have what is kept."""

    def __init__(self, vault: Sealer | None = None) -> None:
        self.passwords = SealedPasswords(vault)

    def login_facts(
        self,
        tx: Transaction,
        username: str,
        device_digest: bytes | None,
        *,
        trusted_digest: bytes | None = None,
        now: float = 0.0,
    ) -> LoginFacts | None:
        row = tx.one(LOGIN_FACTS, name=username, device=device_digest, trusted=trusted_digest, now=now)
        if row is None:
            return None
        kinds, others = row[_WIDTH : _WIDTH + len(KEPT_KINDS)], row[_WIDTH + len(KEPT_KINDS) :]
        is_known, is_trusted, value, at, is_held, passed, passed_at = others
        return LoginFacts(
            account=_account(row),
            factors=kinds_of(kinds),
            is_known_device=bool(is_known),
            is_trusted_device=bool(is_trusted),
            risk=NO_RISK if value is None else UserRisk(value=value, at=at, is_held=bool(is_held)),
            leeway=NO_LEEWAY if passed is None else Leeway(passed=passed, at=passed_at),
        )

    def factor_kinds(self, tx: Transaction, user_id: str) -> tuple[FactorKind, ...]:
        return kinds_of(tx.one(FACTOR_KINDS_OF, id=user_id) or ())

    def find(self, tx: Transaction, username: str) -> Account | None:
        row = tx.one(FIND, name=username)
        return None if row is None else _account(row)

    def by_id(self, tx: Transaction, user_id: str) -> Account | None:
        row = tx.one(BY_ID, id=user_id)
        return None if row is None else _account(row)

    def username(self, tx: Transaction, user_id: str) -> str:
        row = tx.one(USERNAME, id=user_id)
        return "" if row is None else str(row[0])

    def is_still(self, tx: Transaction, user_id: str, password_version: int) -> bool:
        return tx.one(IS_STILL, id=user_id, version=password_version) is not None

    def hold(self, tx: Transaction, user_id: str) -> None:
        tx.one(HOLD, id=user_id)

    def add(self, tx: Transaction, account: Account) -> bool:
        taken = tx.one(IS_TAKEN, name=account.username, id=account.user_id)
        if taken is not None and taken[0]:
            return False
        tx.run(
            ADD,
            user_id=account.user_id,
            username=account.username,
            display_name=account.display_name,
            password_hash=self.passwords.seal(account.user_id, account.password_hash),
            password_scheme=hash_scheme(account.password_hash),
            password_version=account.password_version,
            is_frozen=account.is_frozen,
            created_at=account.created_at,
            email=account.email,
            email_verified=account.email_verified,
            frozen_reason=account.frozen_reason,
            language=account.language,
            listed_version=account.password_version if account.is_password_listed else None,
        )
        return True

    def all(self, tx: Transaction) -> list[Account]:
        return [_account(row) for row in tx.all(ALL)]

    def schemes(self, tx: Transaction) -> list[str]:
        return sorted(row[0] for row in tx.all(SCHEMES))

    def some_schemes(self, tx: Transaction) -> list[tuple[str, int]]:
        """How many of some people have which scheme, those with most first; of a million people as quick as of ten."""
        return sorted(((row[0], row[1]) for row in tx.all(SOME_SCHEMES)), key=lambda found: (-found[1], found[0]))

    def upgrade_hash(self, tx: Transaction, user_id: str, *, expected_hash: str, new_hash: str) -> bool:
        kept, scheme = self.passwords.seal(user_id, new_hash), hash_scheme(new_hash)
        return tx.run(UPGRADE_HASH, id=user_id, expected_hash=expected_hash, new_hash=kept, new_scheme=scheme) == 1

    def set_frozen(self, tx: Transaction, user_id: str, *, is_frozen: bool) -> bool:
        return tx.run(SET_FROZEN, id=user_id, frozen=is_frozen) == 1

    def set_password(self, tx: Transaction, user_id: str, new_hash: str) -> bool:
        kept, scheme = self.passwords.seal(user_id, new_hash), hash_scheme(new_hash)
        return tx.run(SET_PASSWORD, id=user_id, new_hash=kept, new_scheme=scheme) == 1

    def mark_password(self, tx: Transaction, user_id: str, *, password_version: int, is_listed: bool) -> bool:
        return tx.run(MARK_LISTED if is_listed else MARK_UNLISTED, id=user_id, version=password_version) == 1

    def last_kept(self, tx: Transaction) -> list[tuple[str, str]]:
        """What is kept of a few people's passwords, by their ids."""
        return [(row[0], row[1]) for row in tx.all(LAST_KEPT)]


def kinds_of(flags: Row) -> tuple[FactorKind, ...]:
    return tuple(kind for kind, has in zip(KEPT_KINDS, flags, strict=False) if has)


def _account(row: Row) -> Account:
    return Account(
        user_id=row[0],
        username=row[1],
        display_name=row[2],
        password_hash=row[3],
        password_version=row[4],
        is_frozen=bool(row[5]),
        created_at=row[6],
        email=row[7],
        email_verified=bool(row[8]),
        frozen_reason=row[9],
        language=row[10],
        is_password_listed=row[11] is not None and row[11] == row[4],
    )
