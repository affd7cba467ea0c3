"""Tokens of ours come back: under which keys, until when, and what is read of them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth_gateway.adapters.jwt import Es256Codec, Hs256Codec, ProviderTokens
from auth_gateway.adapters.keys import ALGORITHMS, KeyRing, SigningKeyStore, draw_keys
from auth_gateway.adapters.provider.verifier import OwnTokens
from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.core.claims import Audience, access_claims, by_password_and_code
from auth_gateway.core.provider.tokens import ClientClaims, Confirmation, LogoutClaims, id_claims
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.vault import Vault
from tests.unit.auth_gateway.adapters.provider.keys import ISSUER, NOW

SECRET = b"kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL"
OTHER_SECRET = b"jL0hG3fE9dC6bA4zW1yT7rP5nM2qV8kX"
RECOGNISED = by_password_and_code(NOW - 10)
PERSON = access_claims(
    audience=Audience(issuer=ISSUER, audience="api"),
    user_id="alice",
    client_id="shop",
    session_id="sid-1",
    authentication=RECOGNISED,
    token_id="jti-1",
    now=NOW,
    ttl_seconds=900,
)
APPLICATION = ClientClaims(
    iss=ISSUER,
    sub="shop",
    aud="api",
    exp=int(NOW) + 900,
    iat=int(NOW),
    jti="jti-2",
    client_id="shop",
    scope="read",
    cnf=Confirmation(jkt="thumb"),
)


class World:
    """A ring over a real database, and what signs and reads with it."""

    def __init__(self, place: Path) -> None:
        self.clock = FixedClock(NOW)
        self.database: Database = open_storage(f"sqlite:///{place / 'gateway.db'}")
        self.store = SigningKeyStore(StoredSigningKeys(), Vault(b"k" * 32))
        self.ring = KeyRing(self.database, self.store, self.clock, access_ttl_seconds=900, algorithms=ALGORITHMS)
        self.ring.prepare()
        self.tokens = ProviderTokens(self.ring, Es256Codec(self.ring))
        self.reads = OwnTokens(self.ring, issuer=ISSUER, secret=None)

    def rotate(self) -> None:
        drawn = draw_keys(ALGORITHMS)
        now = self.clock.now()
        self.database.write_sync(
            lambda tx: self.store.rotate(tx, drawn, now=now, delay_seconds=0, access_ttl_seconds=900)
        )
        asyncio.run(self.ring.reload())

    def id_token(self, algorithm: str = "ES256") -> str:
        claims = id_claims(
            issuer=ISSUER,
            user_id="alice",
            client_id="shop",
            session_id="sid-1",
            authentication=RECOGNISED,
            now=NOW,
            nonce="n",
            access_token=None,
            more={},
        )
        return self.tokens.encode_id(claims, algorithm)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    yield opened
    opened.database.close()


def test_a_person_s_token_is_read_whole(world: World) -> None:
    """Who, for whom, in which session, recognised how and when."""
    found = world.reads.access(Es256Codec(world.ring).encode(PERSON), NOW)
    assert found is not None
    assert (found.sub, found.sid, found.acr, found.amr) == ("alice", "sid-1", "aal2", ("pwd", "otp", "mfa"))
    assert (found.auth_time, found.jkt, found.is_of_a_person) == (int(NOW) - 10, None, True)


def test_an_application_s_token_has_no_person_and_keeps_its_key(world: World) -> None:
    """No session, and the thumbprint that it is bound to."""
    found = world.reads.access(world.tokens.encode_client(APPLICATION), NOW)
    assert found is not None
    assert (found.sub, found.sid, found.jkt, found.is_of_a_person) == ("shop", "", "thumb", False)


@pytest.mark.parametrize(("at", "is_taken"), [(NOW, True), (NOW + 899.9, True), (NOW + 900, False), (NOW - 61, False)])
def test_a_token_is_in_force_until_its_last_second(world: World, at: float, is_taken: bool) -> None:
    """And not before it was issued, but for what clocks differ."""
    assert (world.reads.access(Es256Codec(world.ring).encode(PERSON), at) is not None) is is_taken


def test_tokens_under_the_secret_are_read_where_it_is_set(world: World) -> None:
    """Beside those under our own keys, which were issued before it was."""
    token = Hs256Codec(SECRET).encode(PERSON)
    reads = OwnTokens(world.ring, issuer=ISSUER, secret=SECRET)
    assert reads.access(token, NOW) is not None
    assert reads.access(Es256Codec(world.ring).encode(PERSON), NOW) is not None
    assert world.reads.access(token, NOW) is None
    assert reads.access(Hs256Codec(OTHER_SECRET).encode(PERSON), NOW) is None


def test_a_secret_signs_no_id_token(world: World) -> None:
    """Every resource server that knows it could make one."""
    reads = OwnTokens(world.ring, issuer=ISSUER, secret=SECRET)
    assert reads.id_token_hint(Hs256Codec(SECRET).encode(PERSON)) is None


def test_a_token_outlives_its_key_s_retirement_and_no_longer(world: World) -> None:
    """The old key verifies as long as something signed with it is in force."""
    token = Es256Codec(world.ring).encode(PERSON)
    hint = world.id_token()
    world.rotate()
    assert world.reads.access(token, NOW + 800) is not None
    world.clock.advance(900 + 300)
    assert world.reads.access(token, NOW + 800) is None
    assert world.reads.id_token_hint(hint) is not None, "a hint needs the key only to know its author"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_hint_is_read_long_after_it_expired(world: World, algorithm: str) -> None:
    """People sign out hours after they signed in."""
    token = world.id_token(algorithm)
    world.clock.advance(86_400)
    claims = world.reads.id_token_hint(token)
    assert claims is not None
    assert (claims["sub"], claims["aud"], claims["sid"], claims["nonce"]) == ("alice", "shop", "sid-1", "n")


def test_each_kind_of_ours_is_read_as_itself_alone(world: World) -> None:
    """An ID token opens no resource, an access token and a logout token are no hints."""
    logout = LogoutClaims(iss=ISSUER, sub="alice", aud="shop", iat=1, exp=2, jti="j", sid="sid-1", events={})
    access = Es256Codec(world.ring).encode(PERSON)
    assert world.reads.access(world.id_token(), NOW) is None
    assert world.reads.id_token_hint(access) is None
    assert world.reads.id_token_hint(world.tokens.encode_logout(logout, "ES256")) is None


def test_another_issuer_s_token_is_not_ours_even_under_our_key(world: World) -> None:
    """The address has changed, or a test system was copied with its keys."""
    token = Es256Codec(world.ring).encode(PERSON)
    assert OwnTokens(world.ring, issuer="https://other.example", secret=None).access(token, NOW) is None
