"""What is held against a person: how it rises, fades and falls, and which lines say so."""

from typing import Any

import pytest

from auth_gateway.core import detections
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.detections import Move, move_of
from auth_gateway.core.facts import Facts
from auth_gateway.core.user_risk import (
    HALF_LIFE_SECONDS,
    NO_RISK,
    OF_VERDICT,
    Detection,
    Relief,
    UserRisk,
    lowered,
    raised,
    user_level,
)

NOW = 1_700_000_000.0


def at(value: float, **more: Any) -> UserRisk:
    return UserRisk(value=value, at=NOW, **more)


def seen(weight: float, **more: Any) -> Detection:
    return Detection(source="login", reason="x", weight=weight, **more)


@pytest.mark.parametrize(
    ("value", "level"),
    [(0.0, "none"), (0.1, "low"), (59.9, "low"), (60.0, "medium"), (79.9, "medium"), (80.0, "high"), (100.0, "high")],
)
def test_levels_are_those_of_logins(value: float, level: str) -> None:
    """And nothing at all is none."""
    assert user_level(value) == level


@pytest.mark.parametrize(
    ("seconds", "left"),
    [(0.0, 80.0), (HALF_LIFE_SECONDS, 40.0), (2 * HALF_LIFE_SECONDS, 20.0), (7 * HALF_LIFE_SECONDS, 0.0), (-5.0, 80.0)],
)
def test_it_fades_to_its_half_and_is_none_in_the_end(seconds: float, left: float) -> None:
    """A clock that was set back raises nothing."""
    assert at(80.0).value_at(NOW + seconds) == pytest.approx(left)


def test_what_is_held_does_not_fade() -> None:
    """Neither by time nor by a factor, and a new detection keeps it so."""
    held = at(95.0, is_held=True)
    later = NOW + 100 * HALF_LIFE_SECONDS
    assert held.value_at(later) == 95.0
    assert lowered(held, detections.FACTOR_SHOWN, later) == held
    assert lowered(held, detections.PASSWORD_CHANGED, later) == held
    assert raised(held, seen(10), later).is_held
    assert lowered(held, detections.PASSWORD_RESET, later) == UserRisk(value=0.0, at=later)


@pytest.mark.parametrize(
    ("before", "weight", "most", "after"),
    [
        (0.0, 50.0, 100.0, 50.0),
        (50.0, 50.0, 100.0, 75.0),
        (50.0, 50.0, 60.0, 60.0),
        (70.0, 50.0, 60.0, 70.0),  # it takes nothing back
        (0.0, 100.0, 100.0, 100.0),
    ],
)
def test_detections_add_up_as_reasons_to_doubt(before: float, weight: float, most: float, after: float) -> None:
    """Each takes its share of what is left, up to its own end."""
    assert raised(at(before), seen(weight, most=most), NOW).value == pytest.approx(after)


def test_a_detection_counts_on_top_of_what_is_left() -> None:
    """Not of what was."""
    assert raised(at(80.0), seen(50), NOW + HALF_LIFE_SECONDS).value == pytest.approx(70.0)


def test_a_factor_takes_half() -> None:
    """And a rest of less than one is none."""
    assert lowered(at(70.0), detections.FACTOR_SHOWN, NOW).value == 35.0
    assert lowered(at(1.5), detections.FACTOR_SHOWN, NOW).value == 0.0


@pytest.mark.parametrize(("verdict", "value", "is_held"), [("safe", 0.0, False), ("dismissed", 0.0, False)])
def test_an_analyst_takes_back_whatever_is_held(verdict: Any, value: float, is_held: bool) -> None:
    """Safe and dismissed differ in what the scorer learns alone."""
    relief = OF_VERDICT[verdict]
    assert isinstance(relief, Relief)
    after = lowered(at(100.0, is_held=True), relief, NOW)
    assert (after.value, after.is_held) == (value, is_held)


def test_a_compromised_account_is_held_at_the_top() -> None:
    """Until its password is another one."""
    found = OF_VERDICT["compromised"]
    assert isinstance(found, Detection)
    assert raised(NO_RISK, found, NOW) == UserRisk(value=100.0, at=NOW, is_held=True)


def line(kind: Any, **more: Any) -> AuditEvent:
    return AuditEvent(event_id="evt_1", ts=NOW, kind=kind, user_id="alice", **more)


@pytest.mark.parametrize(
    ("said", "move"),
    [
        (line("login.denied", level="high", facts=Facts(path="login")), detections.HIGH_RISK_LOGIN),
        (line("login.challenged", level="high"), detections.HIGH_RISK_LOGIN),
        (line("login.challenged", level="medium"), None),
        (line("login.denied", level="high", facts=Facts(path="step_up")), detections.HIGH_RISK_ANSWER),
        (line("login.denied", level="high", session_id="s"), detections.HIGH_RISK_SESSION),
        (line("login.denied", level="high", rule="recovery_high"), detections.HIGH_RISK_RECOVERY),
        (line("login.denied", level="medium", rule="no_factor"), detections.MEDIUM_RISK_DENIED),
        (line("login.denied", level="medium", rule="password_reset_needed"), None),
        (line("login.denied", level="low", rule="no_factor"), None),
        (line("login.denied", level="low", rule="password_reset_needed"), None),
        (line("login.denied", rule="no_factor_unscored"), None),
        (line("token.denied", level="high"), detections.HIGH_RISK_SESSION),
        (line("token.denied", level="medium", rule="repeated_risk"), detections.REPEATED_RISK),
        (line("token.denied", level="low", rule="repeated_risk"), None),
        (line("device.denied", level="high"), detections.HIGH_RISK_DEVICE),
        (line("device.denied", level="low"), None),
        (line("token.reused"), detections.REFRESH_REUSED),
        (line("code.reused"), detections.CODE_REUSED),
        (line("challenge.failed"), detections.WRONG_FACTOR),
        (line("password.breached"), detections.LISTED_PASSWORD),
        (line("sign_in.reported"), detections.NOT_ME),
        (line("sign_in.confirmed"), None),
        (line("challenge.passed", facts=Facts(method="totp")), detections.FACTOR_SHOWN),
        (line("challenge.passed", facts=Facts(method="email_code")), None),
        (line("challenge.passed"), None),
        (line("login.allowed", facts=Facts(shown_phishing_resistant=True)), detections.FACTOR_SHOWN),
        (line("login.allowed", facts=Facts()), None),
        (line("user.password_changed"), detections.PASSWORD_RESET),
        (line("user.password_changed", session_id="s"), detections.PASSWORD_CHANGED),
        (line("account.recovered"), detections.PASSWORD_RESET),
        (line("user.frozen"), None),
    ],
)
def test_what_each_line_says_of_its_person(said: AuditEvent, move: Move | None) -> None:
    """The whole table, both sides of each condition."""
    assert move_of(said) == move


@pytest.mark.parametrize("rule", ["wrong_password", "unknown_user", "frozen", "passkey_unknown_credential"])
def test_a_stranger_who_only_guesses_raises_nothing(rule: str) -> None:
    """Or anybody could have anybody shut out."""
    assert move_of(line("login.failed", rule=rule)) is None


def test_whoever_knows_the_password_takes_nobody_to_high() -> None:
    """However often: the owner still gets in with any factor, which takes half of it back."""
    by_password = [
        detections.HIGH_RISK_LOGIN,
        detections.MEDIUM_RISK_DENIED,
        detections.WRONG_FACTOR,
        detections.LISTED_PASSWORD,
    ]
    risk = NO_RISK
    for detection in by_password * 50:
        risk = raised(risk, detection, NOW)
    assert user_level(risk.value) == "medium"
