"""Which address a request came from, told by the one header in which our own proxies say so. Nothing here guesses.

A header is read from its right end, since each proxy adds what it saw on the right: whatever stands left of the first
hop that is not ours was written by a stranger and is never looked at.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal, NamedTuple

from auth_gateway.core.context import read_address

X_FORWARDED_FOR = "x-forwarded-for"
FORWARDED = "forwarded"
NO_HEADER = "none"
MOST_HOPS = 32
# Longer than what any proxy says of itself and its client; one hop must not cost more to read than a short header.
LONGEST_HOP = 1024

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
Problem = Literal["malformed", "hidden", ""]

_BLANKS = " \t"  # RFC 9110, section 5.6.3: nothing else may stand around an element
_PORT = re.compile(r"(?:[0-9]{1,5}|_[A-Za-z0-9._-]+)")  # RFC 7239, section 6: a number, or obfuscated
_OBFUSCATED = re.compile(r"_[A-Za-z0-9._-]+")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, section 5.6.2, what the grammar calls a token
_PAIR = re.compile(rf'({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t -~\x80-\xff])*)")')


class Seen(NamedTuple):
    """The address that counts ("" when the connection has none), and why the header was not believed, if so:
    `malformed`, or `hidden` where a proxy of ours says that it will not tell."""

    address: str
    problem: Problem = ""


class _Unreadable(Exception):
    """A hop that is no address; `problem` says why."""

    def __init__(self, problem: Problem = "malformed") -> None:
        super().__init__(problem)
        self.problem = problem


def client_address(peer: str, values: Sequence[str], trusted_networks: Sequence[Network], *, header: str) -> Seen:
    """The right-most hop that is not one of our own proxies, by the header of that name alone.

    `values` are the lines of that header in their order. What cannot be read up to that hop, and any header that names
    one address but names it badly or twice, is not believed: the answer is `peer`. An unreadable peer (a local socket)
    is "", not known.
    """
    nearest = read_address(peer)
    if nearest is None:
        return Seen("")
    if header == NO_HEADER or not values or not is_trusted(nearest, trusted_networks):
        return Seen(str(nearest))
    try:
        return Seen(_first_stranger(nearest, values, trusted_networks, header))
    except _Unreadable as unreadable:
        return Seen(str(nearest), unreadable.problem)


def is_trusted_peer(peer: str, trusted_networks: Sequence[Network]) -> bool:
    """Whether the connection itself comes from one of our own proxies."""
    address = read_address(peer)
    return address is not None and is_trusted(address, trusted_networks)


def is_trusted(hop: Address, trusted_networks: Sequence[Network]) -> bool:
    """Whether that address is one of our own proxies'."""
    return any(hop in network for network in trusted_networks)


def _first_stranger(nearest: Address, values: Sequence[str], trusted: Sequence[Network], header: str) -> str:
    if header not in (X_FORWARDED_FOR, FORWARDED):
        if len(values) != 1:  # a proxy that adds its line to the stranger's own: nothing tells which is whose
            raise _Unreadable
        return str(_hop(values[0].strip(_BLANKS)))
    rest: str | None = ",".join(values)
    for _ in range(MOST_HOPS):
        if rest is None:
            break
        rest, text = _last_element(rest, can_quote=header == FORWARDED)
        nearest = _node(text) if header == FORWARDED else _hop(text)
        if not is_trusted(nearest, trusted):
            break
    return str(nearest)


def _last_element(text: str, *, can_quote: bool) -> tuple[str | None, str]:
    """What stands left of the last comma outside quotes (None without one), and the element right of it.

    Quotes are paired from the right too: one that a stranger left open cannot swallow what our proxy wrote after it.
    """
    is_quoted = False
    for place in range(len(text) - 1, max(-1, len(text) - LONGEST_HOP - 1), -1):
        if text[place] == '"' and can_quote and not _is_escaped(text, place):
            is_quoted = not is_quoted
        elif text[place] == "," and not is_quoted:
            return text[:place], text[place + 1 :].strip(_BLANKS)
    if is_quoted or len(text) > LONGEST_HOP:
        raise _Unreadable
    return None, text.strip(_BLANKS)


def _is_escaped(text: str, place: int) -> bool:
    before = text[max(0, place - LONGEST_HOP) : place]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _node(element: str) -> Address:
    """The `for` of one forwarded-element. Source: RFC 7239, section 4: each parameter at most once, no blanks."""
    named: dict[str, str] = {}
    place = 0
    while True:
        pair = _PAIR.match(element, place)
        if pair is None or pair[1].lower() in named:
            raise _Unreadable
        named[pair[1].lower()] = pair[2] if pair[2] is not None else re.sub(r"\\(.)", r"\1", pair[3])
        place = pair.end()
        if place == len(element):
            break
        if element[place] != ";":
            raise _Unreadable
        place += 1
    node = named.get("for", "")
    if node.count(":") > 1 and not node.startswith("["):  # section 6: an IPv6 address stands in brackets
        raise _Unreadable
    return _hop(node)


def _hop(text: str) -> Address:
    """The address of one hop, which may have a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.

    Raises: _Unreadable, `hidden` for `unknown` and `_name` (RFC 7239, section 6).
    """
    name, port = text, ""
    if text.startswith("["):
        name, bracket, port = text[1:].partition("]")
        if not bracket or ":" not in name:
            raise _Unreadable
    elif text.count(":") == 1:
        name, colon, port = text.partition(":")
        port = colon + port
    if port and (port[0] != ":" or not _PORT.fullmatch(port[1:]) or (port[1:].isdigit() and int(port[1:]) > 65535)):
        raise _Unreadable
    if name.lower() == "unknown" or _OBFUSCATED.fullmatch(name):
        raise _Unreadable("hidden")
    return _strict(name)


def _strict(text: str) -> Address:
    """Unlike a socket's, an address in a header has no zone: it names an interface of another machine."""
    try:
        parsed = ip_address(text)
    except ValueError:
        raise _Unreadable from None
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            raise _Unreadable
        return parsed.ipv4_mapped or parsed
    return parsed
