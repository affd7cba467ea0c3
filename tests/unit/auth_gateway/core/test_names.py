"""The one form in which names and passwords are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_gateway.core.names import prepare_password, prepare_username


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("alice", "alice"),
        ("Alice", "alice"),
        ("ALICE@Example.COM", "alice@example.com"),
        ("ａｌｉｃｅ", "alice"),  # full width
        ("Jose\u0301", "josé"),
        ("JOSÉ", "josé"),
        ("Ωμέγα", "ωμέγα"),
        ("a" * 254, "a" * 254),
    ],
)
def test_spellings_of_one_name_meet(raw: str, expected: str) -> None:
    """Case, width and composition do not make another person."""
    assert prepare_username(raw) == expected


@pytest.mark.parametrize(
    "raw",
    ["", "a" * 255, "a b", "a\0b", "a\nb", "a\u00a0b", "a\u200db", "ﬁx", "a\ud800", "①", "a\u202eb", "\U000e0041", "☃"],
)
def test_some_texts_are_nobodys_name(raw: str) -> None:
    """Spaces, controls, joiners, compatibility forms, surrogates and overlong texts name nobody."""
    assert prepare_username(raw) is None


@given(st.text(max_size=300))
def test_preparing_a_name_twice_changes_nothing(raw: str) -> None:
    """A stored name finds itself."""
    prepared = prepare_username(raw)
    assert prepared is None or prepare_username(prepared) == prepared


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Password123!", "Password123!"),
        ("Pass\u00a0word", "Pass word"),
        ("pa\u0308ss", "päss"),
        ("ＰＡＳＳ", "ＰＡＳＳ"),  # width and case are kept
        ("a" * 1024, "a" * 1024),
        ("tab\there", "tab\there"),
        ("", None),
        ("a" * 1025, None),
        ("a\0b", None),
        ("a\ud800", None),
        ("\U0001f600" * 1024, "\U0001f600" * 1024),  # exactly 4096 bytes
    ],
)
def test_passwords_are_compared_in_one_form(raw: str, expected: str | None) -> None:
    """Composition and kinds of space do not matter; what nobody can have is nobody's."""
    assert prepare_password(raw) == expected


def test_a_password_that_grows_past_the_byte_limit_is_nobodys() -> None:
    """The limit holds for the prepared form: one character may become three."""
    assert prepare_password("\U0001d160" * 1024) is None


@given(st.text(max_size=100))
def test_preparing_a_password_twice_changes_nothing(raw: str) -> None:
    """A password survives being prepared by two layers."""
    prepared = prepare_password(raw)
    assert prepared is None or prepare_password(prepared) == prepared
