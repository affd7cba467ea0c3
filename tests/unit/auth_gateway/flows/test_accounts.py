"""What an operator does: accounts, factors, sessions, clearing away."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from auth_gateway.flows.answers import Allowed
from plumbing.refusals import Refused


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [("a b", "right", "invalid_username"), ("bob", "", "invalid_password"), ("ALICE", "x", "username_taken")],
)
def test_an_account_that_cannot_be_is_refused(world: Any, username: str, password: str, code: str) -> None:
    """The operator is told what is wrong; nothing is stored."""
    world.person()
    with pytest.raises(Refused) as refused:
        world.accounts.add(username, password)
    assert refused.value.code == code
    assert [account.username for account in world.accounts.list()] == ["alice"]


def test_freezing_ends_every_session_and_is_written_down_once(world: Any) -> None:
    """The second time it says that nothing changed."""
    world.person()
    for _ in range(3):
        asyncio.run(world.login())
    assert world.accounts.freeze("Alice")
    assert not world.accounts.freeze("alice")
    assert world.count("sessions", "revoked_reason = 'account_frozen'") == 3
    assert len(world.audited("session.revoked")) == 3
    assert len(world.audited("user.frozen")) == 1


def test_another_password_ends_every_session(world: Any) -> None:
    """Whoever got in with the old one is out, and only the new one lets in."""
    world.person()
    for _ in range(2):
        asyncio.run(world.login())
    assert world.accounts.set_password("Alice", "other") == 2
    assert world.count("sessions", "revoked_reason = 'password_set'") == 2
    assert [line.kind for line in world.audited("user.password_changed", "session.revoked")] == [
        "user.password_changed",
        "session.revoked",
        "session.revoked",
    ]
    assert not isinstance(asyncio.run(world.login()), Allowed)
    assert isinstance(asyncio.run(world.login(password="other")), Allowed)


def test_a_password_that_cannot_be_changes_nothing(world: Any) -> None:
    """The operator is told, and the old one still lets in."""
    world.person()
    with pytest.raises(Refused, match="invalid_password"):
        world.accounts.set_password("alice", "a\x00b")
    with pytest.raises(Refused, match="unknown_user"):
        world.accounts.set_password("nobody", "right")
    assert isinstance(asyncio.run(world.login()), Allowed)


def test_an_unfrozen_person_may_log_in_again(world: Any) -> None:
    """Freezing is undone, sessions are not."""
    world.person()
    world.accounts.freeze("alice")
    assert world.accounts.unfreeze("alice")
    assert isinstance(asyncio.run(world.login()), Allowed)


def test_an_unknown_name_is_said_to_the_operator(world: Any) -> None:
    """A typing error on the command line is not silence."""
    for do in (world.accounts.freeze, world.accounts.unfreeze, world.enrol):
        with pytest.raises(Refused, match="unknown_user"):
            do("nobody")


def test_all_sessions_of_a_person_can_be_ended(world: Any) -> None:
    """Their number is told; a second time there are none."""
    world.person()
    for _ in range(2):
        asyncio.run(world.login())
    assert world.revoke.all_of("alice", reason="operator") == 2
    assert world.revoke.all_of("alice", reason="operator") == 0
    assert not world.revoke.session("no-such-session", reason="operator")


def test_sessions_are_listed_newest_first(world: Any) -> None:
    """Of everyone, or of one person."""
    world.person()
    world.person("bob")
    for name in ("alice", "bob", "alice"):
        asyncio.run(world.login(name))
        world.clock.advance(1)
    assert [session.user_id for session in world.revoke.found()] == ["alice", "bob", "alice"]
    assert len(world.revoke.found("bob")) == 1
    assert world.revoke.found("nobody") == []


def test_an_authenticator_is_enrolled_once_unless_replaced(world: Any) -> None:
    """The secret is 160 bits, shown in the form that applications scan, and sealed at rest."""
    secret = world.person(factor=True)
    assert len(secret) == 32
    with pytest.raises(Refused, match="already_enrolled"):
        world.enrol("alice")
    enrolled = world.enrol("alice", replace=True)
    link = urlparse(enrolled.provisioning_uri)
    assert (link.scheme, link.netloc, link.path) == ("otpauth", "totp", "/riskgate:alice")
    assert parse_qs(link.query)["secret"] == [enrolled.secret]


def test_what_ran_out_is_cleared_away_and_what_lives_stays(world: Any) -> None:
    """A week after the end; devices half a year after they were last seen; the audit trail stays whole."""
    world.person(factor=True)
    old = asyncio.run(world.login()).tokens.refresh_token
    world.scorer.mark = 70.0
    asyncio.run(world.login())
    world.scorer.mark = 10.0
    for _ in range(3):
        old = asyncio.run(world.refresh(old)).tokens.refresh_token
    assert asyncio.run(world.housekeeping()) == 0
    lines = world.count("audit")
    world.clock.advance(38 * 86_400)
    alive = asyncio.run(world.login()).tokens.refresh_token
    assert asyncio.run(world.housekeeping()) == 4 + 1 + 1 + 1
    assert isinstance(alive, str)
    assert (world.count("refresh_tokens"), world.count("refresh_families"), world.count("sessions")) == (1, 1, 1)
    assert world.count("audit") == lines + 1
    world.clock.advance(181 * 86_400)
    asyncio.run(world.housekeeping())
    assert world.count("known_devices") == 0
