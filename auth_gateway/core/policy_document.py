"""A text becomes a policy document, or a list of what is wrong with it, each with its line.

Nothing is guessed: what is misspelt, unknown or contradicts what always holds is refused, or somebody would believe in
a rule that nobody applies.
"""

import hashlib
import re
import tomllib
from typing import Any

import msgspec

from auth_gateway.core.factor import Demand
from auth_gateway.core.facts import Path as RequestPath
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_bounds import default_paths, objections
from auth_gateway.core.policy_conditions import (
    Names,
    conditions,
    listed,
    named_networks,
    named_people,
    one_of,
    quoted,
    texts,
)
from auth_gateway.core.policy_marks import own_marks
from auth_gateway.core.policy_rule import PATHS, PolicyDocument, Rule, Then, document_of
from auth_gateway.core.policy_session_marks import session_marks
from auth_gateway.core.toml_lines import Path, line_numbers, line_of

LARGEST_DOCUMENT = 1 << 20
MOST_RULES = 1000
_TABLES = ("networks", "groups", "roles", "marks", "session_marks", "rule")
_KEYS = ("name", "when", "unless", "then", "demand", "report_only")
_THEN: tuple[Then, ...] = ("allow", "challenge", "deny")
_DEMANDS: tuple[Demand, ...] = ("any", "enrolled", "phishing_resistant")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_DEEP_KEY = re.compile(r"""(?:(?:"[^"\n]*"|'[^'\n]*'|(?<![\w-])[\w-]+)[ \t]*\.[ \t]*){40}""")
"""A key of so many parts: no document has one, and reading one of thousands takes minutes."""
_TOLD_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong, and the line where it stands."""

    line: int
    message: str


class BadDocument(ValueError):
    """The text is no policy document; `problems` has at least one, in the order of their lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


def parse(data: bytes, policy: Policy) -> PolicyDocument:
    """The document, for a gateway with these switches.

    Raises: BadDocument, for whatever bytes these are.
    """
    text = _text(data)
    deep = _DEEP_KEY.search(text)
    if deep is not None:
        raise BadDocument((Problem(text.count("\n", 0, deep.start()) + 1, "a key has too many parts"),))
    try:
        return _parsed(text, policy, hashlib.sha256(data).hexdigest())
    except tomllib.TOMLDecodeError as error:
        raise BadDocument((_syntax(str(error), text),)) from None
    except RecursionError:
        raise BadDocument((Problem(1, "the text is nested too deeply"),)) from None


def _parsed(text: str, policy: Policy, digest: str) -> PolicyDocument:
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # tomllib lets it pass that Python reads no number of thousands of digits
        raise BadDocument((Problem(1, "a number is too long"),)) from None
    lines = line_numbers(text)
    reading = _Document(policy)
    names = reading.names(given)
    rules = reading.rules(given, names)
    marks = own_marks(given.get("marks", []), names, reading.told, highest_step_up=policy.phishing_resistant_from)
    of_sessions = session_marks(given.get("session_marks"), reading.told)
    if reading.problems:
        problems = sorted({Problem(line_of(lines, place), message) for place, message in reading.problems})
        raise BadDocument(tuple(problems))
    numbered = tuple(
        msgspec.structs.replace(rule, line=line_of(lines, ("rule", place))) for place, rule in enumerate(rules)
    )
    people = tuple(sorted({**names.groups, **names.roles}.items()))
    return msgspec.structs.replace(document_of(numbered, digest, marks), people=people, session_marks=of_sessions)


def _text(data: bytes) -> str:
    if len(data) > LARGEST_DOCUMENT:
        raise BadDocument((Problem(1, f"the file is larger than {LARGEST_DOCUMENT} bytes"),))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadDocument((Problem(line, "the file is not UTF-8"),)) from None


def _syntax(message: str, text: str) -> Problem:
    found = _TOLD_LINE.search(message)
    line = int(found[1]) if found is not None and found[1] else text.count("\n") + 1
    return Problem(line if found is not None else 1, f"not TOML: {_TOLD_LINE.sub('', message)}")


