"""People who come from another system log in with the password they have there, and with no other."""

import io
from base64 import b32encode
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyotp
import pytest

from auth_gateway.adapters.imports import auth0, csv, keycloak, own
from auth_gateway.core.imported import Record
from auth_gateway.flows.imports import ImportReport, Outcome
from auth_gateway.service import Service
from tests.stories.gateway import exports
from tests.stories.gateway.exports import PASSWORD
from tests.stories.gateway.story import Story

Reader = Callable[[BinaryIO], Iterator[Record]]


def taken(story: Story, reader: Reader, content: bytes) -> tuple[ImportReport, list[Outcome]]:
    told: list[Outcome] = []
    return story.gateway.imports(reader(io.BytesIO(content)), told.append), told


def stored_hash(story: Story, username: str = "ada") -> str:
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, username))
    assert account is not None
    return story.gateway.users.passwords.open(account.user_id, account.password_hash)


def csv_of(stored: str) -> bytes:
    return f'username,password_hash\nada,"{stored}"\n'.encode()


def realm(*credentials: dict[str, Any]) -> bytes:
    return exports.keycloak_realm(exports.keycloak_user("ada", *credentials))


def custom(value: dict[str, Any]) -> bytes:
    return exports.ndjson(exports.auth0_custom("ada", value))


LEGACY_KEYCLOAK = {
    "type": "password",
    "hashedSaltedValue": exports.base64(exports.pbkdf2_key("sha256", 1000, 64)),
    "salt": exports.base64(exports.SALT),
    "hashIterations": 1000,
    "counter": 0,
    "algorithm": "pbkdf2-sha256",
    "digits": 0,
}

# what comes in, and how the stored hash begins before the first login
SCHEMES: dict[str, tuple[Reader, bytes, str]] = {
    "keycloak pbkdf2, key of 20": (keycloak.records, realm(exports.keycloak_pbkdf2("pbkdf2", "sha1", 20)), "$pbkdf2$"),
    "keycloak pbkdf2, key of 64": (keycloak.records, realm(exports.keycloak_pbkdf2("pbkdf2", "sha1", 64)), "$pbkdf2$"),
    "keycloak pbkdf2-sha256, key of 32": (
        keycloak.records,
        realm(exports.keycloak_pbkdf2("pbkdf2-sha256", "sha256", 32)),
        "$pbkdf2-sha256$1000$",
    ),
    "keycloak pbkdf2-sha256, key of 64": (
        keycloak.records,
        realm(exports.keycloak_pbkdf2("pbkdf2-sha256", "sha256", 64)),
        "$pbkdf2-sha256$1000$",
    ),
    "keycloak pbkdf2-sha512": (
        keycloak.records,
        realm(exports.keycloak_pbkdf2("pbkdf2-sha512", "sha512", 64)),
        "$pbkdf2-sha512$1000$",
    ),
    "keycloak argon2id": (keycloak.records, realm(exports.keycloak_argon2("id")), "$argon2id$v=19$m=7168,t=5,p=1$"),
    "keycloak argon2i": (keycloak.records, realm(exports.keycloak_argon2("i")), "$argon2i$"),
    "keycloak argon2d": (keycloak.records, realm(exports.keycloak_argon2("d")), "$argon2d$"),
    "keycloak bcrypt by plug-in": (
        keycloak.records,
        realm(exports.keycloak_password("bcrypt", 4, exports.bcrypt_hash(version="2y"))),
        "$2y$04$",
    ),
    "keycloak of old": (keycloak.records, realm(LEGACY_KEYCLOAK), "$pbkdf2-sha256$1000$"),
    "auth0 bcrypt": (auth0.records, exports.ndjson(exports.auth0_exported("ada")), "$2b$04$"),
    "auth0 custom bcrypt": (auth0.records, custom(exports.as_text("bcrypt", exports.bcrypt_hash())), "$2b$04$"),
    "auth0 custom argon2": (auth0.records, custom(exports.as_text("argon2", exports.phc_argon2())), "$argon2id$"),
    "auth0 custom pbkdf2-sha1": (
        auth0.records,
        custom(exports.as_text("pbkdf2", exports.phc_pbkdf2("sha1", 64))),
        "$pbkdf2$1000$",
    ),
    "auth0 custom pbkdf2-sha256": (
        auth0.records,
        custom(exports.as_text("pbkdf2", exports.phc_pbkdf2("sha256", 32))),
        "$pbkdf2-sha256$1000$",
    ),
    "auth0 custom pbkdf2-sha512": (
        auth0.records,
        custom(exports.as_text("pbkdf2", exports.phc_pbkdf2("sha512", 64))),
        "$pbkdf2-sha512$1000$",
    ),
    "auth0 custom scrypt, key of 64": (auth0.records, custom(exports.auth0_scrypt(64)), "$scrypt$ln=10,r=8,p=1$"),
    "auth0 custom scrypt, key of 32": (auth0.records, custom(exports.auth0_scrypt(32)), "$scrypt$ln=10,r=8,p=1$"),
    "auth0 custom scrypt, base64 and a salt of text": (
        auth0.records,
        custom(
            exports.auth0_scrypt(
                hash={"value": exports.base64(exports.scrypt_key(1024, 64, b"pepper"))}, salt={"value": "pepper"}
            )
        ),
        "$scrypt$",
    ),
    "csv bcrypt": (csv.records, csv_of(exports.bcrypt_hash(version="2a")), "$2a$04$"),
    "csv argon2": (csv.records, csv_of(exports.phc_argon2()), "$argon2id$"),
    "csv pbkdf2": (csv.records, csv_of(exports.phc_pbkdf2("sha256", 32)), "$pbkdf2-sha256$1000$"),
    "own bcrypt": (
        own.records,
        b'[{"username": "ada", "password_hash": "%s"}]' % exports.bcrypt_hash().encode(),
        "$2b$04$",
    ),
}


