"""Signing keys in a real database: made once, sealed, rotated, and used by real tokens."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from auth_gateway.adapters.jwt import Es256Codec, Hs256Codec
from auth_gateway.adapters.keys import KeyRing, SigningKeyStore
from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.core.claims import Audience, access_claims, by_password
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.state import Unsealable, Vault

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
    opened = open_storage(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield opened
    opened.close()


def ring_of(database: Database, vault: Vault = VAULT, clock: FixedClock | None = None) -> KeyRing:
    store = SigningKeyStore(StoredSigningKeys(), vault)
    return KeyRing(database, store, clock or FixedClock(NOW), access_ttl_seconds=900)


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
    new = database.write_sync(lambda tx: store.rotate(tx, now=NOW, delay_seconds=600, access_ttl_seconds=900))
    asyncio.run(ring.reload())
    assert ring.current().kid == before
    clock.advance(600)
    assert ring.current().kid == new


def test_keys_that_nobody_needs_are_forgotten_at_the_next_rotation(database: Database) -> None:
    """A private key that signs no more is a risk without a use."""
    store = SigningKeyStore(StoredSigningKeys(), VAULT)
    ring_of(database).prepare()
    for day in range(1, 5):
        now = NOW + day * 86_400
        database.write_sync(lambda tx, now=now: store.rotate(tx, now=now, delay_seconds=0, access_ttl_seconds=900))
    assert len(database.read(store.load)) == 2
