"""Signing keys in a real database: made once, sealed, rotated, and used by real tokens."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from auth_gateway.adapters.jwt import Es256Codec, Hs256Codec, ProviderTokens
from auth_gateway.adapters.keys import ALGORITHMS, KeyRing, SigningKeyStore, draw_keys
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.core.claims import Audience, access_claims, by_password
from auth_gateway.core.provider.client import SigningAlgorithm
from auth_gateway.core.provider.tokens import ClientClaims, LogoutClaims
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.vault import Unsealable, Vault
from tests.migrated import migrated_storage

NOW = 1_800_000_000.0
VAULT = Vault(b"k" * 32)
CLAIMS = access_claims(
    audience=Audience(issuer="https://id.example", audience="api"),
    user_id="alice",
    client_id="public",
    session_id="sid-1",
    authentication=by_password(NOW),
    token_id="jti-1",
    now=NOW,
    ttl_seconds=900,
)


@pytest.fixture
def database(tmp_path: Path):  # type: ignore[no-untyped-def]
    opened = migrated_storage(tmp_path / "gateway.db")
    yield opened
    opened.close()


def ring_of(
    database: Database,
    vault: Vault = VAULT,
    clock: FixedClock | None = None,
    algorithms: Sequence[SigningAlgorithm] = ("ES256",),
) -> KeyRing:
    store = SigningKeyStore(StoredSigningKeys(), vault)
    return KeyRing(database, store, clock or FixedClock(NOW), access_ttl_seconds=900, algorithms=algorithms)


def rotated(
    database: Database,
    store: SigningKeyStore,
    now: float,
    delay_seconds: float,
    algorithms: Sequence[SigningAlgorithm] = ("ES256",),
) -> list[str]:
    drawn = draw_keys(algorithms)
    done = database.write_sync(
        lambda tx: store.rotate(tx, drawn, now=now, delay_seconds=delay_seconds, access_ttl_seconds=900)
    )
    return done.added


def test_processes_that_start_together_share_one_key(database: Database) -> None:
    """Eight first starts, one key."""
    rings = [ring_of(database) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(KeyRing.prepare, rings))
    assert len({ring.current().kid for ring in rings}) == 1


def test_a_token_verifies_with_the_published_key_alone(database: Database) -> None:
    """Every claim arrives, under the type of RFC 9068."""
    ring = ring_of(database)
    ring.prepare()
    token = Es256Codec(ring).encode(CLAIMS)
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "ES256", "kid": ring.current().kid, "typ": "at+jwt"}
    (published,) = ring.published()
    options = {"verify_exp": False, "verify_iat": False}
    key = jwt.PyJWK(dict(published))
    claims = jwt.decode(token, key, algorithms=["ES256"], audience="api", issuer="https://id.example", options=options)
    assert claims == {
        **{"iss": "https://id.example", "sub": "alice", "aud": "api", "client_id": "public", "sid": "sid-1"},
        **{
            "iat": int(NOW),
            "exp": int(NOW) + 900,
            "auth_time": int(NOW),
            "jti": "jti-1",
            "acr": "aal1",
            "amr": ["pwd"],
        },
        "scope": "openid profile email",
    }


def test_a_shared_secret_signs_the_same_claims() -> None:
    """HS256, for verifiers that cannot do better yet."""
    secret = b"kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL"
    token = Hs256Codec(secret).encode(CLAIMS)
    options = {"verify_exp": False, "verify_iat": False}
    assert jwt.decode(token, secret, algorithms=["HS256"], audience="api", options=options)["sub"] == "alice"


def test_a_copy_of_the_database_alone_signs_nothing(database: Database) -> None:
    """The private half opens with the vault's key only, and does not stand in the file."""
    ring_of(database).prepare()
    with pytest.raises(Unsealable):
        ring_of(database, Vault(b"x" * 32)).prepare()


def test_another_process_s_rotation_is_taken_over_by_reload(database: Database) -> None:
    """Announced first, signing when its time has come."""
    import asyncio

    clock = FixedClock(NOW)
    ring = ring_of(database, clock=clock)
    ring.prepare()
    before = ring.current().kid
    store = SigningKeyStore(StoredSigningKeys(), VAULT)
    (new,) = rotated(database, store, NOW, 600)
    asyncio.run(ring.reload())
    assert ring.current().kid == before
    clock.advance(600)
    assert ring.current().kid == new


