"""The words of a rule's `when` and `unless` become conditions. What is wrong is told with the place where it stands."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any

import msgspec

from auth_gateway.core.circumstances import RISK_WORDS, UNKNOWN, USER_LEVELS
from auth_gateway.core.factor import FACTOR_KINDS, FactorKind, usable
from auth_gateway.core.names import prepare_username
from auth_gateway.core.networks import Network, NetworkSet, network_set
from auth_gateway.core.policy_rule import Conditions, RiskSet, Span
from auth_gateway.core.toml_lines import Path

Told = Callable[[Path, str], None]
"""Takes one problem: where it stands, and what it is."""

ASKED = (
    "client", "group", "role", "network", "country", "factor", "shown",
    "login_risk", "session_risk", "user_risk", "reasons", "path",
)  # fmt: skip
SHOWN: Mapping[str, tuple[FactorKind, ...]] = {
    "phishing_resistant": usable(FACTOR_KINDS, "phishing_resistant"),
    **{kind: (kind,) for kind in FACTOR_KINDS},
}
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CLIENT = re.compile(r"[\x21-\x7e]{1,256}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_COMPARED = re.compile(r"(>=|<=|>|<)\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)")
_MOST_TOLD = 80


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What a document has names for; roles and groups are user names."""

    networks: dict[str, tuple[Network, ...]] = {}
    groups: dict[str, frozenset[str]] = {}
    roles: dict[str, frozenset[str]] = {}


def quoted(value: object) -> str:
    """A value as a complaint shows it, not too long."""
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        text = "a very long number"
    return text if len(text) <= _MOST_TOLD else f"{text[:_MOST_TOLD]}…"


def one_of(words: tuple[str, ...]) -> str:
    """A choice as a complaint shows it."""
    return f"{', '.join(words[:-1])} or {words[-1]}"


def listed(value: Any) -> str:
    """What a condition names, in one word for people."""
    return "|".join(map(listed, value)) if isinstance(value, list) else value if isinstance(value, str) else "?"


def conditions(given: Any, place: Path, names: Names, told: Told) -> Conditions:
    """The conditions of one table; whatever is wrong in it is told, and left out."""
    if not isinstance(given, dict):
        told(place, f'must be a table such as {{ client = "web" }}, not {quoted(given)}')
        return Conditions()
    for key in given:
        if key not in ASKED:
            told((*place, key), f"unknown key {quoted(key)}: a rule asks for {one_of(ASKED)}")
    read = _Reading(given, place, told)
    people = [named for key in ("group", "role") if (named := _people(read, key, names)) is not None]
    return Conditions(
        clients=read.words("client", lambda word: word if _CLIENT.fullmatch(word) else None, "a client id"),
        usernames=tuple(people),
        networks=_networks(read, names),
        countries=read.words("country", _country, f"two capital letters such as DE, or {UNKNOWN}"),
        factors=read.words("factor", _within((*FACTOR_KINDS, "none")), one_of((*FACTOR_KINDS, "none"))),
        shown=_shown(read),
        login_risk=_risks(read, "login_risk", RISK_WORDS),
        session_risk=_risks(read, "session_risk", RISK_WORDS),
        user_risk=_risks(read, "user_risk", USER_LEVELS),
        reasons=read.words(
            "reasons", lambda word: word if _CODE.fullmatch(word) else None, "a code such as new_device"
        ),
    )


class _Reading:
    """One table of conditions while it is read."""

    def __init__(self, given: Mapping[str, Any], place: Path, told: Told) -> None:
        self.given, self.place, self.told = given, place, told

    def texts(self, key: str) -> list[tuple[Path, str]] | None:
        """The words of a key with their places; None where the key is not there or nothing good is in it."""
        if key not in self.given:
            return None
        place = (*self.place, key)
        return texts(self.given[key], place, self.told)

    def words(self, key: str, read: Callable[[str], str | None], wanted: str) -> frozenset[str] | None:
        """The words of a key as they are compared."""
        found = self.texts(key)
        if found is None:
            return None
        good = set()
        for place, word in found:
            value = read(word)
            if value is None:
                self.told(place, f"{key} {quoted(word)} is not {wanted}")
            else:
                good.add(value)
        return frozenset(good)


