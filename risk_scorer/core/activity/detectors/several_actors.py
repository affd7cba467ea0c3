"""Two people in one session: a client that the session did not begin with, from a network that it was never in.

A network alone is no sign: people leave the Wi-Fi and switch their VPN on and off with the browser that they have. A
client alone is a weak one, and none just after the login: an application signs in by the browser and goes on by itself
(RFC 8252). Both at once are what a copied token looks like.

Source for what stays the same in a browser over its updates (family, operating system, the ciphers that it offers):
Vastel, Laperdrix, Rudametkin, Rouvoy 2018, "FP-STALKER: Tracking Browser Fingerprint Evolutions", section IV.
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of
from risk_scorer.core.continuity import is_another_stack

_NAME = "several_actors"
MOST_CLIENTS, MOST_NETWORKS = 4, 6
TOGETHER_SECONDS = 1800.0
"""While another client was active within this time, the first one acting is evidence too. Reason: the half-life of
evidence in a session."""
ELSEWHERE_IF_STOLEN, BESIDE_IF_STOLEN = 0.7, 0.15
"""Shares of stolen sessions that go on with another client elsewhere, and in a network of the session's. Reason: the
rest copies the client as well; tools that sell cookies with fingerprints are the smaller part."""
ELSEWHERE_USUAL, BESIDE_USUAL = 0.002, 0.01
"""The same shares of people's own sessions before we know the person: a token is one application's and stays in it."""
STRENGTH = 50.0
"""Sessions of the person that weigh as much as the shares above."""
MOST_SESSIONS = 400.0
HANDOVER_SECONDS = 600.0
"""How long after its beginning a session is handed from the browser to an application on the same machine."""
TOGETHER_PEOPLE, COMPANION_NATS = 5, 1.5
"""What so many people have in calm sessions, or after a factor, is how an application is built. Something is left, for
a thief may take that application, too; of an application that never says what it is asked by, nothing."""
MOST_COMPANIONS = 256
AT_ONCE_NATS = 1.0
"""Two clients in turns in one network: likelier two people than one who went from one to the other."""
FEWEST_NATS = 0.5


class Client(Part):
    """Who acted: their client and the networks that they were in (an operator's number, or a digest of a prefix).

    `how` says how the client came into the session: see `_OWN` and what follows it. `mark` stands for it in findings.
    """

    browser: str
    os: str
    ja4: str
    device_id: str
    networks: list[int]
    last_at: float
    how: int = 0
    mark: int = 0


class Clients(Part):
    """The clients of one session, the one that it began with first. At most `MOST_CLIENTS`."""

    clients: list[Client] = field(default_factory=list)

    most_bytes: ClassVar[int] = 8 + MOST_CLIENTS * (4 * 4 * 257 + MOST_NETWORKS * 9 + 29)
    # device, JA4, browser and system are texts of at most 256 characters of up to 4 bytes


class Companions(Part):
    """In how many sessions of one person there was another client."""

    sessions: float = 0.0
    beside: float = 0.0
    elsewhere: float = 0.0

    most_bytes: ClassVar[int] = 32


class Together(Part):
    """Which clients go together (digests of two), and who had them together (digests of people)."""

    most_bytes: ClassVar[int] = 8 + MOST_COMPANIONS * (12 + 9 * TOGETHER_PEOPLE)
    pairs: dict[int, list[int]] = field(default_factory=dict)


_OWN, _BESIDE, _ELSEWHERE = 0, 1, 2
"""A client that the session began with or was handed to; another in its network; another where it never was."""


class SeveralActors(Detector):
    """Another client in a session than it began with, weighed by how often that is so with this person."""

    name = _NAME
    family = "continuity"
    warm_up = "what the session began with, or its first event"
    texts = {
        "another_client_elsewhere": "The session is used by another client in a network that it was never in.",
        "another_client": "The session is used by another client than it began with.",
    }
    parts = {"session": Clients, "person": Companions, "world": Together}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """Whether this client is another, or one of the session's own acts in turns with another."""
        part: Clients | None = around.session.get(_NAME)
        if part is None:
            first = _first(seen)
            if first is None:
                return UNKNOWN
            clients = [first]
        else:
            clients = part.clients
        if len(clients) == 1 and _is_client(clients[0], seen):
            return None
        place = _place(clients, seen)
        how = clients[place].how if place >= 0 else _arrival(clients, seen)
        if how != _OWN:
            is_turn = place > 0 and any(_is_between(clients[place], each, seen) for each in clients)
            mark = clients[place].mark if place >= 0 else _mark(seen)
            return _finding(clients[0], seen, around, how=how, is_turn=is_turn, mark=mark)
        for other in clients:
            if other.how != _OWN and _is_at_once(other, seen):
                return _finding(other, seen, around, how=other.how, is_turn=True, mark=other.mark)
        return None

    def learn(self, seen: Seen, around: Around) -> None:
        """Sessions of the person, and in how many of them another client took part without further suspicion."""
        part: Clients | None = around.session.get(_NAME)
        if part is not None and _is_client(part.clients[0], seen):
            return
        first = _first(seen) if part is None else None
        clients = part.clients if part is not None else [first] if first is not None else []
        own: Companions | None = around.person.get(_NAME)
        if own is None:
            own = around.person[_NAME] = Companions()
        if part is None:
            own.sessions += 1.0
            if own.sessions > MOST_SESSIONS:
                own.sessions, own.beside, own.elsewhere = own.sessions / 2, own.beside / 2, own.elsewhere / 2
        if not clients:
            return
        place = _place(clients, seen)
        how = clients[place].how if place >= 0 else _arrival(clients, seen)
        if how == _OWN:
            return
        if place < 0:
            own.beside += how == _BESIDE
            own.elsewhere += how == _ELSEWHERE
        _learn_pair(clients[0], seen, around, how=how)

    def note(self, seen: Seen, around: Around) -> None:
        """Which client acted, from which network, and how it came."""
        part: Clients | None = around.session.get(_NAME)
        if part is None:
            first = _first(seen)
            part = around.session[_NAME] = Clients([first if first is not None else _client(seen, _OWN)])
        clients = part.clients
        place = _place(clients, seen)
        if place < 0:
            how = _arrival(clients, seen)
            place = min(len(clients), MOST_CLIENTS - 1)
            clients[place:] = [_client(seen, how)]
        client = clients[place]
        client.last_at = seen.ts
        client.device_id = client.device_id or seen.device_id
        network = _network(seen)
        if network and network not in client.networks:
            client.networks.append(network)
            del client.networks[:-MOST_NETWORKS]


def _arrival(clients: list[Client], seen: Seen) -> int:
    """How a client comes that the session did not have before."""
    network = _network(seen)
    known = [each.networks for each in clients if each.how == _OWN]
    if network and any(known) and not any(network in networks for networks in known):
        return _ELSEWHERE
    began = seen.began
    is_handover = began is not None and abs(seen.ts - began.started_at) < HANDOVER_SECONDS and len(clients) == 1
    return _OWN if is_handover and (not network or network in clients[0].networks) else _BESIDE


def _is_at_once(client: Client, seen: Seen) -> bool:
    return abs(seen.ts - client.last_at) < TOGETHER_SECONDS


def _is_between(acting: Client, other: Client, seen: Seen) -> bool:
    """Whether one of the session's own clients acted after this one last did."""
    return other.how == _OWN and other.last_at > acting.last_at and _is_at_once(other, seen)


def _finding(other: Client, seen: Seen, around: Around, *, how: int, is_turn: bool, mark: int) -> Finding | None:
    """What it is worth that this event's client and the other one are in one session."""
    own: Companions | None = around.person.get(_NAME)
    is_elsewhere = how == _ELSEWHERE
    if_stolen, usual = (ELSEWHERE_IF_STOLEN, ELSEWHERE_USUAL) if is_elsewhere else (BESIDE_IF_STOLEN, BESIDE_USUAL)
    if own is not None:
        times = own.elsewhere if is_elsewhere else own.beside
        usual = (times + STRENGTH * usual) / (own.sessions + STRENGTH)
    nats = math.log(if_stolen / usual) + (AT_ONCE_NATS if is_turn else 0.0)
    together: Together | None = around.world.get(_NAME)
    if together is not None and len(together.pairs.get(_pair(other, seen, how), ())) >= TOGETHER_PEOPLE:
        nats = min(nats, COMPANION_NATS) if seen.browser or seen.ja4 else 0.0
    if nats < FEWEST_NATS:
        return None
    code = "another_client_elsewhere" if is_elsewhere else "another_client"
    acting, before = _words(seen.browser, seen.os, seen.country), _words(other.browser, other.os, "")
    return Finding(code, nats, acting, before, mark)


def _pair(other: Client, seen: Seen, how: int) -> int:
    """What stands for the two clients, whichever of them acts, and for how the second one came."""
    two = sorted((f"{other.browser} {other.os}", f"{seen.browser} {seen.os}"))
    return digest_of("\n".join([*two, str(how)]))


def _learn_pair(first: Client, seen: Seen, around: Around, *, how: int) -> None:
    together: Together | None = around.world.get(_NAME)
    if together is None:
        together = around.world[_NAME] = Together()
    pair, person = _pair(first, seen, how), digest_of(seen.user_id)
    people = together.pairs.setdefault(pair, [])
    if len(people) < TOGETHER_PEOPLE and person not in people:
        people.append(person)
        if len(together.pairs) > MOST_COMPANIONS:
            del together.pairs[next(iter(together.pairs))]


def _first(seen: Seen) -> Client | None:
    """The client that the session began with, if that is known.

    Its device counts only if the application calls devices what the gateway calls them.
    """
    began = seen.began
    if began is None or not (began.browser or began.ja4 or began.device_id):
        return None
    network = began.asn or (digest_of(began.prefix) if began.prefix else 0)
    device = began.device_id if began.device_id == seen.device_id else ""
    return Client(began.browser, began.os, began.ja4, device, [network] if network else [], began.started_at or seen.ts)


def _client(seen: Seen, how: int) -> Client:
    network = _network(seen)
    networks = [network] if network else []
    return Client(seen.browser, seen.os, seen.ja4, seen.device_id, networks, seen.ts, how, _mark(seen))


def _mark(seen: Seen) -> int:
    """Stands for the client as it was first seen."""
    return digest_of(f"{seen.browser}\n{seen.os}\n{seen.ja4}\n{seen.device_id}")


def _network(seen: Seen) -> int:
    return seen.asn or (digest_of(seen.prefix) if seen.prefix else 0)


def _place(clients: list[Client], seen: Seen) -> int:
    """Which of the clients acts, -1 for none of them."""
    for place, client in enumerate(clients):
        if _is_client(client, seen):
            return place
    return -1


def _is_client(client: Client, seen: Seen) -> bool:
    """Whether it may be the same one. A user agent that is left out is another: it would be the easiest to hide."""
    if client.browser != seen.browser and client.browser:
        return False
    if client.os != seen.os and client.os:
        return False
    if client.device_id != seen.device_id and client.device_id and seen.device_id:
        return False
    return client.ja4 == seen.ja4 or not (client.ja4 and seen.ja4) or not is_another_stack(client.ja4, seen.ja4)


def _words(browser: str, system: str, country: str) -> str:
    return " ".join([browser or "unknown client", system, country]).strip()[:96]
