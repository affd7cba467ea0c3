"""What a new password must be."""

import pytest

from auth_gateway.core.password_rules import problem_of


@pytest.mark.parametrize(
    ("length", "has_factor", "problem"),
    [
        (7, True, "too_short"),
        (8, True, None),
        (14, False, "too_short"),
        (15, False, None),
        (256, False, None),
        (257, True, "too_long"),
    ],
)
def test_length_is_all_that_is_asked(length: int, has_factor: bool, problem: str | None) -> None:
    """Of one character even: what is asked of the characters only makes people write them down."""
    assert problem_of("ü" * length, has_factor=has_factor, is_listed=False) == problem


def test_what_others_guess_first_is_refused() -> None:
    """However long it is."""
    assert problem_of("correct horse battery", has_factor=True, is_listed=True) == "common"


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("Alice.Doe2026", "personal"),
        ("alice.doe.20266", None),
        ("ALICEALICE1", "personal"),
        ("doe@example.org", "personal"),
        ("riskgate123", "personal"),
        ("alice likes green tea", None),
        ("tealeaves7", None),
    ],
)
def test_a_name_and_little_else_is_refused(password: str, problem: str | None) -> None:
    """User name, mail address, the service's own name; inside a longer password they are no harm."""
    names = ("alice.doe", "doe@example.org", "riskgate", "ea")
    assert problem_of(password, has_factor=True, is_listed=False, names=names) == problem
