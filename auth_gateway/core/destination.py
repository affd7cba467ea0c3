"""Who wants to be told of events: which ones, in what form, and how much of the person. Values and pure rules."""

import re
from typing import Final, Literal, get_args

import msgspec

from auth_gateway.core.event import Event
from auth_gateway.core.vocabulary import EventType
from plumbing.refusals import Refused

PREFIX = "dst_"
"""What a destination's id begins with; the id is its name in the outbox."""

DestinationKind = Literal["webhook", "syslog", "file", "ssf"]
Format = Literal["standard", "ocsf", "ecs", "cef"]
AddressForm = Literal["full", "prefix", "keyed_hash", "none"]
UserForm = Literal["name", "id", "keyed_hash"]

LONGEST_URL: Final = 2_000
LONGEST_TENANT: Final = 128
MOST_CLIENTS: Final = 100
LONGEST_CLIENT: Final = 256
LONGEST_REASON: Final = 200
MOST_ONE_BY_ONE: Final = 1_000_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TYPES: Final = frozenset(get_args(EventType))
_FAMILIES: Final = frozenset(f"{name.partition('.')[0]}.*" for name in _TYPES)


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which events: of these types (`login.*` is all of a family; none named: every one), from this score on where an
    event has a score, at these applications."""

    types: tuple[str, ...] = ()
    min_score: float = 0.0
    clients: tuple[str, ...] = ()

    def takes(self, event: Event) -> bool:
        """Whether it is told. An event without a score passes the mark: nobody knows that it is harmless."""
        if self.types and event.type not in self.types and f"{event.type.partition('.')[0]}.*" not in self.types:
            return False
        if event.score is not None and event.score < self.min_score:
            return False
        return not self.clients or event.client_id in self.clients


class Privacy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the person is told. What is not asked for stays here."""

    ip: AddressForm = "prefix"
    user: UserForm = "id"
    user_agent: bool = False


class Folding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when on alike events are told as one: `burst` of them at once, and then `per_minute`, go one by one."""

    is_on: bool = True
    burst: int = 60
    per_minute: float = 60.0


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """One who is told. `tenant` "" is the gateway's own; `url` is an address, or a path for a file. Where nothing is
    said of folding it is as is usual for the kind. Its secrets are not here."""

    destination_id: str
    name: str
    kind: DestinationKind
    url: str
    format: Format = "standard"
    filter: Filter = Filter()
    privacy: Privacy = Privacy()
    folding: Folding | None = None
    tenant: str = ""
    created_at: float = 0.0
    disabled_at: float | None = None
    disabled_reason: str = ""


def check_terms(wanted: Destination) -> None:
    """Let a destination pass whose terms mean something; its address is looked at by whoever knows the kind.

    Raises: Refused `invalid_destination` (400): which rule, not which value.
    """
    if not _NAME.fullmatch(wanted.name) or wanted.name.startswith(PREFIX):
        raise _unsound("a name has 1 to 64 letters, digits, dots, dashes or underscores, and no `dst_` in front")
    if not 0 < len(wanted.url) <= LONGEST_URL:
        raise _unsound(f"an address has 1 to {LONGEST_URL} characters")
    if len(wanted.filter.types) > len(_TYPES) or not set(wanted.filter.types) <= _TYPES | _FAMILIES:
        raise _unsound("a type is one of the vocabulary, or a family of them such as `login.*`")
    if not 0 <= wanted.filter.min_score <= 100:
        raise _unsound("a score is 0 to 100")
    _check_folding(folding_of(wanted))
    if len(wanted.filter.clients) > MOST_CLIENTS:
        raise _unsound(f"a filter names {MOST_CLIENTS} applications at the most")
    if not all(_is_one_line(client, LONGEST_CLIENT) for client in wanted.filter.clients):
        raise _unsound("an application's id is one line of printable characters")
    if len(wanted.tenant) > LONGEST_TENANT or not wanted.tenant.isprintable():
        raise _unsound(f"a tenant has at most {LONGEST_TENANT} printable characters")


def check_reason(reason: str) -> None:
    """Let a reason pass that others are told and that tells a disabled one from an enabled one.

    Raises: Refused `invalid_reason` (400).
    """
    if not _is_one_line(reason, LONGEST_REASON):
        raise Refused("invalid_reason", f"a reason has 1 to {LONGEST_REASON} printable characters", status=400)


def folding_of(destination: Destination) -> Folding:
    """Its terms of folding. Collectors of lines are told each event unless they ask for less."""
    return destination.folding or Folding(is_on=destination.kind == "webhook")


def secret_purpose(destination_id: str) -> str:
    """What a destination's secret is sealed for."""
    return f"destination:{destination_id}"


def _is_one_line(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable()


def _check_folding(folding: Folding) -> None:
    if not 1 <= folding.burst <= MOST_ONE_BY_ONE or not 0 < folding.per_minute <= MOST_ONE_BY_ONE:
        raise _unsound(f"1 to {MOST_ONE_BY_ONE} alike events are told one by one, at once and in a minute")


def _unsound(text: str) -> Refused:
    return Refused("invalid_destination", text, status=400)
