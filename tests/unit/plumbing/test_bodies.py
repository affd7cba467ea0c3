"""What a stranger sends ends as a value or as a refusal, never as a crash."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
import pytest
from starlette.requests import Request
from starlette.types import Message

from plumbing.bodies import decode, parse_form, read_body, refuse_unsafe_text, require_json
from plumbing.refusals import Refused

pytestmark = pytest.mark.anyio


class Event(msgspec.Struct):
    user: str
    score: float | None = None
    asn: int | None = None


class Events(msgspec.Struct):
    events: list[Event]


EVENT = msgspec.json.Decoder(Event)
EVENTS = msgspec.json.Decoder(Events)

MALFORMED = {
    "empty": b"",
    "not JSON": b"<xml/>",
    "cut off": b'{"user":"a',
    "trailing": b'{"user":"a"} x',
    "NaN": b'{"user":"a","score":NaN}',
    "infinity": b'{"user":"a","score":-Infinity}',
    "NaN in a field we skip": b'{"user":"a","other":NaN}',
    "invalid UTF-8": b'{"user":"\xff"}',
    "invalid UTF-8 in a field we skip": b'{"user":"a","other":"\xff"}',
    "invalid UTF-8 in a name we skip": b'{"user":"a","\xff":1}',
    "a surrogate as bytes": b'{"user":"\xed\xa0\x80"}',
    "half a surrogate pair": rb'{"user":"\ud800"}',
    "the other half": rb'{"user":"\udc00"}',
    "a pair the wrong way round": rb'{"user":"\udc00\ud800"}',
    "half a pair in a name": rb'{"user":"a","\ud800":1}',
    "byte order mark": b'\xef\xbb\xbf{"user":"a"}',
    "raw NUL in a string": b'{"user":"\x00"}',
    "UTF-16": '{"user":"a"}'.encode("utf-16"),
    "deep in a field we skip": b'{"user":"a","other":' + b"[" * 100_000,
    "deep objects": b'{"user":"a","other":' + b'{"a":' * 100_000,
}

INVALID = {
    "wrong type": (b'{"user":1}', "$.user"),
    "missing field": (b"{}", "$.user"),
    "array for object": (b"[]", "$"),
    "deep, but of another shape": (b"[" * 100_000, "$"),
    "number beyond a float": (b'{"user":"a","score":1e999}', "$.score"),
    "integer of 5,000 digits": (b'{"user":"a","asn":' + b"9" * 5_000 + b"}", "$.asn"),
    "fraction for integer": (b'{"user":"a","asn":1.5}', "$.asn"),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_not_json_in_utf_8_is_a_400(body: bytes) -> None:
    """Syntax, encoding, NaN and depth are the client's fault, and one and the same refusal."""
    with pytest.raises(Refused) as refused:
        decode(EVENT, body)
    assert (refused.value.status, refused.value.code) == (400, "malformed_json")


@pytest.mark.parametrize(("body", "field"), INVALID.values(), ids=INVALID.keys())
def test_json_of_another_shape_is_a_422_that_names_the_field(body: bytes, field: str) -> None:
    """The answer says where, so that an engineer finds it."""
    with pytest.raises(Refused) as refused:
        decode(EVENT, body)
    assert (refused.value.status, refused.value.code) == (422, "invalid_request")
    assert refused.value.evidence == {"field": field}


def test_the_field_of_a_list_carries_its_position() -> None:
    """Among ten thousand events the broken one can be found."""
    with pytest.raises(Refused) as refused:
        decode(EVENTS, b'{"events":[{"user":"a"},{"user":"b"},{"user":7}]}')
    assert refused.value.evidence == {"field": "$.events[2].user"}


def test_a_refusal_never_repeats_what_was_sent() -> None:
    """A password in the wrong field must not come back in the answer."""

    class Choice(msgspec.Struct, forbid_unknown_fields=True):
        kind: Literal["a", "b"]
        more: dict[str, int] = {}

    decoder = msgspec.json.Decoder(Choice)
    for body in (b'{"kind":"hunter2"}', b'{"kind":"a","hunter2":1}', b'{"kind":"a","more":{"hunter2":"x"}}'):
        with pytest.raises(Refused) as refused:
            decode(decoder, body)
        assert "hunter2" not in str(refused.value.as_answer())


def test_the_last_of_two_equal_names_wins() -> None:
    """A repeated name is allowed (RFC 8259, section 4) and always read the same way."""
    assert decode(EVENT, b'{"user":"a","user":"b"}').user == "b"


def test_a_whole_surrogate_pair_is_one_character() -> None:
    """Escaped emoji are ordinary text."""
    assert decode(EVENT, rb'{"user":"\ud83d\ude00"}').user == "\N{GRINNING FACE}"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x\udfff"])
