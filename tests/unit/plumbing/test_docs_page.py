"""The reference shows what the service takes and gives, and cannot be made to run anything."""

from typing import Annotated

import pytest
from fastapi import Body, FastAPI, Query
from pydantic import BaseModel, Field

from plumbing.docs_page import described, docs_html
from plumbing.schema_outline import example_of, kind_of, outline


class Part(BaseModel):
    name: str = Field(max_length=9, description="What it <b>is</b>")
    size: int | None = None


class Order(BaseModel):
    parts: list[Part]
    note: str = "it's me"


class Tree(BaseModel):
    children: list["Tree"] = []


def page() -> str:
    app = FastAPI(title="Shop <script>alert(1)</script>", version="1.2", docs_url=None, redoc_url=None)

    @app.post("/orders/{number}", summary="Place an order")
    async def place(number: int, order: Order, page: Annotated[int, Query(description="Which page")] = 1) -> Part:
        """Takes <order>."""
        raise NotImplementedError

    @app.get("/trees")
    async def trees(tree: Annotated[Tree, Body()]) -> list[Tree]:
        raise NotImplementedError

    return docs_html(described(app))


def test_every_address_is_listed_and_linked() -> None:
    """Each link of the list leads to its part of the page."""
    html = page()
    for anchor in ("post-orders--number-", "get-trees"):
        assert html.count(f'href="#{anchor}"') == 1
        assert html.count(f'id="{anchor}"') == 1


@pytest.mark.parametrize(
    "shown",
    [
        "parts[].name",
        "string, at most 9 characters",
        "integer or null",
        "In the query. Which page",
        "Answer 200",
        "Place an order",
    ],
)
def test_fields_are_shown_with_their_bounds(shown: str) -> None:
    """Nested names are dotted, a list's carry brackets."""
    assert shown in page()


def test_texts_of_the_document_stay_texts() -> None:
    """Nothing of a title or description becomes markup."""
    html = page()
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;order&gt;" in html


def test_the_curl_can_be_pasted() -> None:
    """A quote inside the body does not end the shell's quote."""
    html = page()
    assert "curl -X POST" in html
    assert "it&#x27;\\&#x27;&#x27;s me" in docs_html(
        {"paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {"example": {"a": "it's me"}}}}}}}}
    )


def test_a_refusal_is_described_in_the_form_that_it_has() -> None:
    """The framework would describe its own form, which our services never send."""
    html = page()
    assert "error_description" in html
    assert "detail[]" not in html


def test_an_empty_document_is_an_empty_page() -> None:
    """No part of the document is taken for granted."""
    assert docs_html({}).startswith("<!doctype html>")


def test_a_schema_that_holds_itself_ends() -> None:
    """Past a few levels the outline stops."""
    openapi = {
        "components": {"schemas": {"T": {"properties": {"t": {"$ref": "#/components/schemas/T"}}, "required": ["t"]}}}
    }
    schema = {"$ref": "#/components/schemas/T"}
    assert 3 < len(outline(schema, openapi)) < 12
    assert kind_of(schema, openapi) == "object"
    assert example_of(schema, openapi)


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"enum": ["a", "b"]}, "one of a, b"),
        ({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}, "integer, at least 0 or null"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "string", "minLength": 1, "maxLength": 256}, "string, 1 to 256 characters"),
        ({"type": "number", "minimum": 0.0, "maximum": 4294967295.0}, "number, 0 to 4294967295"),
        ({}, "any"),
    ],
)
def test_types_are_said_in_words(schema: dict[str, object], kind: str) -> None:
    """As a person would say them."""
    assert kind_of(schema, {}) == kind
