"""Two people in one session: a client that the session did not begin with, from a network that it was never in.

A network alone is no sign: people leave the Wi-Fi and switch their VPN on and off with the browser that they have. A
client alone is a weak one. Both at once are what a copied token looks like.

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
AT_ONCE_NATS = 1.0
"""Two clients in turns in one network: likelier two people than one who went from one to the other."""
FEWEST_NATS = 0.5


class Client(Part):
    """Who acted: their client and the networks that they were in (an operator's number, or a digest of a prefix)."""

    browser: str
    os: str
    ja4: str
    device_id: str
    networks: list[int]
    last_at: float


class Clients(Part):
    """The clients of one session, the one that it began with first. At most `MOST_CLIENTS`."""

    clients: list[Client] = field(default_factory=list)
    beside: bool = False
    elsewhere: bool = False

    most_bytes: ClassVar[int] = 8 + MOST_CLIENTS * (4 * 4 * 257 + MOST_NETWORKS * 9 + 16)
    # device, JA4, browser and system are texts of at most 256 characters of up to 4 bytes


class Companions(Part):
    """In how many sessions of one person there was another client."""

    sessions: float = 0.0
    beside: float = 0.0
    elsewhere: float = 0.0

    most_bytes: ClassVar[int] = 32


class SeveralActors(Detector):
    """Another client in a session than it began with, weighed by how often that is so with this person."""

    name = _NAME
    family = "continuity"
    warm_up = "what the session began with, or its first event"
    texts = {
        "another_client_elsewhere": "The session is used by another client in a network that it was never in.",
        "another_client": "The session is used by another client than it began with.",
    }
    parts = {"session": Clients, "person": Companions}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """Whether this client is the session's first, or the first in turns with another."""
        part: Clients | None = around.session.get(_NAME)
        if part is None:
            first = _first(seen)
            if first is None:
                return UNKNOWN
            return None if _is_client(first, seen) else _finding(first, seen, around, at_once=False)
        clients = part.clients
        if not _is_client(clients[0], seen):
            at_once = seen.ts - clients[0].last_at < TOGETHER_SECONDS and _place(clients, seen) > 0
            return _finding(clients[0], seen, around, at_once=at_once)
        for other in clients[1:]:
            if abs(seen.ts - other.last_at) < TOGETHER_SECONDS:
                return _beside(other, seen, around)
        return None

    def learn(self, seen: Seen, around: Around) -> None:
        """Sessions of the person, and in how many of them another client took part without further suspicion."""
        part: Clients | None = around.session.get(_NAME)
        first = part.clients[0] if part is not None else _first(seen)
        if part is not None and first is not None and _is_client(first, seen):
            return
        own: Companions | None = around.person.get(_NAME)
        if own is None:
            own = around.person[_NAME] = Companions()
        if part is None:
            own.sessions += 1.0
            if own.sessions > MOST_SESSIONS:
                own.sessions, own.beside, own.elsewhere = own.sessions / 2, own.beside / 2, own.elsewhere / 2
        if first is not None and not _is_client(first, seen):
            elsewhere = _network(seen) not in first.networks
            if elsewhere and not (part is not None and part.elsewhere):
                own.elsewhere += 1.0
            elif not elsewhere and not (part is not None and part.beside):
                own.beside += 1.0

    def note(self, seen: Seen, around: Around) -> None:
        """Which client acted, from which network."""
        part: Clients | None = around.session.get(_NAME)
        if part is None:
            first = _first(seen)
            part = around.session[_NAME] = Clients([first if first is not None else _client(seen)])
        clients = part.clients
        place = _place(clients, seen)
        if place < 0:
            place = min(len(clients), MOST_CLIENTS - 1)
            clients[place:] = [_client(seen)]
        client = clients[place]
        client.last_at = seen.ts
        network = _network(seen)
        if place:
            elsewhere = network not in clients[0].networks
            part.elsewhere, part.beside = part.elsewhere or elsewhere, part.beside or not elsewhere
        if network and network not in client.networks:
            client.networks.append(network)
            del client.networks[:-MOST_NETWORKS]


def _finding(first: Client, seen: Seen, around: Around, *, at_once: bool) -> Finding | None:
    """What another client than the first is worth."""
    network = _network(seen)
    is_elsewhere = bool(network and first.networks) and network not in first.networks
    nats = _nats(around, is_elsewhere=is_elsewhere) + (AT_ONCE_NATS if at_once else 0.0)
    if nats < FEWEST_NATS:
        return None
    code = "another_client_elsewhere" if is_elsewhere else "another_client"
    return Finding(code, nats, _words(seen.browser, seen.os, seen.country), _words(first.browser, first.os, ""))


def _beside(other: Client, seen: Seen, around: Around) -> Finding | None:
    """What it is worth that the first client acts while another one is active."""
    is_elsewhere = bool(other.networks) and _network(seen) not in other.networks
    nats = _nats(around, is_elsewhere=is_elsewhere) + AT_ONCE_NATS
    if nats < FEWEST_NATS:
        return None
    code = "another_client_elsewhere" if is_elsewhere else "another_client"
    return Finding(code, nats, f"in turns with {_words(other.browser, other.os, '')}", "one client")


def _nats(around: Around, *, is_elsewhere: bool) -> float:
    own: Companions | None = around.person.get(_NAME)
    if_stolen, usual = (ELSEWHERE_IF_STOLEN, ELSEWHERE_USUAL) if is_elsewhere else (BESIDE_IF_STOLEN, BESIDE_USUAL)
    if own is not None:
        times = own.elsewhere if is_elsewhere else own.beside
        usual = (times + STRENGTH * usual) / (own.sessions + STRENGTH)
    return math.log(if_stolen / usual)


def _first(seen: Seen) -> Client | None:
    """The client that the session began with, if that is known."""
    began = seen.began
    if began is None or not (began.browser or began.ja4 or began.device_id):
        return None
    network = began.asn or (digest_of(began.prefix) if began.prefix else 0)
    return Client(
        began.browser, began.os, began.ja4, began.device_id, [network] if network else [], began.started_at or seen.ts
    )


def _client(seen: Seen) -> Client:
    network = _network(seen)
    return Client(seen.browser, seen.os, seen.ja4, seen.device_id, [network] if network else [], seen.ts)


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
