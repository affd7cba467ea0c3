"""What a receiver's answer to a pushed token means (RFC 8935, sections 2.2 to 2.4)."""

import pytest

from auth_gateway.adapters.ssf.push import REMEDY, judged
from auth_gateway.core.ssf.set_error import error_code
from webhooks.transport import Attempt


@pytest.mark.parametrize(
    ("code", "is_final", "remedy"),
    [
        ("invalid_request", True, ""),
        ("invalid_issuer", True, ""),
        ("invalid_audience", True, ""),
        ("invalid_state", True, ""),
        ("invalid_key", False, ""),
        ("authentication_failed", False, REMEDY),
        ("access_denied", False, REMEDY),
        ("something_new", False, ""),
    ],
)
def test_the_word_of_a_400_decides(code: str, is_final: bool, remedy: str) -> None:
    """Refused for what it says: never again. Refused for who we are: all of them wait. Anything else may be mended."""
    attempt = judged(Attempt(status=400, problem="status_400", answer=f'{{"err": "{code}"}}'.encode()))
    assert (attempt.problem, attempt.is_final, attempt.remedy) == (f"set_{code}", is_final, remedy)


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b'{"err": 5}', b"\xff", b"[" * 3_000, b'{"err": ""}'])
def test_a_400_without_a_word_is_an_answer_like_any(answer: bytes) -> None:
    """A proxy's, for example: it is tried again."""
    attempt = Attempt(status=400, problem="status_400", answer=answer)
    assert judged(attempt) == attempt


def test_a_word_in_another_answer_means_nothing() -> None:
    """Only a 400 has one."""
    attempt = Attempt(status=500, problem="status_500", answer=b'{"err": "invalid_request"}')
    assert judged(attempt) == attempt
    assert judged(Attempt(status=202)).is_delivered


@pytest.mark.parametrize("status", [401, 403])
def test_who_does_not_know_us_holds_the_stream_back(status: int) -> None:
    """Every token would be refused."""
    assert judged(Attempt(status=status, problem=f"status_{status}")).remedy == REMEDY


def test_no_answer_ends_a_stream() -> None:
    """410 is no word of this protocol."""
    attempt = judged(Attempt(status=410, problem="status_410"))
    assert (attempt.is_gone, attempt.is_delivered, attempt.problem) == (False, False, "status_410")


@pytest.mark.parametrize(
    ("said", "code"),
    [("", ""), ("invalid_key", "invalid_key"), ("a" * 40, "a" * 40), ("a" * 41, "unknown"), ("a b\n", "unknown")],
)
def test_only_a_plain_word_is_written_down(said: str, code: str) -> None:
    """A receiver may say anything."""
    assert error_code(said) == code
