"""What factors a challenge takes, and what each of them makes of a login."""

from itertools import product

import pytest

from auth_gateway.core.factor import (
    FACTOR_KINDS,
    Demand,
    FactorKind,
    by_one_more,
    by_passkey,
    by_password_and,
    by_trusted_device,
    is_enrolled,
    is_shown,
    stricter,
    usable,
)

DEMANDS: tuple[Demand, ...] = ("any", "enrolled", "phishing_resistant")


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        ("any", ("passkey", "totp", "push", "recovery_code", "email_code")),
        ("enrolled", ("passkey", "totp", "push", "recovery_code")),
        ("phishing_resistant", ("passkey",)),
    ],
)
def test_a_challenge_takes_what_answers_its_demand(demand: Demand, expected: tuple[FactorKind, ...]) -> None:
    """The strongest first, whatever order they come in, and only those that the person has."""
    assert usable(tuple(reversed(FACTOR_KINDS)), demand) == expected
    assert usable((), demand) == ()


def test_the_stricter_of_two_demands_counts() -> None:
    """In whatever order they are given."""
    for one, other in product(DEMANDS, DEMANDS):
        assert stricter(one, other) == DEMANDS[max(DEMANDS.index(one), DEMANDS.index(other))]


@pytest.mark.parametrize(
    ("kind", "amr", "acr"),
    [
        ("passkey", ("pwd", "pop", "user", "mfa"), "phr"),
        ("totp", ("pwd", "otp", "mfa"), "aal2"),
        ("push", ("pwd", "mca", "mfa"), "aal2"),
        ("recovery_code", ("pwd", "otp", "mfa"), "aal2"),
        ("email_code", ("pwd", "mca"), "aal1"),
    ],
)
def test_a_factor_beside_the_password_reaches_its_level(kind: FactorKind, amr: tuple[str, ...], acr: str) -> None:
    """A code by mail reaches none above the password's."""
    recognised = by_password_and(kind, 5.9)
    assert (recognised.amr, recognised.acr, recognised.auth_time) == (amr, acr, 5)


def test_a_passkey_alone_is_several_factors_and_no_password() -> None:
    """Possession and the user's own check."""
    assert (by_passkey(5.9).amr, by_passkey(5.9).acr) == (("pop", "user", "mfa"), "phr")


def test_a_trusted_device_stands_for_a_factor_and_shows_none() -> None:
    """It reaches the level, and whoever asks what was shown is told nothing was."""
    assert by_trusted_device(5.0).acr == "aal2"
    assert not is_shown(by_trusted_device(5.0).amr)
    shown = [is_shown(by_password_and(kind, 5.0).amr) for kind in FACTOR_KINDS]
    assert shown == [True, True, True, True, False]
    assert is_shown(by_passkey(5.0).amr)


def test_a_verified_address_is_no_enrolled_factor() -> None:
    """Everything else is."""
    assert [is_enrolled((kind,)) for kind in FACTOR_KINDS] == [True, True, True, True, False]
    assert not is_enrolled(())


@pytest.mark.parametrize(
    ("before", "kind", "amr", "acr"),
    [
        ("pwd", "totp", ("pwd", "otp", "mfa"), "aal2"),
        ("pwd otp mfa", "passkey", ("pwd", "pop", "user", "mfa"), "phr"),
        ("pwd otp mfa", "email_code", ("pwd", "mca"), "aal1"),
        ("pwd mfa", "push", ("pwd", "mca", "mfa"), "aal2"),
        ("pop user mfa", "push", ("pop", "user", "mca", "mfa"), "aal2"),
        ("pop user mfa", "totp", ("pop", "user", "otp", "mfa"), "aal2"),
        ("pop user mfa", "passkey", ("pop", "user", "mfa"), "phr"),
        ("pop user mfa", "email_code", ("pop", "user", "mca"), "aal1"),
    ],
)
def test_one_more_factor_claims_no_password_that_was_not_shown(
    before: str, kind: FactorKind, amr: tuple[str, ...], acr: str
) -> None:
    """And a code by mail, whatever was shown an hour ago, makes nobody strong now."""
    added = by_one_more(before.split(), kind, 5.9)
    assert (added.amr, added.acr, added.auth_time) == (amr, acr, 5)