def test_text_that_could_not_be_stored_is_refused(text: str) -> None:
    """NUL and half surrogate pairs stop at the door."""
    with pytest.raises(Refused) as refused:
        refuse_unsafe_text(text, "user_id")
    assert (refused.value.status, refused.value.evidence) == (422, {"field": "user_id"})


def test_any_other_text_passes_unchanged() -> None:
    """Control codes, right-to-left marks and emoji are somebody's name."""
    text = "a\x01\u202e\N{GRINNING FACE}\uffff"
    assert refuse_unsafe_text(text, "user_id") is text


def test_a_form_is_read_as_utf_8() -> None:
    """Plus is a space, escapes are UTF-8, an empty value stays."""
    assert parse_form("a=b+c&d=%C3%A9&é=ü&empty=".encode()) == {"a": "b c", "d": "é", "é": "ü", "empty": ""}


@pytest.mark.parametrize(
    "body",
    [b"a=%FF", b"\xff=1", b"a=1&a=2", b"a=%00", b"%00=a", b"a=%ED%A0%80", b"&".join(b"f%d=" % i for i in range(65))],
    ids=["escape", "raw", "twice", "NUL", "NUL in name", "surrogate", "65 fields"],
)
def test_a_form_that_two_readers_could_take_differently_is_refused(body: bytes) -> None:
    """Bad encodings, repeated names and floods of fields are a 400."""
    with pytest.raises(Refused) as refused:
        parse_form(body)
    assert (refused.value.status, refused.value.code) == (400, "malformed_form")


def test_a_form_of_64_fields_is_read() -> None:
    """The limit itself is allowed."""
    assert len(parse_form(b"&".join(b"f%d=" % i for i in range(64)))) == 64


def request_with(chunks: Iterable[bytes], headers: dict[str, str] | None = None, *, ends: bool = True) -> Request:
    messages: Iterator[Message] = iter(
        [
            *({"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks),
            {"type": "http.request", "body": b""} if ends else {"type": "http.disconnect"},
        ]
    )
    taken: list[Message] = []

    async def receive() -> Message:
        taken.append(next(messages))
        return taken[-1]

    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
    request = Request({"type": "http", "method": "POST", "headers": raw, "path": "/"}, receive)
    request.state.taken = taken
    return request


async def refusal_of_reading(request: Request, max_bytes: int) -> Refused:
    with pytest.raises(Refused) as refused:
        await read_body(request, max_bytes=max_bytes)
    return refused.value


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    """The limit itself is allowed, in however many pieces."""
    assert await read_body(request_with([b"abc", b"de"]), max_bytes=5) == b"abcde"


async def test_a_body_over_the_limit_is_refused_before_the_rest_is_read() -> None:
    """One byte too many ends the reading, whatever the length header said."""
    request = request_with([b"abc", b"def", b"ghi"], {"content-length": "2"})
    refused = await refusal_of_reading(request, 5)
    assert (refused.status, refused.code, len(request.state.taken)) == (413, "body_too_large", 2)


@pytest.mark.parametrize("length", ["6", "9" * 400])
async def test_a_length_over_the_limit_is_refused_unread(length: str) -> None:
    """Nothing is read of a body that says it is too large."""
    request = request_with([b"abcdef"], {"content-length": length})
    assert (await refusal_of_reading(request, 5)).status == 413
    assert request.state.taken == []


@pytest.mark.parametrize("length", ["-1", "abc", "²", ""])
async def test_a_nonsense_length_is_not_believed(length: str) -> None:
    """The bytes count, not the header."""
    assert await read_body(request_with([b"ab"], {"content-length": length}), max_bytes=5) == b"ab"


async def test_a_client_that_leaves_is_a_refusal() -> None:
    """A connection cut in the middle is the client's affair, not a crash."""
    assert (await refusal_of_reading(request_with([b"ab"], ends=False), 5)).code == "incomplete_body"


async def test_a_body_that_never_ends_is_given_up() -> None:
    """A client cannot hold a request open by sending nothing."""

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    request = Request({"type": "http", "method": "POST", "headers": [], "path": "/"}, receive)
    with pytest.raises(Refused) as refused:
        await read_body(request, max_bytes=5, deadline_seconds=0.01)
    assert refused.value.status == 408


@pytest.mark.parametrize(
    ("declared", "is_taken"),
    [
        (None, True),
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/plain", False),
        ("application/jsonx", False),
        ("", False),
        ("\xff", False),
    ],
)
def test_only_json_is_taken_as_json(declared: str | None, is_taken: bool) -> None:
    """A form posted by another site's page must not pass for JSON."""
    request = request_with([], {} if declared is None else {"content-type": declared})
    if is_taken:
        require_json(request)
    else:
        with pytest.raises(Refused) as refused:
            require_json(request)
        assert refused.value.status == 415
