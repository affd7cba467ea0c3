"""Logins to try, made from what is usual for a person: theirs, or an invented one's. Synthetic throughout: the
addresses are of ranges whose networks and places the tables know, and stand for nobody.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec
from msgspec import Struct

from risk_scorer.core.console.supposed_login import SupposedLogin

PresetName = Literal["usual", "traveller", "new_phone", "vpn", "stuffing", "takeover", "stolen_session"]
PRESETS: Final[dict[PresetName, tuple[str, str]]] = {
    "usual": ("Usual", "as this person mostly comes"),
    "traveller": ("Traveller", "their own device, another continent"),
    "new_phone": ("New phone", "their own network, a device that nobody has seen"),
    "vpn": ("VPN", "their own device behind a VPN service"),
    "stuffing": ("Stuffing", "a program in a data centre that tries many people's passwords"),
    "takeover": ("Takeover", "somebody else's machine in a data centre, a browser that is none"),
    "stolen_session": ("Stolen session", "a refresh from elsewhere, with another browser and without the device"),
}
Origin = Literal["own", "history", "invented"]
"""Where a person's facts come from: their newest login that was let in, their history alone, nobody's."""

IPHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
CHROME: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
)
FIREFOX: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0"
SAFARI: Final = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Safari/605.1.15"
)
ANDROID: Final = (
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36"
)
PROGRAM: Final = "python-requests/2.32.3"
JA4: Final = {
    FIREFOX: "t13d1715h2_5b57614c22b0_7121afd63204",
    CHROME: "t13d1516h2_8daaf6152771_02713d6af862",
    IPHONE: "t13d2014h2_a09f3c656075_14788d8d241b",
    PROGRAM: "t13d181000_85036bcba153_d41ae481755e",
}
"""What such a client says in its TLS handshake. Source: `data/ja4_clients.csv`."""
GO_JA4: Final = "t13d1412h2_e33ad33b3d25_6b314db333b6"
"""A client library's, which no browser has."""
AGENTS: Final = {"iOS": IPHONE, "Android": ANDROID, "Mac OS X": SAFARI}
"""A user agent for the operating system that a history knows; FIREFOX for any other."""
HOME_IP: Final = "91.0.0.1"
HOME_COUNTRY: Final = "DE"
ELSEWHERE: Final = (("JP", "126.0.0.1"), ("BR", "177.32.0.1"))
"""Networks of ordinary subscribers; the first that is not in the person's own country is taken."""
VPN_IP: Final = "45.83.144.1"
DATA_CENTRE_IPS: Final = ("165.227.0.1", "3.5.140.2")
TRIED: Final = "120"
PEOPLE: Final = "40"
"""A list of passwords on its way: three for each person."""


class UsualLogin(Struct, frozen=True, kw_only=True):
    """How a person mostly comes; `origin` says how that is known."""

    user: str
    ip: str
    user_agent: str
    device_id: str
    ja4: str
    ja4h: str = ""
    ja4s: str = ""
    client: str
    country: str
    origin: Origin


def invented(user: str) -> UsualLogin:
    """Somebody who comes from one place with one browser, for a user of whom nothing is known."""
    return UsualLogin(
        user=user or "somebody",
        ip=HOME_IP,
        user_agent=FIREFOX,
        device_id="lab-laptop",
        ja4=JA4[FIREFOX],
        client="",
        country=HOME_COUNTRY,
        origin="invented",
    )


def preset(name: PresetName, person: UsualLogin) -> SupposedLogin:
    """That login of that person."""
    usual = SupposedLogin(
        user=person.user,
        client=person.client,
        past="invented" if person.origin == "invented" else "",
        ip=person.ip,
        user_agent=person.user_agent,
        device_id=person.device_id,
        ja4=person.ja4,
        ja4h=person.ja4h,
        ja4s=person.ja4s,
    )
    changes = _changes(name, person)
    other_browser = {"ja4h": "", "ja4s": ""} if "user_agent" in changes else {}
    return msgspec.structs.replace(usual, **other_browser, **changes)


def preset_named(text: str) -> PresetName | None:
    """The preset of that name."""
    return next((name for name in get_args(PresetName) if name == text), None)


def _changes(name: PresetName, person: UsualLogin) -> dict[str, str]:
    """What is other than usual."""
    elsewhere = next(ip for country, ip in ELSEWHERE if country != person.country)
    first, second = DATA_CENTRE_IPS
    if name == "stolen_session":
        began = {"ip": person.ip, "user_agent": person.user_agent, "device_id": person.device_id, "ja4": person.ja4}
        other = CHROME if person.user_agent != CHROME else FIREFOX
        thief = {"ip": elsewhere, "user_agent": other, "device_id": "", "ja4": JA4[other]}
        return {"kind": "refresh", **{f"began_{field}": value for field, value in began.items()}, **thief}
    changes: dict[PresetName, dict[str, str]] = {
        "usual": {},
        "traveller": {"ip": elsewhere},
        "new_phone": {"user_agent": IPHONE, "device_id": "lab-new-phone", "ja4": JA4[IPHONE]},
        "vpn": {"ip": VPN_IP},
        "stuffing": {
            "ip": second, "user_agent": PROGRAM, "device_id": "", "ja4": JA4[PROGRAM], "tried": TRIED, "people": PEOPLE,
        },
        "takeover": {"ip": first, "user_agent": CHROME, "device_id": "lab-other-machine", "ja4": GO_JA4},
    }  # fmt: skip
    return changes[name]
