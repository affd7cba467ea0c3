"""Challenges that nothing is kept of."""

import pytest

from auth_gateway.core.webauthn_challenge import (
    LIFETIMES,
    Purpose,
    expiry_of,
    new_challenge,
    replay_digest,
    user_handle,
)

NOW = 1_700_000_000.0
KEY, RANDOM = b"k" * 32, b"r" * 16
OURS = new_challenge(KEY, purpose="step_up", bound_to="chg_1", random=RANDOM, now=NOW)


def expiry(challenge: bytes = OURS, key: bytes = KEY, **changed: object) -> float | None:
    asked = {"purpose": "step_up", "bound_to": "chg_1", "now": NOW, **changed}
    return expiry_of(challenge, key, **asked)  # type: ignore[arg-type]


def test_a_challenge_says_until_when_it_counts() -> None:
    """Up to its last moment, and not in it."""
    end = NOW + LIFETIMES["step_up"]
    assert [expiry(), expiry(now=end - 0.5), expiry(now=end), expiry(now=end + 1)] == [end, end, None, None]


@pytest.mark.parametrize("purpose", ["register", "sign_in"])
def test_what_was_asked_for_one_purpose_answers_no_other(purpose: Purpose) -> None:
    """A signature to register signs nobody in."""
    assert expiry(purpose=purpose) is None


@pytest.mark.parametrize("bound_to", ["chg_2", "", "chg_1\n", "CHG_1"])
def test_a_challenge_is_good_for_one_sign_in_alone(bound_to: str) -> None:
    """Another's interaction, session or challenge is not it."""
    assert expiry(bound_to=bound_to) is None


def test_nobody_else_makes_challenges() -> None:
    """Every byte counts, and so does the key."""
    for place in range(len(OURS)):
        assert expiry(OURS[:place] + bytes((OURS[place] ^ 1,)) + OURS[place + 1 :]) is None
    assert expiry(key=b"x" * 32) is None
    assert [expiry(other) for other in (b"", OURS[:-1], OURS + b"\x00")] == [None, None, None]


def test_purpose_and_owner_are_not_mixed_up() -> None:
    """What is bound to text that looks like another purpose stays what it is."""
    odd = new_challenge(KEY, purpose="sign_in", bound_to="x\nstep_up\nchg_1", random=RANDOM, now=NOW)
    assert expiry(odd) is None


def test_a_challenge_is_remembered_by_what_says_nothing_of_it() -> None:
    """And each by another."""
    other = new_challenge(KEY, purpose="step_up", bound_to="chg_1", random=b"s" * 16, now=NOW)
    assert len({replay_digest(OURS), replay_digest(other), OURS}) == 3


def test_too_little_chance_is_refused() -> None:
    """16 bytes, as the standard asks."""
    with pytest.raises(ValueError, match="16 random bytes"):
        new_challenge(KEY, purpose="step_up", bound_to="chg_1", random=b"r" * 15, now=NOW)


def test_a_person_has_one_handle_that_does_not_name_them() -> None:
    """The same each time, another's is another, another gateway's is another."""
    handles = {user_handle(KEY, "id-alice"), user_handle(KEY, "id-bob"), user_handle(b"x" * 32, "id-alice")}
    assert len(handles) == 3
    assert user_handle(KEY, "id-alice") in handles
    assert all(len(handle) == 32 for handle in handles)