@pytest.mark.parametrize("name", SCHEMES)
def test_the_old_password_and_no_other_opens_and_its_hash_becomes_ours(story: Story, name: str) -> None:
    """A wrong one changes nothing, the right one is let in, is stored as ours from then on, and goes on to work."""
    reader, content, prefix = SCHEMES[name]
    assert taken(story, reader, content) == (ImportReport(taken=1, incomplete=0, refused=0), [])
    before = stored_hash(story)
    assert before.startswith(prefix)
    for wrong in (PASSWORD[:-1], PASSWORD + "x", PASSWORD.lower(), before):
        assert story.login("ada", wrong).status_code == 401
        story.clock.advance(3600)
    assert stored_hash(story) == before
    assert story.login("ada", PASSWORD).status_code == 200
    assert stored_hash(story).startswith(story.gateway.hasher.default_scheme.prefix)
    assert story.login("ada", PASSWORD).status_code == 200
    assert story.login("ada", PASSWORD[:-1]).status_code == 401


def test_the_subject_and_the_address_stay(story: Story) -> None:
    """Applications know people by their subject; who is disabled there is frozen here."""
    one, other = (exports.keycloak_pbkdf2("pbkdf2-sha256", "sha256", 32) for _ in range(2))
    users = [exports.keycloak_user("ada", one), exports.keycloak_user("eve", other, enabled=False)]
    taken(story, keycloak.records, exports.keycloak_realm(*users))
    answer = story.login("ada", PASSWORD).json()
    assert story.claims(answer["tokens"]["access_token"])["sub"] == "kc-ada"
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, "ada"))
    assert account is not None
    assert (account.email, account.email_verified) == ("ada@example.org", True)
    assert account.display_name == "Ada Łovelace"
    assert story.login("eve", PASSWORD).status_code == 401


@pytest.mark.parametrize(
    ("credential", "secret"),
    [
        (exports.keycloak_otp("dLh2kVnJ4bWq8sTz0pYx"), b32encode(b"dLh2kVnJ4bWq8sTz0pYx").decode()),
        (exports.keycloak_otp("JBSWY3DPEHPK3PXPJBSWY3DP", secretEncoding="BASE32"), "JBSWY3DPEHPK3PXPJBSWY3DP"),
    ],
)
def test_an_authenticator_comes_along(story: Story, credential: dict[str, Any], secret: str) -> None:
    """Its codes finish a challenge, each once, and its secret is sealed."""
    taken(story, keycloak.records, realm(exports.keycloak_argon2(), credential))
    story.scorer.score = 70.0
    code = pyotp.TOTP(secret).at(int(story.clock.now()))
    first, second = (story.login("ada", PASSWORD).json()["challenge_id"] for _ in range(2))
    assert story.complete(first, code).status_code == 200
    assert story.complete(second, code).status_code == 401
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, "ada"))
    assert account is not None
    factor = story.gateway.database.read(lambda tx: story.gateway.factors.find(tx, account.user_id))
    assert factor is not None
    assert secret.encode() not in factor.sealed_secret


def test_an_authenticator_of_auth0_comes_along(story: Story) -> None:
    """The factor of the bulk format; a telephone number beside it is told of."""
    factors = [{"totp": {"secret": "JBSWY3DPEHPK3PXPJBSWY3DP"}}, {"phone": {"value": "+4912345"}}]
    content = exports.ndjson(exports.auth0_exported("ada", mfa_factors=factors))
    report, told = taken(story, auth0.records, content)
    assert report == ImportReport(taken=1, incomplete=1, refused=0)
    assert told == [Outcome(place="line 1", remainders=("second_factor",))]
    story.scorer.score = 70.0
    challenge = story.login("ada", PASSWORD).json()["challenge_id"]
    code = pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DP").at(int(story.clock.now()))
    assert story.complete(challenge, code).status_code == 200


def test_a_refusal_waits_for_the_slowest_imported_scheme(story: Story) -> None:
    """However few have it; and absent accounts are compared with it as often as people have it."""
    dear = "$pbkdf2-sha512$40000$" + exports.unpadded(exports.SALT) + "$" + "A" * 86
    assert taken(story, csv.records, csv_of(dear))[0].taken == 1
    service = Service(story.gateway)
    try:
        service.cover_schemes()
        assert service.floor.slowest is not None
        assert service.floor.slowest.name == "pbkdf2-sha512$40000"
        schemes = story.gateway.database.read(story.gateway.users.some_schemes)
        assert dict(schemes)["pbkdf2-sha512$40000"] == 1
        assert sum(people for _, people in schemes) == len(story.gateway.accounts.list())
    finally:
        story.runner.run(service.scorer.close())


def test_a_second_import_takes_nobody_twice(story: Story) -> None:
    """An interrupted import is simply run again."""
    content = exports.ndjson(*(exports.auth0_exported(name) for name in ("ada", "eve")))
    assert taken(story, auth0.records, content)[0].taken == 2
    report, told = taken(story, auth0.records, content)
    assert (report.taken, report.refused) == (0, 2)
    assert [outcome.reason for outcome in told] == ["username_taken"] * 2
