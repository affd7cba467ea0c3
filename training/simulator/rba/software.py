"""What browsers and programs called themselves from February 2020 to January 2021: every text there is, by a code."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from training.simulator.rba.draws import Whole

_Releases = tuple[tuple[int, str], ...]

# (day of release, version); day 0 is 2020-02-03. Source: the vendors' release calendars of 2020.
_CHROME: _Releases = (
    (-900, "63.0.3239"), (-55, "79.0.3945"), (1, "80.0.3987"), (64, "81.0.4044"), (106, "83.0.4103"),
    (162, "84.0.4147"), (204, "85.0.4183"), (246, "86.0.4240"), (288, "87.0.4280"), (351, "88.0.4324"),
)  # fmt: skip
_EDGE: _Releases = (
    (-900, "44.18362"), (4, "80.0.361"), (70, "81.0.416"), (108, "83.0.478"), (164, "84.0.522"),
    (206, "85.0.564"), (249, "86.0.622"), (290, "87.0.664"), (353, "88.0.705"),
)  # fmt: skip
_FIREFOX: _Releases = (
    (-900, "57.0"), (-27, "72.0"), (8, "73.0"), (36, "74.0"), (64, "75.0"), (92, "76.0"), (120, "77.0"), (148, "78.0"),
    (176, "79.0"), (204, "80.0"), (232, "81.0"), (260, "82.0"), (288, "83.0"), (316, "84.0"), (358, "85.0"),
)  # fmt: skip
_SAFARI: _Releases = ((-900, "11.1"), (-6, "13.0.5"), (50, "13.1"), (162, "13.1.2"), (226, "14.0"), (315, "14.0.2"))
_IOS: _Releases = (
    (-900, "11.4"), (-6, "13.3.1"), (50, "13.4"), (107, "13.5"), (163, "13.6"), (226, "14.0"), (276, "14.2"),
    (315, "14.3"), (358, "14.4"),
)  # fmt: skip
_SAMSUNG: _Releases = (
    (-900, "6.2"),
    (-60, "10.2"),
    (25, "11.1"),
    (100, "11.2"),
    (150, "12.0"),
    (220, "12.1"),
    (310, "13.0"),
)
_UNCHANGING: _Releases = ((-900, "2.22"),)

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_MACS = ("10.13.6", "10.14.6", "10.15.3", "10.15.5", "10.15.7")
_PHONES = (
    ("SM-G960F", "10"), ("SM-G950F", "9"), ("SM-G973F", "10"), ("SM-A520F", "8.0.0"), ("SM-A505FN", "10"),
    ("SM-G930F", "8.0.0"), ("SM-N960F", "10"), ("SM-J530F", "9"), ("CLT-L29", "10"), ("ANE-LX1", "9"),
    ("VOG-L29", "10"), ("MAR-LX1A", "10"), ("Pixel 3", "11"), ("Pixel 2", "10"), ("Mi 9T", "10"), ("Redmi Note 8", "9"),
    ("ONEPLUS A6003", "10"), ("ONEPLUS A5000", "9"), ("H8324", "10"), ("Moto G (5)", "8.1.0"),
)  # fmt: skip
_BUILDS = 12
_TABLETS = (("SM-T510", "10"), ("SM-T580", "8.1.0"), ("AGS2-W09", "8.0.0"))

_Variant = tuple[str, str]
"""What an agent text says between its brackets, and the name of the operating system; both may hold the version."""


@dataclass(frozen=True)
class Family:
    """A browser on a kind of machine: how it names itself, the machines it is found on, and its releases."""

    browser: str
    agent: str
    device_type: str
    variants: tuple[_Variant, ...]
    releases: _Releases


def _androids(models: tuple[tuple[str, str], ...]) -> tuple[_Variant, ...]:
    """Each model with each of its (invented) builds, as its makers name them."""
    return tuple(
        (f"Linux; Android {version}; {model} Build/QP1A.19{build:02}", f"Android {version}")
        for model, version in models
        for build in range(_BUILDS)
    )


_WINDOWS = (("Windows NT 10.0; Win64; x64", "Windows 10"),)
_OLD_WINDOWS = (("Windows NT 6.1; Win64; x64", "Windows 7"), ("Windows NT 6.3; Win64; x64", "Windows 8.1"))
_MAC = tuple((f"Macintosh; Intel Mac OS X {version.replace('.', '_')}", f"Mac OS X {version}") for version in _MACS)
_LINUX = (("X11; Linux x86_64", "Linux"), ("X11; Ubuntu; Linux x86_64", "Ubuntu"))
_BLINK = f"Mozilla/5.0 ({{machine}}) {_WEBKIT} Chrome/{{version}}.0 Safari/537.36"
_BLINK_PHONE = f"Mozilla/5.0 ({{machine}}) {_WEBKIT} Chrome/{{version}}.0 Mobile Safari/537.36"
_GECKO = "Mozilla/5.0 ({machine}; rv:{version}) Gecko/20100101 Firefox/{version}"
_IPHONE = ("iPhone; CPU iPhone OS {underscored} like Mac OS X", "iOS {version}")
_IPAD = ("iPad; CPU OS {underscored} like Mac OS X", "iOS {version}")

_EDGE_AGENT = _BLINK.replace("Chrome/{version}.0", "Chrome/83.0.4103.0") + " Edg/{version}.0"
_SAFARI_AGENT = f"Mozilla/5.0 ({{machine}}) {_APPLE} Version/{{version}} Safari/605.1.15"
_MOBILE_SAFARI = f"Mozilla/5.0 ({{machine}}) {_APPLE} Version/{{version}} Mobile/15E148 Safari/604.1"
_SAMSUNG_AGENT = (
    f"Mozilla/5.0 ({{machine}}) {_WEBKIT} SamsungBrowser/{{version}} Chrome/79.0.3945.0 Mobile Safari/537.36"
)

FAMILIES: tuple[Family, ...] = (
    Family("Chrome", _BLINK, "desktop", _WINDOWS, _CHROME),
    Family("Chrome", _BLINK, "desktop", _OLD_WINDOWS, _CHROME),
    Family("Chrome", _BLINK, "desktop", _MAC, _CHROME),
    Family("Edge", _EDGE_AGENT, "desktop", _WINDOWS, _EDGE),
    Family("Firefox", _GECKO, "desktop", _WINDOWS, _FIREFOX),
    Family("Firefox", _GECKO, "desktop", _LINUX, _FIREFOX),
    Family("Safari", _SAFARI_AGENT, "desktop", _MAC, _SAFARI),
    Family("Mobile Safari", _MOBILE_SAFARI, "mobile", (_IPHONE,), _IOS),
    Family("Chrome Mobile", _BLINK_PHONE, "mobile", _androids(_PHONES), _CHROME),
    Family("Samsung Internet", _SAMSUNG_AGENT, "mobile", _androids(_PHONES[:8]), _SAMSUNG),
    Family("Mobile Safari", _MOBILE_SAFARI, "tablet", (_IPAD,), _IOS),
    Family("Chrome", _BLINK, "tablet", _androids(_TABLETS), _CHROME),
    Family("Python Requests", "python-requests/{version}.0", "bot", (("", "Other"),), _UNCHANGING),
    Family("Go-http-client", "Go-http-client/1.1", "bot", (("", "Other"),), _UNCHANGING),
    Family("HeadlessChrome", _BLINK.replace("Chrome/", "HeadlessChrome/"), "bot", _LINUX, _CHROME),
)
"""The places here are the families' numbers."""
COMPUTERS: dict[int, int] = {0: 42, 1: 5, 2: 10, 3: 12, 4: 9, 5: 2, 6: 20}
PHONES: dict[int, int] = {7: 55, 8: 33, 9: 12}
TABLETS: dict[int, int] = {10: 75, 11: 25}
PROGRAMS: tuple[int, ...] = (12, 13, 14)
LONGEST_LAG = 800
"""Days that a device may be behind its browser's releases; such a one still runs what it was installed with."""


