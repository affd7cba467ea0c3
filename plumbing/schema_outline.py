"""A JSON schema read for people: its fields, their types and an example. How it looks is not decided here."""

from typing import Any, Final, NamedTuple

MAX_DEPTH: Final = 6
"""A schema may contain itself; past this depth a reader has lost the thread anyway."""

Schema = dict[str, Any]


class Field(NamedTuple):
    """One line of a reference: `name` with dots for what is nested, `kind` in words."""

    name: str
    kind: str
    is_required: bool
    text: str


def outline(schema: Schema, openapi: Schema, prefix: str = "", depth: int = 0) -> list[Field]:
    """The fields of an object, nested ones with dotted names, an array's with `[]`."""
    found = resolved(schema, openapi)
    if found.get("type") == "array":
        return outline(found.get("items", {}), openapi, f"{prefix}[]", depth + 1) if depth < MAX_DEPTH else []
    required = set(found.get("required", []))
    fields: list[Field] = []
    for name, part in found.get("properties", {}).items():
        inner = resolved(part, openapi)
        full = f"{prefix}.{name}" if prefix else name
        text = str(part.get("description") or inner.get("description") or "")
        fields.append(Field(full, kind_of(part, openapi), name in required, text))
        if depth < MAX_DEPTH:
            fields += outline(inner, openapi, full, depth + 1)
    return fields


def resolved(schema: Schema, openapi: Schema) -> Schema:
    """What a reference stands for; of several allowed shapes, the first that is not null."""
    found = schema
    for _ in range(MAX_DEPTH):
        choices = found.get("anyOf") or found.get("oneOf") or found.get("allOf")
        if "$ref" in found:
            found = _at(found["$ref"], openapi)
        elif choices:
            found = next((one for one in choices if one.get("type") != "null"), {})
        else:
            break
    return found


def _at(reference: str, openapi: Schema) -> Schema:
    place: Any = openapi
    for step in reference.removeprefix("#/").split("/"):
        place = place.get(step, {})
    return dict(place)


def kind_of(schema: Schema, openapi: Schema) -> str:
    """The type in words, with its bounds: "string, at most 256 characters", "integer or null"."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(kind_of(one, openapi) for one in choices))
    found = resolved(schema, openapi)
    if "enum" in found:
        return "one of " + ", ".join(str(one) for one in found["enum"])
    if found.get("type") == "array":
        return "list of " + (kind_of(found.get("items", {}), openapi) or "values")
    kind = found.get("type", "object" if "properties" in found else "any")
    return ", ".join([" or ".join(kind) if isinstance(kind, list) else str(kind), *_bounds(found)])


def _bounds(schema: Schema) -> list[str]:
    """The limits of a text's length and of a number, in words."""
    found = []
    for low, high, unit in (("minLength", "maxLength", " characters"), ("minimum", "maximum", "")):
        least, most = schema.get(low), schema.get(high)
        if least is not None and most is not None:
            found.append(f"{least:.12g} to {most:.12g}{unit}")
        elif most is not None:
            found.append(f"at most {most:.12g}{unit}")
        elif least is not None:
            found.append(f"at least {least:.12g}{unit}")
    return found


def example_of(schema: Schema, openapi: Schema, depth: int = 0) -> Any:
    """A value of that shape: the schema's own example, else its default, else the plainest one."""
    for source in (schema, found := resolved(schema, openapi)):
        if source.get("examples"):
            return source["examples"][0]
        for key in ("example", "default", "const"):
            if source.get(key) is not None:
                return source[key]
    if "enum" in found:
        return found["enum"][0]
    kind = found.get("type", "object")
    if kind == "object" and depth < MAX_DEPTH:
        required = found.get("required", list(found.get("properties", {})))
        parts = found.get("properties", {})
        return {name: example_of(parts[name], openapi, depth + 1) for name in parts if name in required}
    if kind == "array" and depth < MAX_DEPTH:
        return [example_of(found.get("items", {}), openapi, depth + 1)]
    return {"string": "text", "integer": 0, "number": 0.0, "boolean": True}.get(str(kind))
