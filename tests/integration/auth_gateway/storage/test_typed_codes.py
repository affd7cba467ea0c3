"""Typed codes and what bounds their guessing, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from auth_gateway.adapters.storage.guesses import StoredGuesses
from auth_gateway.adapters.storage.mailed_codes import StoredMailedCodes
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account
from auth_gateway.core.guessing import seconds_each
from plumbing.database import Database

NOW = 1_700_000_000.0
CROWD = 20


def take(database: Database, *, kind: str = "totp", user: str = "alice", most: int = 10, now: float = NOW) -> bool:
    return database.write_sync(lambda tx: StoredGuesses().take(tx, user, kind, most=most, now=now))  # type: ignore[arg-type]


def together(job: object, count: int = CROWD) -> list[bool]:
    with ThreadPoolExecutor(count) as crowd:
        return list(crowd.map(lambda _: job(), range(count)))  # type: ignore[operator]


def test_looks_are_counted_for_each_person_and_kind(database: Database) -> None:
    """Five at once of ten a day; another's, and another kind's, are another count."""
    assert [take(database) for _ in range(6)] == [True] * 5 + [False]
    assert take(database, user="bob")
    assert take(database, kind="recovery_code")


@pytest.mark.parametrize(("later", "is_taken"), [(-1.0, False), (1.0, True)])
def test_a_part_of_the_day_forgives_one(database: Database, later: float, is_taken: bool) -> None:
    """Not before, and not more than one."""
    for _ in range(5):
        take(database)
    now = NOW + seconds_each(10) + later
    assert take(database, now=now) is is_taken
    assert not take(database, now=now)


def test_a_right_code_gives_its_look_back(database: Database) -> None:
    """Its own, and no other's."""
    for _ in range(5):
        take(database)
    database.write_sync(lambda tx: StoredGuesses().give_back(tx, "alice", "totp", most=10))
    assert [take(database), take(database)] == [True, False]


def test_guesses_that_come_together_are_counted_one_by_one(database: Database) -> None:
    """Twenty at the same moment, the first ones of an account: five are taken."""
    assert sum(together(lambda: take(database))) == 5


def test_a_later_code_takes_the_place_of_the_one_before(database: Database) -> None:
    """Three for one challenge, and then no more; only the latest counts."""
    codes = StoredMailedCodes()

    def send(code: bytes) -> bool:
        return database.write_sync(lambda tx: codes.sent(tx, b"challenge", code, now=NOW, expires_at=NOW + 600, most=3))

    def matches(code: bytes, now: float = NOW) -> bool:
        return database.read(lambda tx: codes.matches(tx, b"challenge", code, now))

    assert [send(b"one"), send(b"two")] == [True, True]
    assert [matches(b"one"), matches(b"two")] == [False, True]
    assert [matches(b"two", NOW + 599.9), matches(b"two", NOW + 600)] == [True, False]
    assert [send(b"three"), send(b"four")] == [True, False]
    assert [matches(b"three"), matches(b"four")] == [True, False]
    assert not database.read(lambda tx: codes.matches(tx, b"another", b"three", NOW))


def test_codes_that_are_asked_for_together_are_counted(database: Database) -> None:
    """Three are kept of twenty."""
    codes = StoredMailedCodes()
    sent = together(
        lambda: database.write_sync(lambda tx: codes.sent(tx, b"c", b"code", now=NOW, expires_at=NOW + 600, most=3))
    )
    assert sum(sent) == 3


def test_old_mailed_codes_are_forgotten(database: Database) -> None:
    """By their end."""
    codes = StoredMailedCodes()
    for name, until in ((b"old", NOW), (b"new", NOW + 1)):
        database.write_sync(lambda tx, n=name, u=until: codes.sent(tx, n, b"code", now=NOW, expires_at=u, most=3))
    assert database.write_sync(lambda tx: codes.forget_expired(tx, NOW + 0.5)) == 1
    assert database.read(lambda tx: codes.matches(tx, b"new", b"code", NOW))


def test_a_recovery_code_has_one_winner(database: Database) -> None:
    """Of twenty that show it together; the others' and another person's stay."""
    codes = StoredRecoveryCodes()
    bob = Account(user_id="bob", username="bob", display_name="Bob", password_hash="x", created_at=1.0)
    database.write_sync(lambda tx: StoredUsers().add(tx, bob))
    for user in ("alice", "bob"):
        database.write_sync(lambda tx, u=user: codes.replace(tx, u, [b"one", b"two"], NOW))
    used = together(lambda: database.write_sync(lambda tx: codes.use(tx, "alice", b"one", NOW)))
    assert sum(used) == 1
    left = [database.read(lambda tx, u=user: codes.left(tx, u)) for user in ("alice", "bob")]
    assert left == [1, 2]


def test_new_recovery_codes_take_the_place_of_those_before(database: Database) -> None:
    """An old sheet of paper opens nothing."""
    codes = StoredRecoveryCodes()
    database.write_sync(lambda tx: codes.replace(tx, "alice", [b"old", b"same"], NOW))
    database.write_sync(lambda tx: codes.use(tx, "alice", b"same", NOW))
    database.write_sync(lambda tx: codes.replace(tx, "alice", [b"new", b"same"], NOW))
    used = [
        database.write_sync(lambda tx, c=code: codes.use(tx, "alice", c, NOW)) for code in (b"old", b"new", b"same")
    ]
    assert used == [False, True, True]
