"""Who may see the own account, and who may change it: the table of every answer."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.claims import Authentication, by_password
from auth_gateway.core.decision import Allow, Challenge, Deny
from auth_gateway.core.factor import by_passkey, by_password_and, by_trusted_device
from auth_gateway.core.provider.account_access import (
    FRESH_SECONDS,
    Grounds,
    access,
    demand_of,
    is_strengthened,
    visit_step,
)
from auth_gateway.core.provider.authorization import AccountVisit
from auth_gateway.core.provider.journey import GiveCode, SignIn, Standing, StepUp
from auth_gateway.core.session import Session

NOW = 1_800_000_000.0
TOTP = by_password_and("totp", NOW)
PASSKEY = by_password_and("passkey", NOW)
QUIET, ASKED, SAME_CLIENT = Allow("low"), Challenge("medium"), Allow("medium_same_client")


def session(authentication: Authentication = by_password(NOW), **changed: Any) -> Session:  # noqa: B008 -- frozen
    known: dict[str, Any] = {
        "session_id": "s1",
        "user_id": "alice",
        "client_id": "app",
        "amr": authentication.amr_text,
        "acr": authentication.acr,
        "auth_time": authentication.auth_time,
        "ip": "198.51.100.9",
        "user_agent": "Firefox",
        "device_digest": None,
        "risk_score": 10.0,
        "created_at": NOW,
        "expires_at": NOW + 1000,
    }
    return Session(**{**known, **changed})


def grounds(authentication: Authentication = by_password(NOW), **changed: Any) -> Grounds:  # noqa: B008 -- frozen
    fields = Grounds.__struct_fields__
    known: dict[str, Any] = {
        "session": session(authentication, **{name: changed.pop(name) for name in list(changed) if name not in fields}),
        "kinds": ("totp",),
        "decision": QUIET,
        "level": "low",
        "demand": "enrolled",
        "is_same_place": True,
    }
    return Grounds(**{**known, **changed})


@pytest.mark.parametrize(
    ("situation", "sensitive", "plain"),
    [
        (grounds(decision=Deny("high"), level="high"), "end", "end"),
        (grounds(TOTP, decision=Deny("high"), level="high"), "end", "end"),
        # Whoever has a factor shows it; to look around needs none.
        (grounds(), "step_up", "enter"),
        (grounds(TOTP), "enter", "enter"),
        (grounds(by_passkey(NOW)), "enter", "enter"),
        (grounds(by_trusted_device(NOW)), "step_up", "enter"),
        (grounds(by_password_and("email_code", NOW)), "step_up", "enter"),
        # At medium it must have been shown from here.
        (grounds(TOTP, decision=SAME_CLIENT, level="medium"), "enter", "enter"),
        (grounds(TOTP, decision=SAME_CLIENT, level="medium", is_same_place=False), "step_up", "enter"),
        (grounds(TOTP, decision=ASKED, level="medium"), "enter", "enter"),
        (grounds(TOTP, decision=ASKED, level="medium", is_same_place=False), "step_up", "step_up"),
        (grounds(TOTP, is_same_place=False), "enter", "enter"),
        # Near the deny mark only what cannot be phished.
        (grounds(TOTP, decision=ASKED, level="medium", demand="phishing_resistant"), "sign_in", "sign_in"),
        (grounds(TOTP, decision=SAME_CLIENT, level="medium", demand="phishing_resistant"), "not_now", "enter"),
        (
            grounds(TOTP, decision=ASKED, level="medium", demand="phishing_resistant", kinds=("passkey", "totp")),
            "step_up",
            "step_up",
        ),
        (grounds(PASSKEY, decision=ASKED, level="medium", demand="phishing_resistant"), "enter", "enter"),
        # Without a score a code is worth no more than a password.
        (
            grounds(decision=Challenge("unscored_changed_context"), level=None, is_same_place=False),
            "sign_in",
            "sign_in",
        ),
        (grounds(decision=Allow("unscored_same_context"), level=None), "step_up", "enter"),
        (grounds(TOTP, decision=Allow("unscored_same_context"), level=None), "enter", "enter"),
        # Nothing but a password: only where all is quiet, and was.
        (grounds(kinds=()), "enter", "enter"),
        (grounds(kinds=("email_code",)), "enter", "enter"),
        (grounds(kinds=(), auth_time=int(NOW) - FRESH_SECONDS), "enter", "enter"),
        (grounds(kinds=(), auth_time=int(NOW) - FRESH_SECONDS - 1), "sign_in", "enter"),
        (grounds(kinds=(), decision=SAME_CLIENT, level="medium"), "not_now", "enter"),
        (grounds(kinds=(), decision=Allow("medium_allowed"), level="medium"), "not_now", "enter"),
        (grounds(kinds=(), decision=ASKED, level="medium"), "sign_in", "sign_in"),
        (grounds(kinds=(), decision=Allow("unscored_same_context"), level=None), "not_now", "enter"),
        (grounds(kinds=(), risk_score=None), "not_now", "enter"),
        (grounds(kinds=(), risk_score=59.9), "enter", "enter"),
        (grounds(kinds=(), risk_score=60.0), "not_now", "enter"),
        (grounds(by_password_and("email_code", NOW), kinds=("email_code",), risk_score=65.0), "not_now", "enter"),
    ],
)
def test_what_a_request_may_do(situation: Grounds, sensitive: str, plain: str) -> None:
    """To change how the account is proven, and to look at it."""
    assert access(situation, is_sensitive=True, now=NOW) == sensitive
    assert access(situation, is_sensitive=False, now=NOW) == plain


def test_a_factor_that_was_shown_grows_old() -> None:
    """A quarter of an hour, counted from when it was shown and not from the password before."""
    shown = session(TOTP, auth_time=int(NOW) - 40_000)
    assert is_strengthened(shown, NOW + FRESH_SECONDS)
    assert not is_strengthened(shown, NOW + FRESH_SECONDS + 0.001)


@pytest.mark.parametrize(
    ("decision", "score", "demand"),
    [
        (QUIET, 10.0, "enrolled"),
        (QUIET, None, "enrolled"),
        (ASKED, 74.9, "enrolled"),
        (SAME_CLIENT, 75.0, "phishing_resistant"),
        (Challenge("high_step_up", demand="phishing_resistant"), None, "phishing_resistant"),
    ],
)
def test_what_a_factor_must_be(decision: Allow | Challenge, score: float | None, demand: str) -> None:
    """Never a code by mail, which answers a login's challenge; near the deny mark what cannot be phished."""
    assert demand_of(decision, score, phishing_resistant_from=75.0) == demand


