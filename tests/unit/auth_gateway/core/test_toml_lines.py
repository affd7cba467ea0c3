"""Where things stand in a TOML text."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_gateway.core.toml_lines import Path, line_numbers, line_of

TEXT = '''# a comment with [[rule]] in it

title = "x" # [not.a.table]
long = """
[[rule]]
name = "inside"
"""
[networks]
office = [ # here
  "10.0.0.0/8",
  '192.0.2.0/24',
]

[[rule]]
"name" = "first"
when = { client = "web", reasons = [
  "a",
  "b" ], country = "DE" }

[[rule]]
name = 'second'
when.client = "app"
[rule.unless]
country = "FR"
[[rule.deep]]
x = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 3),
        (("long",), 4),
        (("networks",), 8),
        (("networks", "office"), 9),
        (("networks", "office", 0), 10),
        (("networks", "office", 1), 11),
        (("rule", 0), 14),
        (("rule", 0, "name"), 15),
        (("rule", 0, "when"), 16),
        (("rule", 0, "when", "reasons"), 16),
        (("rule", 0, "when", "reasons", 1), 18),
        (("rule", 0, "when", "country"), 18),
        (("rule", 1), 20),
        (("rule", 1, "when", "client"), 22),
        (("rule", 1, "unless"), 23),
        (("rule", 1, "unless", "country"), 24),
        (("rule", 1, "deep", 0, "x"), 26),
        (("rule", 1, "then"), 20),
        (("nothing",), 1),
    ],
)
def test_each_thing_stands_at_its_line(path: Path, line: int) -> None:
    """What is not there stands where the nearest thing around it does; line ends may be those of Windows."""
    for text in (TEXT, TEXT.replace("\n", "\r\n")):
        tomllib.loads(text)
        assert line_of(line_numbers(text), path) == line


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield (*path, place)
            yield from paths(inner, (*path, place))


KEYS = st.sampled_from(["a", "b", '"c d"', "'e.f'", "g.h", '"\\u0041"'])
SCALARS = st.sampled_from(
    ["1", '"x"', "'y # ]'", '"\\"}"', "true", "1979-05-27T07:32:00Z", '"""a\n[[b]]"""', "'''\n'''"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: "[ # c\n" + ",\n".join(parts) + "\n]"),
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)
LINES = st.one_of(
    st.builds("{} = {}".format, KEYS, VALUES),
    st.builds("[{}]".format, KEYS),
    st.builds("[[ {} ]] # x".format, KEYS),
    st.just(""),
    st.just("# [[a]]"),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=12))
def test_whatever_tomllib_reads_has_lines(lines: list[str]) -> None:
    """Nothing that has a name is without its line."""
    text = "\n".join(lines)
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        line_numbers(text)
        return
    found = line_numbers(text)
    assert [path for path in paths(value) if path not in found] == []
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab=[]{},.\"'#\\\n\t 1", max_size=80))
def test_other_texts_end_too(text: str) -> None:
    """Whatever it is, it comes to an end."""
    assert all(line >= 1 for line in line_numbers(text).values())