@dataclass(frozen=True)
class Software:
    """Every text by its code, and where the codes of a family begin."""

    agent: tuple[str, ...]
    browser: tuple[str, ...]
    system: tuple[str, ...]
    device_type: tuple[str, ...]
    first_code: NDArray[np.int64]
    variants: NDArray[np.int64]
    version_on: NDArray[np.int64]
    """(families, days): which release each family has on a day, counted from `LONGEST_LAG` days before day 0."""

    def codes(self, family: Whole, variant: Whole, day: Whole) -> Whole:
        """The code of what `family` says on the machine `variant` (any whole number) with the releases of `day`."""
        version = self.version_on[family, np.clip(day + LONGEST_LAG, 0, self.version_on.shape[1] - 1)]
        releases = self._releases[family]
        codes: Whole = self.first_code[family] + variant % self.variants[family] * releases + version
        return codes

    @property
    def _releases(self) -> NDArray[np.int64]:
        return np.array([len(family.releases) for family in FAMILIES])


@cache
def load_software() -> Software:
    """The one table there is."""
    texts = [
        (_filled(family.agent.replace("{machine}", machine), version), f"{family.browser} {version}",
         _filled(system, version), family.device_type)
        for family in FAMILIES
        for machine, system in family.variants
        for _, version in family.releases
    ]  # fmt: skip
    sizes = [len(family.variants) * len(family.releases) for family in FAMILIES]
    days = np.arange(-LONGEST_LAG, 366)
    agent, browser, system, device_type = zip(*texts, strict=True)
    return Software(
        agent=agent,
        browser=browser,
        system=system,
        device_type=device_type,
        first_code=np.cumsum([0, *sizes[:-1]]),
        variants=np.array([len(family.variants) for family in FAMILIES]),
        version_on=np.stack(
            [np.searchsorted([day for day, _ in family.releases], days, side="right") - 1 for family in FAMILIES]
        ),
    )


def _filled(text: str, version: str) -> str:
    return text.replace("{version}", version).replace("{underscored}", version.replace(".", "_"))
