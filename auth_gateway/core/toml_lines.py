"""At which line of a TOML text each table, key and element stands: what `tomllib` reads and does not tell.

For texts that `tomllib` has accepted; of any other text it says something and ends.
"""

import re

Path = tuple[str | int, ...]
"""Keys and places in arrays, from the top: ("rule", 0, "when")."""

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[^,\]}#\n]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def line_numbers(text: str) -> dict[Path, int]:
    """The first line of everything in the text that has a name or a place; lines count from 1."""
    return _Reader(text.replace("\r\n", "\n")).read()


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of what stands at that path, or of the nearest thing around it; 1 where nothing is known."""
    for end in range(len(path), 0, -1):
        found = lines.get(path[:end])
        if found is not None:
            return found
    return 1


class _Reader:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[Path, int] = {}
        self._lengths: dict[Path, int] = {}

    def read(self) -> dict[Path, int]:
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return self._lines
            before = self._at
            table = self._header() if self._text[self._at] == "[" else self._statement(table)
            if self._at == before:  # nothing that TOML has: tomllib has refused it already
                return self._lines

    def _header(self) -> Path:
        line, is_array = self._here(), self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        keys = self._keys()
        path = self._resolved(keys[:-1], line) + tuple(keys[-1:])
        if is_array:
            place = self._lengths[path] = self._lengths.get(path, -1) + 1
            self._lines.setdefault(path, line)
            path = (*path, place)
        self._lines.setdefault(path, line)
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end
        return path

    def _resolved(self, keys: list[str], line: int) -> Path:
        """Keys of a header with the places that they mean: the latest element of each array on the way."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            self._lines.setdefault(path, line)
            if path in self._lengths:
                path = (*path, self._lengths[path])
        return path

    def _statement(self, table: Path) -> Path:
        line = self._here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._skip(_SPACE)
        if self._text.startswith("=", self._at):
            self._at += 1
            self._value(path)
        return table

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        sign = self._text[self._at : self._at + 1]
        if sign == "[":
            self._array(path)
        elif sign == "{":
            self._inline(path)
        else:
            self._scalar()

    def _array(self, path: Path) -> None:
        self._at += 1
        place = 0
        while self._is_inside("]"):
            self._lines.setdefault((*path, place), self._here())
            before = self._at
            self._value((*path, place))
            self._skip(_BLANK)
            place += 1
            if not self._passed_comma() and self._at == before:
                self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._is_inside("}"):
            before = self._at
            self._statement(path)
            self._skip(_BLANK)
            if not self._passed_comma() and self._at == before:
                self._at += 1

    def _is_inside(self, end: str) -> bool:
        """Whether there is more before the end, which is passed over."""
        self._skip(_BLANK)
        if self._at >= len(self._text):
            return False
        is_end = self._text[self._at] == end
        self._at += is_end
        return not is_end

    def _passed_comma(self) -> bool:
        is_comma = self._text.startswith(",", self._at)
        self._at += is_comma
        return is_comma

    def _scalar(self) -> None:
        for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _BARE):
            found = pattern.match(self._text, self._at)
            if found is not None:
                self._at = found.end()
                return

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            key = self._key()
            if key is None:
                return keys
            keys.append(key)
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _key(self) -> str | None:
        for pattern in (_BARE_KEY, _BASIC, _LITERAL):
            found = pattern.match(self._text, self._at)
            if found is not None:
                self._at = found.end()
                return _plain(found.group())
        return None

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _plain(key: str) -> str:
    """The key as `tomllib` names it."""
    if key[0] == "'":
        return key[1:-1]
    return _ESCAPE.sub(_unescaped, key[1:-1]) if key[0] == '"' else key


def _unescaped(found: re.Match[str]) -> str:
    short, long, letter = found.groups()
    number = int(short or long or "0", 16)
    if letter is not None:
        return _SHORT.get(letter, letter)
    return chr(number) if number <= 0x10FFFF else ""