@pytest.mark.parametrize(
    ("visit", "standing", "step"),
    [
        (AccountVisit(), Standing(), SignIn()),
        (AccountVisit(), Standing(session=session()), GiveCode()),
        (AccountVisit(insufficient="s1"), Standing(session=session()), SignIn()),
        (AccountVisit(insufficient="s1"), Standing(session=session(), factors=("totp",)), StepUp("enrolled")),
        (AccountVisit(insufficient="s1"), Standing(session=session(), factors=("email_code",)), SignIn()),
        (AccountVisit(insufficient="s1", needs_login=True), Standing(session=session(), factors=("totp",)), SignIn()),
        (AccountVisit(insufficient="s0"), Standing(session=session(), factors=("totp",)), GiveCode()),
        (
            AccountVisit(insufficient="s1", demand="phishing_resistant"),
            Standing(session=session(), factors=("passkey", "totp")),
            StepUp("phishing_resistant"),
        ),
        (AccountVisit(is_sensitive=True), Standing(session=session()), GiveCode()),
        (AccountVisit(is_sensitive=True), Standing(session=session(), factors=("totp",)), StepUp("enrolled")),
        (AccountVisit(is_sensitive=True), Standing(session=session(TOTP), factors=("totp",)), GiveCode()),
    ],
)
def test_the_way_to_the_account(visit: AccountVisit, standing: Standing, step: object) -> None:
    """A session that did not do is left behind or made stronger; one that is strong enough goes on."""
    assert visit_step(visit, standing, now=NOW) == step


def test_a_visit_survives_the_database() -> None:
    """What is kept of it is what was begun."""
    visit = AccountVisit(page="/passkeys", is_sensitive=True, insufficient="s1", demand="phishing_resistant")
    assert msgspec.json.decode(msgspec.json.encode(visit), type=AccountVisit) == visit