def texts(value: Any, place: Path, told: Told) -> list[tuple[Path, str]]:
    """One text, or an array of them, each with its place."""
    if isinstance(value, str):
        return [(place, value)]
    if not isinstance(value, list):
        told(place, f"must be a text or an array of texts, not {quoted(value)}")
        return []
    if not value:
        told(place, "must name something: an empty array is never so")
    good = []
    for index, element in enumerate(value):
        if isinstance(element, str):
            good.append(((*place, index), element))
        else:
            told((*place, index), f"must be a text, not {quoted(element)}")
    return good


def named_networks(value: Any, place: Path, told: Told) -> tuple[Network, ...]:
    """The networks that one name stands for."""
    good: list[Network] = []
    for where, text in texts(value, place, told):
        try:
            network = ip_network(text)
        except ValueError:
            told(where, f"{quoted(text)} is not a network such as 203.0.113.0/24 or 2001:db8::/32, without host bits")
            continue
        if network.version == 6 and network.network_address.ipv4_mapped is not None and network.prefixlen >= 96:
            told(where, f"{quoted(text)} is an IPv4 network inside IPv6: write it as IPv4, as addresses are read")
            continue
        good.append(network)
    return tuple(good)


def named_people(value: Any, place: Path, told: Told, groups: Mapping[str, frozenset[str]] | None) -> frozenset[str]:
    """The user names that one name stands for; with `groups`, `@name` is all of that group."""
    people: set[str] = set()
    for where, text in texts(value, place, told):
        if groups is not None and text.startswith("@"):
            if text[1:] not in groups:
                told(where, f"there is no group {quoted(text[1:])} under [groups]")
            people |= groups.get(text[1:], frozenset())
            continue
        prepared = prepare_username(text)
        if prepared is None:
            told(where, f"nobody can be called {quoted(text)}")
        else:
            people.add(prepared)
    return frozenset(people)


def _people(read: _Reading, key: str, names: Names) -> frozenset[str] | None:
    known = names.groups if key == "group" else names.roles
    chosen = read.words(key, lambda word: word if word in known else None, f"defined under [{key}s]")
    return None if chosen is None else frozenset().union(*(known[name] for name in chosen))


def _networks(read: _Reading, names: Names) -> NetworkSet | None:
    known = names.networks
    chosen = read.words("network", lambda word: word if word in known else None, "defined under [networks]")
    return None if chosen is None else network_set(network for name in chosen for network in known[name])


def _shown(read: _Reading) -> frozenset[FactorKind] | None:
    chosen = read.words("shown", _within(tuple(SHOWN)), one_of(tuple(SHOWN)))
    return None if chosen is None else frozenset(kind for word in chosen for kind in SHOWN[word])


def _country(word: str) -> str | None:
    return word if word == UNKNOWN or _COUNTRY.fullmatch(word) else None


def _within(words: tuple[str, ...]) -> Callable[[str], str | None]:
    return lambda word: word if word in words else None


def _risks(read: _Reading, key: str, words: tuple[str, ...]) -> RiskSet | None:
    found = read.texts(key)
    if found is None:
        return None
    levels, spans = set(), []
    for place, text in found:
        span = _span(text)
        if text in words:
            levels.add(text)
        elif span is not None:
            spans.append(span)
        else:
            read.told(place, f'{key} {quoted(text)} is not {one_of(words)}, nor numbers such as ">= 60, < 80"')
    return RiskSet(words=frozenset(levels), spans=tuple(spans))


def _span(text: str) -> Span | None:
    """The numbers for which all comparisons of the text hold; None where there are none."""
    span = Span()
    for part in text.split(","):
        found = _COMPARED.fullmatch(part.strip())
        if found is None or float(found[2]) > 100:
            return None
        mark, is_open = float(found[2]), "=" not in found[1]
        if found[1].startswith(">"):
            least, is_open = max((span.least, span.is_open_below), (mark, is_open))
            span = msgspec.structs.replace(span, least=least, is_open_below=is_open)
        else:
            most, is_shut = min((span.most, not span.is_open_above), (mark, not is_open))
            span = msgspec.structs.replace(span, most=most, is_open_above=not is_shut)
    is_empty = span.least > span.most or (span.least == span.most and (span.is_open_below or span.is_open_above))
    return None if is_empty else span