class _Document:
    """One document while it is read; problems are kept with their places."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.problems: list[tuple[Path, str]] = []

    def rules(self, given: dict[str, Any], names: Names) -> tuple[Rule, ...]:
        """All rules that can be read, in their order."""
        for key in given:
            if key not in _TABLES:
                self.told((key,), f"unknown key {quoted(key)}: a document has {one_of(_TABLES)}")
        tables = given.get("rule", [])
        if not isinstance(tables, list):
            self.told(("rule",), "rules are written as [[rule]], with two brackets on either side")
            return ()
        if len(tables) > MOST_RULES:
            self.told(("rule", MOST_RULES), f"there are more than {MOST_RULES} rules")
            return ()
        taken: set[str] = set()
        return tuple(self._rule(table, ("rule", place), names, taken) for place, table in enumerate(tables))

    def told(self, place: Path, message: str) -> None:
        """Keep one problem."""
        self.problems.append((place, message))

    def names(self, given: dict[str, Any]) -> Names:
        """What the document has names for."""
        networks = self._table(given, "networks")
        groups = self._table(given, "groups")
        known = {key: named_people(value, ("groups", key), self.told, None) for key, value in groups.items()}
        roles = self._table(given, "roles")
        return Names(
            networks={key: named_networks(value, ("networks", key), self.told) for key, value in networks.items()},
            groups=known,
            roles={key: named_people(value, ("roles", key), self.told, known) for key, value in roles.items()},
        )

    def _table(self, given: dict[str, Any], name: str) -> dict[str, Any]:
        table = given.get(name, {})
        if isinstance(table, dict):
            return table
        self.told((name,), f"must be a table: [{name}] on a line of its own, then one name = [...] a line")
        return {}

    def _rule(self, given: Any, place: Path, names: Names, taken: set[str]) -> Rule:
        if not isinstance(given, dict):
            self.told(place, f"must be a table, not {quoted(given)}")
            return Rule(name="", then="deny")
        for key in given:
            if key not in _KEYS:
                self.told((*place, key), f"unknown key {quoted(key)}: a rule has {one_of(_KEYS)}")
        when = given.get("when", {})
        then = self._word(given, place, "then", _THEN)
        rule = Rule(
            name=self._name(given, place, taken),
            then=then or "deny",
            when=conditions(when, (*place, "when"), names, self.told),
            unless=self._unless(given, place, names),
            demand=self._demand(given, place, then),
            report_only=self._flag(given, place, "report_only"),
            asks=_asks(given),
        )
        rule = msgspec.structs.replace(rule, paths=self._paths(when, (*place, "when", "path"), rule))
        if then is not None:
            for key, message in objections(rule, self._policy):
                self.told((*place, *key), message)
        return rule

    def _name(self, given: dict[str, Any], place: Path, taken: set[str]) -> str:
        name = given.get("name")
        if name is None:
            self.told(place, "the rule has no name")
            return ""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.told((*place, "name"), f"name {quoted(name)} is not 1 to 64 letters, digits, _, . or -")
            return ""
        if name in taken:
            self.told((*place, "name"), f"another rule is called {quoted(name)} already")
        taken.add(name)
        return name

    def _word(self, given: dict[str, Any], place: Path, key: str, words: tuple[Any, ...]) -> Any:
        value = given.get(key)
        if value is None:
            self.told(place, f"the rule has no {key}: {one_of(words)}")
        elif value not in words:
            self.told((*place, key), f"{key} {quoted(value)} is not {one_of(words)}")
            return None
        return value

    def _demand(self, given: dict[str, Any], place: Path, then: Then | None) -> Demand:
        if "demand" not in given:
            return "any"
        if then not in {"challenge", None}:
            self.told((*place, "demand"), "demand says what a challenge takes: this rule does not challenge")
        return self._word(given, place, "demand", _DEMANDS) or "any"

    def _flag(self, given: dict[str, Any], place: Path, key: str) -> bool:
        value = given.get(key, False)
        if not isinstance(value, bool):
            self.told((*place, key), f"{key} {quoted(value)} is not true or false")
        return value is True

    def _unless(self, given: dict[str, Any], place: Path, names: Names) -> Any:
        if "unless" not in given:
            return None
        unless = given["unless"]
        if isinstance(unless, dict) and "path" in unless:
            self.told((*place, "unless", "path"), "path belongs to when")
        if unless == {}:
            self.told((*place, "unless"), "an empty unless is always so, and the rule never")
        return conditions(unless, (*place, "unless"), names, self.told)

    def _paths(self, when: Any, place: Path, rule: Rule) -> tuple[RequestPath, ...]:
        if not isinstance(when, dict) or "path" not in when:
            return default_paths(rule)
        chosen = []
        for where, word in texts(when["path"], place, self.told):
            if word in PATHS:
                chosen.append(word)
            else:
                self.told(where, f"path {quoted(word)} is not {one_of(PATHS)}")
        return tuple(path for path in PATHS if path in chosen)


def _asks(given: dict[str, Any]) -> str:
    """The conditions in one line, for people."""
    parts = []
    for word in ("when", "unless"):
        table = given.get(word)
        if isinstance(table, dict) and table:
            parts.append(f"{word} " + " ".join(f"{key}={listed(value)}" for key, value in table.items()))
    return " ".join(parts) or "always"