def test_keys_that_nobody_needs_are_forgotten_at_the_next_rotation(database: Database) -> None:
    """A private key that signs no more is a risk without a use."""
    store = SigningKeyStore(StoredSigningKeys(), VAULT)
    ring_of(database).prepare()
    for day in range(1, 5):
        rotated(database, store, NOW + day * 86_400, 0)
    assert len(database.read(store.load)) == 2


def test_a_provider_that_starts_many_times_at_once_has_one_key_of_each_algorithm(database: Database) -> None:
    """Eight first starts, two keys, and each ring signs with both."""
    rings = [ring_of(database, algorithms=ALGORITHMS) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(KeyRing.prepare, rings))
    for algorithm in ALGORITHMS:
        assert len({ring.current(algorithm).kid for ring in rings}) == 1
    assert sorted(key["alg"] for key in rings[0].published()) == ["ES256", "RS256"]


def test_a_gateway_that_becomes_a_provider_keeps_its_key(database: Database) -> None:
    """The RSA key is made beside the one that resource servers know."""
    before = ring_of(database)
    before.prepare()
    after = ring_of(database, algorithms=ALGORITHMS)
    after.prepare()
    assert after.current().kid == before.current().kid
    assert before.algorithms() == {"ES256"}
    assert after.algorithms() == set(ALGORITHMS)


def test_a_rotation_replaces_each_algorithm_at_the_same_moment(database: Database) -> None:
    """Four keys are published meanwhile; the older two sign until the very moment."""
    clock = FixedClock(NOW)
    ring = ring_of(database, clock=clock, algorithms=ALGORITHMS)
    ring.prepare()
    old = {algorithm: ring.current(algorithm).kid for algorithm in ALGORITHMS}
    store = SigningKeyStore(StoredSigningKeys(), VAULT)
    new = dict(zip(ALGORITHMS, rotated(database, store, NOW, 600, ALGORITHMS), strict=True))
    ring.prepare()
    assert {key["kid"] for key in ring.published()} == {*old.values(), *new.values()}
    clock.advance(599.9)
    assert {algorithm: ring.current(algorithm).kid for algorithm in ALGORITHMS} == old
    clock.advance(0.1)
    assert {algorithm: ring.current(algorithm).kid for algorithm in ALGORITHMS} == new


def test_a_rotation_of_one_algorithm_leaves_the_other(database: Database) -> None:
    """Only what is replaced retires."""
    ring = ring_of(database, algorithms=ALGORITHMS)
    ring.prepare()
    kept = ring.current("RS256").kid
    rotated(database, SigningKeyStore(StoredSigningKeys(), VAULT), NOW, 0)
    ring.prepare()
    assert ring.current("RS256").kid == kept


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_id_token_verifies_with_the_published_key_of_its_algorithm(
    database: Database, algorithm: SigningAlgorithm
) -> None:
    """By PyJWT, which knows nothing of us but the JWK."""
    ring = ring_of(database, algorithms=ALGORITHMS)
    ring.prepare()
    tokens = ProviderTokens(ring, Hs256Codec(b"kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL"))
    token = tokens.encode_id({"sub": "alice", "aud": "shop"}, algorithm)
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": ring.current(algorithm).kid, "typ": "JWT"}
    (published,) = (key for key in ring.published() if key["alg"] == algorithm)
    assert jwt.decode(token, jwt.PyJWK(dict(published)), algorithms=[algorithm], audience="shop")["sub"] == "alice"


def test_tokens_of_different_kinds_have_different_types(database: Database) -> None:
    """None passes for another."""
    ring = ring_of(database, algorithms=ALGORITHMS)
    ring.prepare()
    tokens = ProviderTokens(ring, Es256Codec(ring))
    common = {"iss": "https://id.example", "aud": "shop", "iat": 1, "exp": 2, "jti": "j"}
    client = tokens.encode_client(ClientClaims(sub="shop", client_id="shop", scope="", **common))  # type: ignore[arg-type]
    logout = tokens.encode_logout(LogoutClaims(sub="alice", sid="s", events={}, **common), "ES256")  # type: ignore[arg-type]
    types = [jwt.get_unverified_header(one)["typ"] for one in (client, logout, tokens.encode_id({}, "ES256"))]
    assert types == ["at+jwt", "logout+jwt", "JWT"]


def test_no_registration_can_name_an_algorithm_that_is_not_ours(database: Database) -> None:
    """HS256 and none stay out of ID tokens."""
    ring = ring_of(database, algorithms=ALGORITHMS)
    ring.prepare()
    for algorithm in ("HS256", "none", "PS256", ""):
        with pytest.raises(KeyError):
            ProviderTokens(ring, Es256Codec(ring)).encode_id({}, algorithm)
