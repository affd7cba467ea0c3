"""Recovery codes as they are drawn, typed and kept."""

import pytest

from auth_gateway.core.recovery_code import ALPHABET, CODE_BYTES, code_digest, drawn_code, normal_code

KEY = b"k" * 32


def test_a_code_shows_every_bit_that_was_drawn() -> None:
    """Four groups of four signs, of 80 bits."""
    assert drawn_code(bytes(CODE_BYTES)) == "0000-0000-0000-0000"
    assert drawn_code(b"\xff" * CODE_BYTES) == "zzzz-zzzz-zzzz-zzzz"
    assert drawn_code(bytes(9) + b"\x01") == "0000-0000-0000-0001"
    assert drawn_code(b"\x80" + bytes(9)) == "g000-0000-0000-0000"
    assert len(set(ALPHABET)) == 32


def test_too_few_bytes_make_no_code() -> None:
    """A short draw would be a code that can be guessed."""
    with pytest.raises(ValueError, match="random bytes"):
        drawn_code(bytes(9))


@pytest.mark.parametrize(
    "typed", ["abcd-efgh-jkmn-pq01", "ABCDEFGHJKMNPQ01", " abcd efgh jkmn pqoi ", "abcd-efgh-jkmn-pqOL"]
)
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    """Case, spaces and dashes say nothing; o is 0, i and l are 1."""
    assert normal_code(typed) == "abcdefghjkmnpq01"


@pytest.mark.parametrize(
    "typed", ["", "abcd-efgh-jkmn-pq0", "abcd-efgh-jkmn-pq011", "abcd-efgh-jkmn-pq0u", "ａ" * 16, "0" * 65]
)
def test_what_is_no_code_is_looked_up_nowhere(typed: str) -> None:
    """Too short, too long, with a sign that no code has."""
    assert normal_code(typed) is None
    assert code_digest(KEY, "alice", typed) is None


def test_a_digest_is_one_persons_and_one_keys() -> None:
    """The same code of two people has nothing in common."""
    digest = code_digest(KEY, "alice", "0000-0000-0000-0001")
    assert digest == code_digest(KEY, "alice", "000000000000000l")
    assert digest != code_digest(KEY, "bob", "0000-0000-0000-0001")
    assert digest != code_digest(b"j" * 32, "alice", "0000-0000-0000-0001")
