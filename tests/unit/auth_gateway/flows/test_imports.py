"""What an import takes, what it refuses, and what it leaves in the audit trail."""

from typing import Any

import pytest

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.core.imported import BadFile, ImportedUser, Reason, Record, usable_totp_secret
from auth_gateway.flows.imports import BATCH, ImportReport, Imports, Outcome

HASH = PasswordHasher(memory_kib=64, passes=1).hash("right")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def imports(world: Any) -> Imports:
    return Imports(
        database=world.database,
        clock=world.clock,
        randomness=world.randomness,
        vault=world.vault,
        hashes=PasswordHasher(),
        users=world.users,
        factors=world.factors,
        audit=world.audit,
    )


def person(username: str, **more: Any) -> Record:
    return Record(place=f"record {username}", user=ImportedUser(**{"username": username, "password_hash": HASH} | more))


def test_an_import_takes_what_it_can_and_tells_of_the_rest(world: Any, imports: Imports) -> None:
    """Each record that was not taken has its place and its reason; those around it are not touched."""
    records: list[tuple[Record, Reason | None]] = [
        (person("Ada", user_id="u-7"), None),
        (person("a b"), "invalid_username"),
        (person("ada\0"), "invalid_username"),
        (person(""), "invalid_username"),
        (person("ＡＤＡ"), "username_taken"),
        (person("eve", user_id="u-7"), "user_id_taken"),
        (person("eve", user_id="x" * 257), "invalid_user_id"),
        (person("eve", user_id="unknown:abc"), "invalid_user_id"),
        (person("eve", user_id="nul\0"), "invalid_user_id"),
        (person("eve", display_name="E\0"), "invalid_display_name"),
        (person("eve", display_name="E" * 257), "invalid_display_name"),
        (person("eve", email="eve"), "invalid_email"),
        (person("eve", email="eve@example.org\nBcc: all@example.org"), "invalid_email"),
        (person("eve", email=f"{'e' * 250}@x.org"), "invalid_email"),
        (person("eve", password_hash="md5"), "unknown_hash_scheme"),
        (person("eve", password_hash="$2b$31$" + "a" * 53), "hash_cost_out_of_bounds"),
        (Record(place="line 9", reason="not_json"), "not_json"),
        (person("eve", email="eve@example.org"), None),
    ]
    told: list[Outcome] = []
    report = imports([record for record, _ in records], told.append)
    assert report == ImportReport(taken=2, incomplete=0, refused=len(records) - 2)
    assert [(o.place, o.reason) for o in told] == [(record.place, reason) for record, reason in records if reason]
    assert [account.username for account in world.accounts.list()] == ["ada", "eve"]
    assert len(world.audited("user.imported")) == 2


def test_an_authenticator_is_sealed_and_written_down(world: Any, imports: Imports) -> None:
    """A secret that is none is told of, and the person is taken without it."""
    told: list[Outcome] = []
    report = imports([person("ada", totp_secret=SECRET), person("eve", totp_secret="no secret")], told.append)
    assert report == ImportReport(taken=2, incomplete=1, refused=0)
    assert told == [Outcome(place="record eve", remainders=("invalid_totp_secret",))]
    assert len(world.audited("factor.enrolled")) == 1
    assert world.count("totp_factors") == 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (SECRET, SECRET),
        ("jbsw y3dp ehpk 3pxp jbsw y3dp", "JBSWY3DPEHPK3PXPJBSWY3DP"),
        ("A" * 23 + "=", "A" * 23),
        ("A" * 22, None),  # a length that base32 does not have
        ("A" * 21, None),  # 13 bytes
        ("A" * 103, "A" * 103),
        ("A" * 104, None),
        ("JBSWY3DPEHPK3PX1", None),
        ("", None),
        ("é" * 32, None),
    ],
)
def test_a_secret_is_base32_of_112_to_512_bits(raw: str, expected: str | None) -> None:
    """What is shorter would make its check fail at login."""
    assert usable_totp_secret(raw) == expected


def test_no_address_is_verified_without_one(world: Any, imports: Imports) -> None:
    """The mark alone says nothing."""
    imports([person("ada", email_verified=True)])
    assert [account.email_verified for account in world.accounts.list()] == [False]


def test_many_people_are_written_in_batches(world: Any, imports: Imports) -> None:
    """A file that breaks in the middle leaves whole batches, and the next import takes the rest."""
    people = [person(f"p{number}", password_hash=HASH) for number in range(2 * BATCH + 1)]

    def broken() -> Any:
        yield from people[: BATCH + 1]
        raise BadFile("the file ends in the middle of its list")

    with pytest.raises(BadFile):
        imports(broken())
    assert world.count("users") == BATCH
    assert imports(people) == ImportReport(taken=BATCH + 1, incomplete=0, refused=BATCH)
