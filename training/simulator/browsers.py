"""What a browser or program says of itself on a given day: user agent, JA4, JA4H, JA4S. No people, no chance."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

STALE_LAG_DAYS = 900
"""An update lag so long that the device still runs what it was installed with."""


@dataclass(frozen=True)
class Signature:
    """The four texts a login carries about the software that made it."""

    user_agent: str
    ja4: str
    ja4h: str
    ja4s: str


_Releases = tuple[tuple[int, str], ...]

# (day of release, version); day 0 is 2025-05-01. Source: the vendors' release calendars of 2025.
_CHROME: _Releases = ((-840, "109"), (-58, "134"), (-30, "135"), (-2, "136"), (26, "137"), (54, "138"), (96, "139"))
_EDGE: _Releases = ((-840, "109"), (-55, "134"), (-27, "135"), (0, "136"), (28, "137"), (56, "138"), (98, "139"))
_FIREFOX: _Releases = ((-660, "115"), (-58, "136"), (-30, "137"), (-2, "138"), (26, "139"), (54, "140"), (82, "141"))
_SAFARI: _Releases = ((-590, "17.1"), (-94, "18.3"), (-31, "18.4"), (11, "18.5"), (89, "18.6"))
_SAMSUNG: _Releases = ((-700, "21.0"), (-170, "27.0"), (34, "28.0"))
_APP: _Releases = ((-400, "6.8.0"), (-20, "7.1.0"), (18, "7.2.0"), (60, "7.3.1"))

_WINDOWS = "Windows NT 10.0; Win64; x64"
_MAC = "Macintosh; Intel Mac OS X 10_15_7"
_LINUX = "X11; Linux x86_64"
_BLINK = "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
_GECKO = "Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"

BROWSERS: Mapping[str, tuple[_Releases, str]] = {
    "chrome_windows": (_CHROME, _BLINK.replace("{system}", _WINDOWS)),
    "chrome_mac": (_CHROME, _BLINK.replace("{system}", _MAC)),
    "chrome_linux": (_CHROME, _BLINK.replace("{system}", _LINUX)),
    "chrome_android": (
        _CHROME,
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/{version}.0.0.0 Mobile Safari/537.36",
    ),
    "edge_windows": (_EDGE, _BLINK.replace("{system}", _WINDOWS) + " Edg/{version}.0.0.0"),
    "samsung_android": (
        _SAMSUNG,
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
        " SamsungBrowser/{version} Chrome/130.0.0.0 Mobile Safari/537.36",
    ),
    "firefox_windows": (_FIREFOX, _GECKO.replace("{system}", _WINDOWS)),
    "firefox_linux": (_FIREFOX, _GECKO.replace("{system}", _LINUX)),
    "safari_mac": (
        _SAFARI,
        f"Mozilla/5.0 ({_MAC}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{{version}} Safari/605.1.15",
    ),
    "safari_iphone": (
        _SAFARI,
        "Mozilla/5.0 (iPhone; CPU iPhone OS {underscored} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/{version} Mobile/15E148 Safari/604.1",
    ),
    "safari_ipad": (
        _SAFARI,
        "Mozilla/5.0 (iPad; CPU OS {underscored} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/{version} Mobile/15E148 Safari/604.1",
    ),
    "app_iphone": (_APP, "ExampleMail/{version} (iPhone; iOS 18.5; Scale/3.00)"),
}

# JA4 of the browsers. Source: FoxIO's JA4 mapping table (JA4 itself, the TLS client fingerprint, is BSD-3-Clause).
_CHROMIUM_OLD = "t13d1516h2_8daaf6152771_02713d6af862"
_CHROMIUM = "t13d1517h2_8daaf6152771_b0da82dd1658"
_CHROMIUM_TRIAL = "t13d1517h2_8daaf6152771_b1ff8ab2d16f"
_FIREFOX_JA4 = "t13d1715h2_5b57614c22b0_7121afd63204"
_SAFARI_JA4 = "t13d2014h2_a09f3c656075_14788d8d241b"
_APP_JA4 = "t13d1413h2_6d5a1e0f9b27_3c98d0a4e1f6"  # invented: an application's own TLS library, known to no table
_NEW_JA4_FROM = 137

GO_JA4 = "t13d141000_cbb2034c60b8_e7c285222651"
PYTHON_JA4 = "t13d181000_85036bcba153_d41ae481755e"
BROKEN_JA4S = ("t13d190000_bad", "t13d_none", "unknown", "ffffffff")

PROGRAMS: tuple[Signature, ...] = (
    Signature("python-requests/2.32.3", PYTHON_JA4, "po11nn050000_python", "t130200_1302_a56c5b993250"),
    Signature("Go-http-client/2.0", GO_JA4, "po20nn030000_go", "t130200_1301_234ea6891581"),
    Signature("curl/8.7.1", "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6", "po20nn030000_curl", "t130200_1302_a56c5b993250"),
    Signature("", GO_JA4, "po11nn020000_none", "t130200_1301_234ea6891581"),
)
"""Automated clients that do not pretend to be a browser."""


def signature(browser: str, *, day: float, lag_days: float, language: str, on_trial: bool = False) -> Signature:
    """What `browser` says on `day` when it takes each release `lag_days` late.

    `on_trial` devices carry the fingerprint of a vendor's field trial. Languages are four letters ("enus").
    """
    releases, pattern = BROWSERS[browser]
    installed = [version for released, version in releases if released + lag_days <= day]
    version = installed[-1] if installed else releases[0][1]
    agent = pattern.replace("{version}", version).replace("{underscored}", version.replace(".", "_"))
    ja4 = _fingerprint(browser, version, on_trial=on_trial)
    answer = "t130200_1302_a56c5b993250" if ja4 == _SAFARI_JA4 else "t130200_1301_234ea6891581"
    headers = hashlib.sha256(f"{browser}/{language}".encode()).hexdigest()
    return Signature(agent, ja4, f"po20cr{14 + len(browser) % 4}{language}_{headers[:12]}", answer)


def _fingerprint(browser: str, version: str, *, on_trial: bool) -> str:
    if browser.startswith("firefox"):
        return _FIREFOX_JA4
    if browser.startswith("safari"):
        return _SAFARI_JA4
    if browser.startswith("app"):
        return _APP_JA4
    if browser.startswith("samsung") or int(version) < _NEW_JA4_FROM:
        return _CHROMIUM_OLD
    return _CHROMIUM_TRIAL if on_trial else _CHROMIUM
