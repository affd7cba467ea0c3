"""Each letter can be written in each language, says what it is about, and nothing that a value says is believed."""

from typing import get_args

import pytest

from auth_gateway.adapters.catalogues import shipped_texts
from auth_gateway.adapters.letters import LONGEST_VALUE, LetterWriter
from auth_gateway.core.letter import Letter, LetterKind, Posted, Written
from auth_gateway.core.texts import LANGUAGES

WRITER = LetterWriter(texts=shipped_texts(), service="Beispiel", default_language="de")
VALUES = {
    "name": "Alice",
    "username": "alice.b",
    "at": "1800000000.5",
    "place": "Zürich",
    "device": "Firefox",
    "code": "12345678",
}


def written(letter: Letter) -> Written:
    return WRITER.write(Posted(letter=letter, posted_at=1_800_000_060.0))


LINKED = {"new_sign_in", "recover", "verify_email"}
LINK = "https://login.example/link/x?a=1&b=2"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", get_args(LetterKind))
def test_each_letter_can_be_written(kind: LetterKind, language: str) -> None:
    """With the service's name and its link when it has one; no placeholder is left."""
    values = {**VALUES, "link": LINK} if kind in LINKED else VALUES
    letter = written(Letter(to="a@b.c", kind=kind, language=language, values=values))
    assert "Beispiel" in letter.subject
    assert "{" not in letter.subject + letter.text + letter.html
    assert (LINK in letter.text.splitlines()) == (kind in LINKED)
    assert ('href="https://login.example/link/x?a=1&amp;b=2"' in letter.html) == (kind in LINKED)
    assert f'lang="{language}"' in letter.html


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Hello Alice"), ("de", "Guten Tag Alice"), ("", "Guten Tag"), ("fr", "Guten Tag")]
)
def test_a_letter_has_its_persons_language(language: str, said: str) -> None:
    """Or the operator's, where it is none of ours."""
    assert said in written(Letter(to="a@b.c", kind="password_changed", language=language, values=VALUES)).text


def test_a_moment_is_told_to_the_minute_and_with_its_zone() -> None:
    """Whoever reads it may be anywhere."""
    assert (
        "2027-01-15 08:00 UTC" in written(Letter(to="a@b.c", kind="new_sign_in", values={**VALUES, "link": LINK})).text
    )


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Where: an unknown place"), ("de", "Von: einem unbekannten Ort")]
)
def test_an_unknown_place_is_said_to_be_unknown(language: str, said: str) -> None:
    """And not left out, which would read as if nothing were wrong."""
    values = {**VALUES, "link": LINK, "place": ""}
    assert said in written(Letter(to="a@b.c", kind="new_sign_in", language=language, values=values)).text


@pytest.mark.parametrize("hostile", ["<b>x</b>", "x\n\nSubject: y", "{service}{to}", "x" * 5000, "\u202ex", "\x1b[31m"])
def test_a_value_is_text_on_one_line(hostile: str) -> None:
    """No markup, no line of its own, no placeholder, no endless text, no direction and no colour."""
    letter = written(Letter(to="a@b.c", kind="password_changed", language="en", values={**VALUES, "name": hostile}))
    plain = written(Letter(to="a@b.c", kind="password_changed", language="en", values={**VALUES, "name": ""}))
    assert len(letter.text.splitlines()) == len(plain.text.splitlines())
    assert "<b>" not in letter.html
    assert len(letter.text) <= len(plain.text) + LONGEST_VALUE
    assert all(sign.isprintable() or sign == "\n" for sign in letter.text)
    assert ("{service}{to}" in letter.text) == (hostile == "{service}{to}")


def test_a_letter_without_a_moment_is_about_when_it_was_posted() -> None:
    """Whoever posts it need not say it twice."""
    values = {"name": "Alice"}
    assert "2027-01-15 08:01 UTC" in written(Letter(to="a@b.c", kind="password_changed", values=values)).text
