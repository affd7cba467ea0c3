"""Sessions to try, made from what a person usually does: theirs, or an invented one's. Synthetic throughout: the
addresses are of ranges whose networks and places the tables know, and stand for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import msgspec
from msgspec import Struct

from risk_scorer.core.console.lab_presets import CHROME, ELSEWHERE, FIREFOX, JA4, VPN_IP, UsualLogin
from risk_scorer.core.console.supposed_session import Ask, SupposedSession, Who

SceneName = Literal["stolen", "owner", "vpn"]
SCENES: Final[dict[SceneName, tuple[str, str]]] = {
    "stolen": ("Stolen session", "its token is used from another network with another browser, for exports"),
    "owner": ("Owner goes on", "the same session, and nobody else in it"),
    "vpn": ("Owner behind a VPN", "the same browser goes on from another network"),
}
INVENTED_SERVICE: Final = "lab"
INVENTED_DAYS: Final = 40
"""Eight weeks of working days: what detectors want to know of somebody before they speak (their `warm_up`)."""
INVENTED_ASKS: Final = (
    ("/home", 14_000), ("/messages", 9_000), ("/messages/{id}", 6_000), ("/orders", 22_000), ("/orders/{id}", 8_000),
    ("/customers", 30_000), ("/customers/{id}", 7_000), ("/orders/{id}", 8_000), ("/invoices", 19_000),
    ("/invoices/{id}", 11_000), ("/messages", 9_000), ("/home", 14_000),
)  # fmt: skip
"""What an invented person does every day, and how many bytes each answer has."""
PAUSES: Final = (7.103, 31.518, 12.341, 54.927, 19.062, 26.719, 9.486, 41.205, 16.873, 23.637, 66.254)
"""Seconds between somebody's requests; eleven, so that they meet other requests each day, and with the milliseconds by
which detectors choose what many people learn from (`memory.is_sampled`)."""
SHORTEST_PAUSE, LONGEST_PAUSE = 2.0, 90.0
MOST_OWN: Final = 12
"""Requests of the owner in a scene."""
BEFORE_THEFT: Final = 5
THEFT_SECONDS: Final = 300.0
"""After the owner's last request: somebody has to carry the token away."""
THEFT_PAUSE: Final = 3.0
LOOKS_AROUND: Final = 2
"""The owner's requests that the other makes first."""
EXPORTS: Final = (
    ("/export/customers", 90_000), ("/export/customers", 24_000_000), ("/export/orders", 31_000_000),
    ("/export/invoices", 18_000_000), ("/admin/users", 900_000), ("/export/users", 12_000_000),
)  # fmt: skip


class UsualAsk(Struct, frozen=True, kw_only=True):
    """One request as somebody makes it, so many seconds after the one before."""

    pause: float
    method: str
    endpoint: str
    status: int
    bytes_out: int
    service: str


class UsualSession(Struct, frozen=True, kw_only=True):
    """What a person does in a session; `is_own` where they were seen to."""

    asks: tuple[UsualAsk, ...]
    is_own: bool


class SeenPerson(Struct, frozen=True, kw_only=True):
    """What is stored of what a person does: how they came, what they asked for and what they may do of late. `login`
    and `usual` are None where nothing calm was seen, the others where nobody told."""

    login: UsualLogin | None = None
    usual: UsualSession | None = None
    roles: tuple[str, ...] | None = None
    privileges: tuple[str, ...] | None = None


def invented_day(day: int) -> tuple[UsualAsk, ...]:
    """What an invented person does on a day: the same things in a slightly other rhythm each time."""
    return tuple(
        UsualAsk(
            pause=PAUSES[(day * len(INVENTED_ASKS) + place) % len(PAUSES)],
            method="GET",
            endpoint=endpoint,
            status=200,
            bytes_out=sent + 37 * ((day + place) % 9),
            service=INVENTED_SERVICE,
        )
        for place, (endpoint, sent) in enumerate(INVENTED_ASKS)
    )


def invented_session() -> UsualSession:
    """What an invented person does today."""
    return UsualSession(asks=invented_day(INVENTED_DAYS), is_own=False)


def day_asks(day: int) -> tuple[Ask, ...]:
    """The requests of an invented day."""
    return tuple(_timed(invented_day(day), "owner", 0.0, digits=3))


def scene(name: SceneName, person: UsualLogin, usual: UsualSession) -> SupposedSession:
    """That session of that person."""
    owner = _timed(usual.asks[:MOST_OWN], "owner", 0.0)
    began = SupposedSession(
        user=person.user,
        past="" if usual.is_own else "invented",
        ip=person.ip,
        user_agent=person.user_agent,
        device_id=person.device_id,
        ja4=person.ja4,
    )
    if name == "owner":
        return msgspec.structs.replace(began, asks=_text(owner))
    if name == "vpn":
        gone_on = [msgspec.structs.replace(ask, who="other") for ask in owner[BEFORE_THEFT:]]
        same = {f"other_{field}": value for field, value in began.client_of("owner").items()}
        return msgspec.structs.replace(
            began, **{**same, "other_ip": VPN_IP}, asks=_text([*owner[:BEFORE_THEFT], *gone_on])
        )
    other = CHROME if person.user_agent != CHROME else FIREFOX
    return msgspec.structs.replace(
        began,
        other_ip=next(ip for country, ip in ELSEWHERE if country != person.country),
        other_user_agent=other,
        other_ja4=JA4[other],
        asks=_text([*owner[:BEFORE_THEFT], *_theft(owner[:BEFORE_THEFT])]),
    )


def scene_named(text: str) -> SceneName | None:
    """The scene of that name."""
    return next((name for name in get_args(SceneName) if name == text), None)


def _theft(before: Sequence[Ask]) -> list[Ask]:
    """Somebody else looks around, then exports, at the service that the owner used last."""
    last = before[-1]
    first = [(ask.method, ask.endpoint, ask.bytes_out, ask.service) for ask in before[:LOOKS_AROUND]]
    then = [("GET", endpoint, sent, last.service) for endpoint, sent in EXPORTS]
    asks = [
        UsualAsk(pause=THEFT_PAUSE, method=method, endpoint=endpoint, status=200, bytes_out=sent, service=service)
        for method, endpoint, sent, service in [*first, *then]
    ]
    return _timed(asks, "other", last.seconds + THEFT_SECONDS)


def _timed(asks: Sequence[UsualAsk], who: Who, start: float, *, digits: int = 1) -> list[Ask]:
    at, found = start, []
    for ask in asks:
        at += min(LONGEST_PAUSE, max(SHORTEST_PAUSE, ask.pause))
        found.append(
            Ask(
                seconds=round(at, digits),
                who=who,
                method=ask.method,
                endpoint=ask.endpoint,
                status=ask.status,
                bytes_out=ask.bytes_out,
                service=ask.service,
            )
        )
    return found


def _text(asks: Sequence[Ask]) -> str:
    return "\n".join(map(str, asks))
