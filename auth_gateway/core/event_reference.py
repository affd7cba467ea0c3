"""What is published of the vocabulary: the JSON schema of each type's message, and the page that documents them. Both
are made of the shapes in `core.told`, which the messages themselves are made of.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from auth_gateway.core.event import VERSION
from auth_gateway.core.told import SHAPES, STRUCTS
from auth_gateway.core.vocabulary import EventType

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_INTRODUCTION: Final = """\
# Events

What the gateway tells others. This page is made of the same shapes as the messages and `GET /events/schema`, which has
a JSON schema for each type; `scripts/events_page` writes it anew.

Each message of the `standard` format is JSON with three members: `type`, `timestamp` (when it happened, ISO 8601, UTC)
and `data`. In `data`, what is not known is left out. A receiver that meets a type or a field that it does not know
passes over it: both may be added at any time. A field is never taken away or given another meaning within a version.

An event that is told twice (after a crash, or by a replay) has the same `event_id`.

## Storms

Refusals, and what looks like an attack, come as often as strangers like. Alike are those of one type and rule about one
person, and those from one network (/24, /48). A destination is told the first 60 of them at once, and 60 a minute for
ever, each in a message of its own. What goes beyond is not dropped but folded: a message waits two seconds, and for as
long as the receiver is slower than that, and tells as one what came meanwhile. Its `folded` says how many events it
stands for, from when to when, and the ids of the first; all else in it is what they have in common, with every
technique, and with the score and the reasons of the worst. Each event is counted in one message: `folded.count`, or 1
where there is no `folded`, adds up to what has happened, and each can be told by itself in a replay.

A message that is folded by its network names no person. One that is folded by its person keeps its place among that
person's messages, and nothing else is delayed by any of them. What lets somebody in, ends something or changes it is
never folded. Of the other formats, OCSF says `count`, `start_time` and `end_time`, ECS `event.start`, `event.end` and
`riskgate.folded`, CEF `cnt`, `start` and `end`.

`folding` in a destination's terms says when it begins: `burst` and `per_minute`, or `is_on: false` for who wants each
event. Webhooks are told folded ones as a rule; syslog servers and files get each event unless they ask for less.

## How much of a person is told

Each destination chooses, and what it does not ask for is never sent to it:

| terms | values | told |
| --- | --- | --- |
| `privacy.ip` | `prefix` (usual) | `ip_prefix`: /24 of an IPv4 address, /48 of an IPv6 address |
| | `full` | `ip`, and the words of `reasons` |
| | `keyed_hash` | `ip_hash`; neither region nor city |
| | `none` | nothing; neither region nor city |
| `privacy.user` | `id` (usual) | `user_id` |
| | `name` | `user_id` and `username` |
| | `keyed_hash` | `user_hash`, and `device` as a hash of the same kind |
| `privacy.user_agent` | `false` (usual), `true` | `user_agent` |

What an analyst wrote beside a verdict is told to whoever gets full addresses and names, both.

A keyed hash is HMAC-SHA256 under a key that belongs to one destination and stays in the gateway. The same person or
address has the same hash there for ever; two destinations cannot join what they got, and no receiver can find out an
address by trying all of them.
"""


def schema_document() -> dict[str, Any]:
    """What `GET /events/schema` answers."""
    return {"version": VERSION, "events": {name: _message(name) for name in SHAPES}}


def markdown() -> str:
    """`docs/events.md`."""
    return "\n".join(_lines())


def _message(name: EventType) -> dict[str, Any]:
    """The schema of the whole message, with nothing in it that stands elsewhere."""
    made = msgspec.json.schema(STRUCTS[name], ref_template="#/$defs/{name}")
    shapes: dict[str, Any] = made["$defs"]
    data = shapes.pop(made["$ref"].rpartition("/")[2])
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": name,
        "description": SHAPES[name].text,
        "type": "object",
        "properties": {
            "type": {"const": name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {
                **{part: data[part] for part in ("type", "properties", "required")},
                "properties": {**data["properties"], "version": {**data["properties"]["version"], "const": VERSION}},
            },
        },
        "required": ["type", "timestamp", "data"],
    }
    return {**schema, "$defs": shapes} if shapes else schema


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield "## Types\n"
    yield "| type | what has happened |"
    yield "| --- | --- |"
    for name, shape in SHAPES.items():
        yield f"| [`{name}`](#{name.replace('.', '')}) | {shape.text} |"
    yield "\n## Fields\n"
    yield "| field | JSON | what it says |"
    yield "| --- | --- | --- |"
    fields: dict[str, Mapping[str, Any]] = {}
    for name in SHAPES:
        fields |= _message(name)["properties"]["data"]["properties"]
    for field, schema in fields.items():
        yield f"| `{field}` | {_kind(schema)} | {schema['description']} |"
    yield "\n## What each type tells\n"
    for name, shape in SHAPES.items():
        told = ", ".join(f"`{field}`" for field in STRUCTS[name].__struct_fields__)
        yield f"### {name}\n\n{shape.text}\n\n{told}.\n"


def _kind(schema: Mapping[str, Any]) -> str:
    return f"array of {_kind(schema['items'])}s" if schema.get("type") == "array" else schema.get("type", "object")
