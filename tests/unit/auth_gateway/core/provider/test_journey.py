"""What a person must still do, by what was asked for and by who is signed in."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.provider.authorization import AuthorizationRequest
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.journey import GiveCode, Refuse, SignIn, Standing, Step, StepUp, next_step
from auth_gateway.core.session import Session

NOW = 1_700_000_000.0
SHOP = RegisteredClient(
    client_id="shop", grant_types=("authorization_code",), redirect_uris=("https://app.example/cb",)
)
REQUEST = AuthorizationRequest(
    client_id="shop", redirect_uri="https://app.example/cb", scope="openid", code_challenge="c" * 43
)
ALICE = Session(
    session_id="s",
    user_id="alice",
    client_id="shop",
    amr="pwd",
    acr="aal1",
    auth_time=int(NOW),
    ip="198.51.100.9",
    user_agent="Firefox",
    device_digest=None,
    risk_score=None,
    created_at=NOW,
    expires_at=NOW + 43_200,
)
AGAIN: list[dict[str, Any]] = [{"prompt": ("login",)}, {"prompt": ("select_account",)}, {"max_age": 0}]
"""A login inside the request is asked for, however fresh the last one is."""


def step(wish: dict[str, Any], *, began_at: float | None = None, now: float = NOW, **session: Any) -> Step:
    request, alice = msgspec.structs.replace(REQUEST, **wish), msgspec.structs.replace(ALICE, **session)
    return next_step(request, SHOP, Standing(session=alice), began_at=began_at, now=now)


@pytest.mark.parametrize("wish", AGAIN)
@pytest.mark.parametrize("created_at", [NOW - 1, NOW, NOW + 1], ids=["before", "the same moment", "clock stepped back"])
def test_who_was_signed_in_before_signs_in_again(wish: dict[str, Any], created_at: float) -> None:
    """At the authorization endpoint no session can be the answer to this request, whatever its time says."""
    assert step(wish, created_at=created_at, auth_time=int(created_at)) == SignIn()


@pytest.mark.parametrize("wish", [*AGAIN, {"max_age": 5}])
@pytest.mark.parametrize("later", [0.0, 600.0])
def test_a_login_in_the_interaction_is_the_answer(wish: dict[str, Any], later: float) -> None:
    """Asked once, at the same moment too, and however long the cards after it take."""
    assert step(wish, began_at=NOW, now=NOW + later) == GiveCode()


@pytest.mark.parametrize(("age", "expected"), [(60, GiveCode()), (61, SignIn())])
def test_a_login_may_be_as_old_as_was_asked_for(age: int, expected: Step) -> None:
    """`max_age` counts from the password, at both sides of its bound."""
    assert step({"max_age": 60}, now=NOW + age) == expected
    # A code renews no password: the session that a step-up makes here is as old as the login before it.
    assert step({"max_age": 60}, began_at=NOW + 30, now=NOW + age, created_at=NOW + 40) == expected


@pytest.mark.parametrize("began_at", [None, NOW])
def test_somebody_else_than_who_was_named_signs_in(began_at: float | None) -> None:
    """An ID token names Bob, and Alice is here."""
    assert step({"id_token_hint_sub": "bob"}, began_at=began_at) == SignIn()
    assert step({"id_token_hint_sub": "alice"}, began_at=began_at) == GiveCode()


def test_where_nothing_may_be_shown_the_application_is_told() -> None:
    """`prompt=none` turns the card into an error."""
    answer = step({"prompt": ("none",), "max_age": 0})
    assert isinstance(answer, Refuse)
    assert answer.error == "login_required"
    assert step({"prompt": ("none",)}) == GiveCode()


@pytest.mark.parametrize(
    ("level", "factors", "expected"),
    [
        ("aal2", ("passkey",), StepUp("enrolled")),
        ("aal2", ("totp", "email_code"), StepUp("enrolled")),
        ("aal2", ("recovery_code",), StepUp("enrolled")),
        ("aal2", ("email_code",), None),
        ("aal2", (), None),
        ("phr", ("passkey", "totp"), StepUp("phishing_resistant")),
        ("phr", ("totp", "recovery_code", "email_code"), None),
    ],
)
def test_nobody_is_asked_for_a_factor_that_does_not_reach_the_level(level: str, factors: Any, expected: Any) -> None:
    """Else the card would come again and again: whoever cannot reach it goes back with the error for that."""
    request = msgspec.structs.replace(REQUEST, acr_values=(level,))
    found = next_step(request, SHOP, Standing(session=ALICE, factors=factors), began_at=None, now=NOW)
    if expected is None:
        assert isinstance(found, Refuse)
        assert found.error == "unmet_authentication_requirements"
    else:
        assert found == expected


@pytest.mark.parametrize("acr", ["aal2", "phr"])
def test_a_passkey_reaches_every_level(acr: str) -> None:
    """Above two factors stands the one that cannot be phished."""
    assert step({"acr_values": (acr,)}, acr="phr", amr="pwd pop user mfa") == GiveCode()


@pytest.mark.parametrize(
    ("levels", "factors", "expected"),
    [
        (("phr", "aal2"), ("totp",), StepUp("enrolled")),
        (("phr", "aal2"), ("passkey", "totp"), StepUp("enrolled")),
        (("aal2", "phr"), ("passkey",), StepUp("enrolled")),
        (("phr", "aal1"), ("passkey",), GiveCode()),
        (("phr",), ("passkey", "totp"), StepUp("phishing_resistant")),
    ],
)
def test_any_of_the_levels_that_are_named_will_do(levels: tuple[str, ...], factors: Any, expected: Any) -> None:
    """In whatever order: whoever cannot reach the preferred one is asked for the next (OpenID Connect Core 3.1.2.1)."""
    request = msgspec.structs.replace(REQUEST, acr_values=levels)
    assert next_step(request, SHOP, Standing(session=ALICE, factors=factors), began_at=None, now=NOW) == expected


def test_whoever_has_reached_one_of_the_levels_is_not_asked_again() -> None:
    """Two factors were shown, and a passkey was only preferred."""
    assert step({"acr_values": ("phr", "aal2")}, acr="aal2", amr="pwd otp mfa") == GiveCode()
