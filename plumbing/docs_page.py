"""The API reference of a service as one page of HTML: no script, nothing from elsewhere."""

import json
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from plumbing.schema_outline import Field, example_of, outline

DOCS_CSP: Final = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_METHODS: Final = ("get", "post", "put", "patch", "delete")

REFUSAL: Final = {
    "title": "Refusal",
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string", "description": "A stable code", "examples": ["invalid_request"]},
        "error_description": {"type": "string", "description": "What is wrong, for a person"},
        "field": {"type": "string", "description": "Where, when it is known"},
    },
}

Spec = dict[str, Any]
"""An OpenAPI document or a part of one, as parsed JSON."""


def mount_docs(app: FastAPI) -> None:
    """Serve `/docs` and `/openapi.json`; create the application without its own (docs_url=None and so on)."""

    async def page(request: Request) -> Response:
        headers = {"content-security-policy": DOCS_CSP, "cache-control": "no-cache"}
        # The address that the server itself listens on; the Host header is whatever the client likes.
        host, port = request.scope.get("server") or ("localhost", None)
        here = {"url": f"{request.scope['scheme']}://{host}{f':{port}' if port else ''}"}
        return Response(docs_html({"servers": [here], **described(app)}), media_type="text/html", headers=headers)

    async def style(_request: Request) -> Response:
        return Response(_style(), media_type="text/css", headers={"cache-control": "public, max-age=3600"})

    async def document(_request: Request) -> Response:
        return json_answer(described(app))

    app.add_route("/docs", page, include_in_schema=False)
    app.add_route("/docs.css", style, include_in_schema=False)
    app.add_route("/openapi.json", document, include_in_schema=False)


def described(app: FastAPI) -> Spec:
    """The application's OpenAPI document, with our own form of a refusal where the framework describes its own."""
    document = app.openapi()
    schemas = document.get("components", {}).get("schemas", {})
    if schemas.pop("ValidationError", None) is not None:
        schemas["HTTPValidationError"] = REFUSAL
    return document


@cache
def _style() -> bytes:
    return files("plumbing").joinpath("docs.css").read_bytes()


def docs_html(openapi: Spec) -> str:
    """The reference of everything the document describes: each address, its fields and one curl."""
    info = openapi.get("info", {})
    title = escape(str(info.get("title", "API")))
    operations = list(_operations(openapi))
    links = "".join(
        f'<li><a href="#{anchor}">{_verb(verb)} {escape(path)}</a></li>' for anchor, verb, path, _ in operations
    )
    articles = "".join(_article(anchor, verb, path, operation, openapi) for anchor, verb, path, operation in operations)
    description = escape(str(info.get("description", "")))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}: API reference</title><link rel="stylesheet" href="docs.css"></head><body><div class="page">'
        f'<nav aria-label="Addresses"><ul>{links}</ul></nav><main><h1>{title}</h1>'
        f'<p class="lead quiet">Version {escape(str(info.get("version", "")))}. {description} '
        f'The same as <a href="openapi.json">OpenAPI</a>.</p>{articles}</main></div></body></html>'
    )


def _operations(openapi: Spec) -> Iterator[tuple[str, str, str, Spec]]:
    for path, item in openapi.get("paths", {}).items():
        for verb in _METHODS:
            if verb in item:
                anchor = "".join(sign if sign.isalnum() else "-" for sign in f"{verb}{path}")
                yield anchor, verb, path, item[verb]


def _verb(verb: str) -> str:
    return f'<span class="verb {verb}">{verb.upper()}</span>'


def _article(anchor: str, verb: str, path: str, operation: Spec, openapi: Spec) -> str:
    summary = escape(str(operation.get("summary", "")))
    description = escape(str(operation.get("description", "")))
    parts = [
        f'<article id="{anchor}"><h2>{_verb(verb)} <code>{escape(path)}</code></h2>',
        f"<p><strong>{summary}</strong></p>" if summary else "",
        f"<p>{description}</p>" if description else "",
        _table("Parameters", _parameters(operation, openapi)),
        _request(operation, openapi),
        *(_response(status, answer, openapi) for status, answer in operation.get("responses", {}).items()),
        f"<h3>Try it</h3><pre><code>{escape(_curl(verb, path, operation, openapi))}</code></pre></article>",
    ]
    return "".join(parts)


def _parameters(operation: Spec, openapi: Spec) -> list[Field]:
    return [
        Field(
            name=str(one.get("name", "")),
            kind=next((field.kind for field in outline({"properties": {"_": one.get("schema", {})}}, openapi)), ""),
            is_required=bool(one.get("required")),
            text=" ".join(filter(None, [f"In the {one.get('in', 'query')}.", one.get("description", "")])),
        )
        for one in operation.get("parameters", [])
    ]


def _request(operation: Spec, openapi: Spec) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(_table(f"Body ({kind})", outline(part.get("schema", {}), openapi)) for kind, part in content.items())


def _response(status: str, answer: Spec, openapi: Spec) -> str:
    heading = f"Answer {status}: {answer.get('description', '')}"
    fields = [
        field for part in answer.get("content", {}).values() for field in outline(part.get("schema", {}), openapi)
    ]
    return _table(heading, fields) if fields else f"<h3>{escape(heading)}</h3>"


def _table(heading: str, fields: list[Field]) -> str:
    if not fields:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(field.name)}</code></td>"
        f"<td>{escape(field.kind)}{'' if field.is_required else ' <span class=quiet>(optional)</span>'}</td>"
        f"<td>{escape(field.text)}</td></tr>"
        for field in fields
    )
    head = '<thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>'
    return f'<h3>{escape(heading)}</h3><table class="fields">{head}<tbody>{rows}</tbody></table>'


def _curl(verb: str, path: str, operation: Spec, openapi: Spec) -> str:
    """A command that a newcomer can paste; its values are the document's own examples."""
    servers = openapi.get("servers") or [{"url": "http://localhost"}]
    lines = [f"curl -X {verb.upper()} '{servers[0].get('url', '')}{path}'"]
    if operation.get("security"):
        lines.append("-H 'Authorization: Bearer <credential>'")
    for kind, part in list(operation.get("requestBody", {}).get("content", {}).items())[:1]:
        example = part.get("example", example_of(part.get("schema", {}), openapi))
        lines.append(f"-H 'Content-Type: {kind}'")
        if kind == "application/json":
            body = json.dumps(example, ensure_ascii=False).replace("'", "'\\''")
            lines.append(f"-d '{body}'")
        elif isinstance(example, dict):
            lines += [f"--data-urlencode '{name}={value}'" for name, value in example.items()]
    return " \\\n  ".join(lines)
