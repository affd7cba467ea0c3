"""Every text that a page asks for exists, in every language, with the same placeholders."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from auth_gateway.adapters.catalogues import PLACE, shipped_texts
from auth_gateway.api.provider.assets import assets_of
from auth_gateway.api.provider.pages import TEMPLATES, templates
from auth_gateway.core.brand import Brand
from auth_gateway.core.texts import LANGUAGES

ROOT = Path(__file__).resolve().parents[4]
ROOMS = sorted({file.stem for file in PLACE.glob("*/*.toml")})
KEY = re.compile(rf"({'|'.join(ROOMS)})\.(?!html$|js$|css$)[a-z0-9_]+")
TEXTS = shipped_texts()
# Letters are plain text where they are sent as such: their room answers for its own markup.
OF_PAGES = [room for room in ROOMS if room != "mail"]
ALLOWED_TAGS = {"<strong>", "</strong>", "<code>", "</code>"}


def is_known(key: str) -> bool:
    """A text, one of two forms, a notice's pair, or the beginning of keys that are put together."""
    if key.endswith("_"):
        return any(each.startswith(key) for each in TEXTS.catalogues["en"])
    forms = [(key,), (f"{key}_one", f"{key}_other"), (f"{key}_heading", f"{key}_text")]
    return any(all(TEXTS.has(each) for each in form) for form in forms)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_the_same_texts_with_the_same_placeholders(language: str) -> None:
    """German says what English says, no more and no less."""
    ours, english = TEXTS.catalogues[language], TEXTS.catalogues["en"]
    assert sorted(ours) == sorted(english)
    assert [key for key in english if placeholders(ours[key]) != placeholders(english[key])] == []


@pytest.mark.parametrize(
    "template", sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
)
def test_a_template_asks_for_texts_that_exist_and_compiles(template: str) -> None:
    """And has no words of its own: a letter outside a tag, an expression or a comment would be English everywhere."""
    source = (TEMPLATES / template).read_text(encoding="utf-8")
    assert [
        key
        for key in re.findall(r"""["']([a-z_]+\.[a-z0-9_]+)["']""", source)
        if KEY.fullmatch(key) and not is_known(key)
    ] == []
    templates("https://id.example", assets_of(Brand()), Brand()).get_template(template)
    bare = re.sub(r"\{% block layout %\}\w+|\{#.*?#\}|<svg.*?</svg>", "", source, flags=re.DOTALL)
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", bare, flags=re.DOTALL)
    assert re.findall(r"[A-Za-zÄÖÜäöü]{2,}", re.sub(r'<[^>]*>|[a-z-]+="[^"]*"', "", bare)) == []
    assert re.findall(r'(?:aria-label|placeholder|title|alt)="[^"]*[A-Za-z]', bare) == []


def test_the_pages_code_asks_for_texts_that_exist() -> None:
    """Whatever looks like a key in the rooms that speak to people."""
    missing = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value}"
        for path in sorted((ROOT / "auth_gateway" / "api").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if KEY.fullmatch(node.value) and not is_known(node.value)
    ]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_brings_no_markup_but_emphasis(language: str) -> None:
    """Pages write texts as they are; a straight quote would end an attribute."""
    for key, text in TEXTS.catalogues[language].items():
        if key.partition(".")[0] in OF_PAGES:
            assert set(re.findall(r"<[^>]*>", text)) <= ALLOWED_TAGS, key
            assert '"' not in text, key
            assert not re.search(r"&(?!amp;|nbsp;|shy;)", text), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_told_a_score_or_an_address(language: str) -> None:
    """Kind words, and nothing that helps whoever guesses."""
    words = re.compile(r"\b(score|risk|Risiko|Punktzahl)\b", re.IGNORECASE)
    assert [
        key for key, text in TEXTS.catalogues[language].items() if key.startswith("sign_in.") and words.search(text)
    ] == []
