"""A browser that its owner trusts: what it spares, and what it never does."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.core.factor import TrustedDevice
from auth_gateway.core.session import Session
from auth_gateway.flows.answers import Allowed, MfaRequired, WrongCredentials
from auth_gateway.flows.trust import TRUSTED_SECONDS, Trust, may_begin

TOKEN = b"digest of the token"
DEVICES = StoredTrustedDevices()


def trust(world: Any, user: str = "alice", token: bytes = TOKEN) -> None:
    now = world.clock.now()
    device = TrustedDevice(
        token_digest=token,
        device_id=f"tdv_{user}",
        user_id=user,
        user_agent="Firefox",
        ip="198.51.100.9",
        place="",
        created_at=now,
        expires_at=now + TRUSTED_SECONDS,
    )
    world.database.write_sync(lambda tx: DEVICES.add(tx, device))


def login(world: Any, mark: float | None = 10.0, **context: Any) -> Any:
    world.scorer.mark = mark
    return asyncio.run(world.login(**{"trusted_digest": TOKEN, **context}))


def claims(found: Any) -> tuple[list[str], str]:
    assert isinstance(found, Allowed), found
    said = json.loads(found.tokens.access_token)
    return said["amr"], said["acr"]


def test_a_trusted_browser_is_a_second_factor_at_low_risk(world: Any) -> None:
    """And says of itself that no code was shown."""
    world.person(factor=True)
    trust(world)
    assert claims(login(world)) == (["pwd", "mfa"], "aal2")


@pytest.mark.parametrize("mark", [60.0, 76.0, None])
def test_it_answers_nothing_that_risk_asks_for(world: Any, mark: float | None) -> None:
    """Medium, near high and unscored ask for a factor all the same."""
    world.person(factor=True)
    world.passkey()
    trust(world)
    assert isinstance(login(world, mark), MfaRequired)


@pytest.mark.parametrize("shown", [None, b"invented"])
def test_without_its_cookie_a_browser_is_any_browser(world: Any, shown: bytes | None) -> None:
    """The password alone is one factor."""
    world.person(factor=True)
    trust(world)
    assert claims(login(world, trusted_digest=shown)) == (["pwd"], "aal1")


def test_somebody_elses_trust_helps_nobody(world: Any) -> None:
    """At a shared computer each person has their own."""
    world.person(factor=True)
    world.person("bob", factor=True)
    trust(world, "bob")
    assert claims(login(world)) == (["pwd"], "aal1")
    assert claims(login(world, username="bob")) == (["pwd", "mfa"], "aal2")


def test_who_has_no_factor_has_nothing_that_it_could_stand_in_for(world: Any) -> None:
    """A factor that was removed takes its trust along in any case."""
    world.person()
    trust(world)
    assert claims(login(world)) == (["pwd"], "aal1")


@pytest.mark.parametrize(("elapsed", "acr"), [(TRUSTED_SECONDS - 1, "aal2"), (TRUSTED_SECONDS, "aal1")])
def test_trust_lasts_thirty_days(world: Any, elapsed: float, acr: str) -> None:
    """From the step-up, whatever happens in between."""
    world.person(factor=True)
    trust(world)
    world.clock.advance(elapsed)
    assert claims(login(world))[1] == acr


@pytest.mark.parametrize("how", ["revoked", "frozen", "another password", "replaced"])
def test_trust_ends_with_what_it_rests_on(world: Any, how: str) -> None:
    """By its owner's word, and whenever an operator shuts the account, changes its password or its authenticator."""
    world.person(factor=True)
    trust(world)
    password = "right"
    if how == "revoked":
        world.database.write_sync(lambda tx: DEVICES.revoke(tx, "alice", "tdv_alice", world.clock.now()))
    elif how == "frozen":
        world.accounts.freeze("alice")
        world.accounts.unfreeze("alice")
    elif how == "replaced":
        world.enrol("alice", replace=True)
    else:
        password = "a password that is long enough"
        world.accounts.set_password("alice", password)
    assert claims(login(world, password=password)) == (["pwd"], "aal1")


def test_trust_that_ends_while_the_scorer_thinks_lets_nobody_in(world: Any) -> None:
    """The last look is inside the transaction."""
    world.person(factor=True)
    trust(world)
    world.scorer.before = lambda: world.database.write_sync(
        lambda tx: DEVICES.revoke_all(tx, "alice", world.clock.now())
    )
    assert login(world) == WrongCredentials()
    assert (world.count("sessions"), world.audited("login.failed")[0].rule) == (0, "distrusted_meanwhile")


SESSION = Session(
    session_id="s",
    user_id="alice",
    client_id="web",
    amr="pwd otp mfa",
    acr="aal2",
    auth_time=0,
    ip="198.51.100.9",
    user_agent="Firefox",
    device_digest=None,
    risk_score=None,
    created_at=1_700_000_000.0,
    expires_at=1_700_001_000.0,
    place="Berlin, DE",
)


@pytest.mark.parametrize(
    ("amr", "acr", "expected"),
    [
        ("pwd otp mfa", "aal2", True),
        ("pwd pop user mfa", "phr", True),
        ("pop user mfa", "phr", True),
        ("pwd mca", "aal1", False),
        ("pop user mca", "aal1", False),
        ("pwd mfa", "aal2", False),
        ("pwd", "aal1", False),
    ],
)
def test_trust_begins_with_a_factor_that_was_shown(amr: str, acr: str, expected: bool) -> None:
    """Not with a code by mail, and not with the trust itself: it would never end."""
    assert may_begin(msgspec.structs.replace(SESSION, amr=amr, acr=acr)) is expected


def test_new_trust_takes_the_place_of_the_one_before_at_the_same_browser(world: Any) -> None:
    """Of the same person alone; the audit trail has the new one's name and no token."""
    world.person()
    world.person("bob")
    trust(world)
    trust(world, "bob", b"other")
    flow = Trust(randomness=world.randomness, trusted_devices=DEVICES, audit=world.audit)
    for replaces in (TOKEN, b"other", b"unknown", None):
        new = flow.draw(replaces=replaces)
        world.database.write_sync(lambda tx, n=new: flow.begin(tx, n, SESSION))
    mine = world.database.read(lambda tx: DEVICES.of_user(tx, "alice"))
    assert len(mine) == 4
    assert {(device.place, device.user_agent) for device in mine} == {("Berlin, DE", "Firefox")}
    assert len(world.database.read(lambda tx: DEVICES.of_user(tx, "bob"))) == 1
    lines = world.audited("device.trusted")
    assert {line.detail for line in lines} == {device.device_id for device in mine}
