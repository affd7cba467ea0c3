"""Who came with a password that others guess first chooses another, once they have shown what they have."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.factor import FactorKind
from auth_gateway.core.provider.account_access import FRESH_SECONDS
from auth_gateway.core.provider.journey import (
    AskConsent,
    ChooseNewPassword,
    GiveCode,
    Refuse,
    SignIn,
    Standing,
    Step,
    StepUp,
)
from auth_gateway.core.provider.owed_password import before_going_on, owes_new_password
from tests.unit.auth_gateway.core.provider.test_journey import ALICE, NOW

TWO_FACTORS = {"amr": "pwd otp mfa", "acr": "aal2"}
TRUSTED = {"amr": "pwd mfa", "acr": "aal2"}
BY_PASSKEY = {"amr": "pop user mfa", "acr": "phr"}


def after(
    step: Step, *kinds: FactorKind, owes: bool = True, is_silent: bool = False, age: float = 0, **session: Any
) -> Step:
    standing = Standing(session=msgspec.structs.replace(ALICE, **session), factors=kinds, owes_new_password=owes)
    return before_going_on(step, standing, is_silent=is_silent, now=NOW + age)


@pytest.mark.parametrize("step", [GiveCode(), AskConsent("openid")])
def test_nothing_is_given_and_nothing_asked_before_it(step: Step) -> None:
    """Only where one is owed."""
    assert after(step) == ChooseNewPassword()
    assert after(step, owes=False) == step


@pytest.mark.parametrize("step", [SignIn(), StepUp("any"), Refuse("login_required", "")])
def test_what_proves_who_somebody_is_comes_first(step: Step) -> None:
    """A stranger with the password alone does not choose the next one."""
    assert after(step) == step


@pytest.mark.parametrize(
    ("session", "age", "expected"),
    [
        ({}, 0, StepUp("enrolled")),
        (TRUSTED, 0, StepUp("enrolled")),
        (TWO_FACTORS, FRESH_SECONDS, ChooseNewPassword()),
        (TWO_FACTORS, FRESH_SECONDS + 1, StepUp("enrolled")),
    ],
)
def test_who_has_a_factor_shows_it_first(session: dict[str, Any], age: float, expected: Step) -> None:
    """A short while ago at most, and a trusted browser shows none."""
    assert after(GiveCode(), "totp", age=age, **session) == expected


@pytest.mark.parametrize(("age", "expected"), [(FRESH_SECONDS, ChooseNewPassword()), (FRESH_SECONDS + 1, SignIn())])
def test_who_has_none_has_just_shown_the_password(age: float, expected: Step) -> None:
    """Whoever finds an open browser does not set its owner's password; a code by mail is no factor of one's own."""
    assert after(GiveCode(), "email_code", age=age) == expected


def test_who_may_be_asked_nothing_is_refused() -> None:
    """`prompt=none` gets no code either."""
    answer = after(GiveCode(), is_silent=True)
    assert isinstance(answer, Refuse)
    assert answer.error == "interaction_required"


@pytest.mark.parametrize(
    ("session", "is_listed", "expected"), [({}, True, True), ({}, False, False), (BY_PASSKEY, True, False)]
)
def test_who_showed_no_password_owes_none(session: dict[str, str], is_listed: bool, expected: bool) -> None:
    """A passkey alone says nothing for or against the password."""
    assert owes_new_password(msgspec.structs.replace(ALICE, **session), is_password_listed=is_listed) is expected
