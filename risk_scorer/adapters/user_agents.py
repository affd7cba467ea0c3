"""From a user agent's text to browser, system and kind of device, by the public ua-parser rules (uap-core).

The text is the client's own claim: it is parsed, never believed. Whether the TLS fingerprint agrees with it is judged
in `core/fingerprint`.
"""

from functools import cache

from ua_parser import Parser, load_lazy_builtins
from ua_parser.core import Result
from ua_parser.regex import Resolver

from risk_scorer.adapters.recent_values import RecentValues
from risk_scorer.core.facts import NO_AGENT_FACTS, AgentFacts

LONGEST_USER_AGENT = 2_048
REMEMBERED = 4_096
"""Twice as many may be kept: at most 16 MiB of text, whatever strangers send."""

PROGRAMS = frozenset({
    "curl", "Wget", "Python Requests", "Python-urllib", "Python aiohttp", "aiohttp", "python-httpx", "HTTPie",
    "Go-http-client", "Java", "Apache-HttpClient", "Apache HttpClient", "libwww-perl", "Ruby", "Faraday", "PHP",
    "Guzzle", "node-fetch", "axios", "undici", "PostmanRuntime", "Postman", "insomnia", "HeadlessChrome", "PhantomJS",
    "SlimerJS", "Electron Headless", "Scrapy", "Nutch", "HTTrack", "sqlmap", "hydra",
})  # fmt: skip
"""Families that are a program's own name: honest, but not a person at a browser."""
ROBOTS = (
    "bot", "crawler", "spider", "scraper", "scrapy", "headless", "phantomjs", "selenium", "webdriver", "puppeteer",
    "playwright", "python", "curl/", "wget/", "libwww", "httpclient", "go-http", "java/", "sqlmap", "hydra", "masscan",
    "nikto", "zgrab",
)  # fmt: skip
"""Plain words, not patterns: looking for all of them takes a microsecond, a pattern of them fifty."""
PHONES_CALLED_BOT = "cubot"
TELEVISIONS = frozenset({"Tizen", "webOS", "tvOS", "ATV OS X", "Roku", "FireTV", "Chromecast"})
PHONES = frozenset(
    {"iOS", "Android", "Windows Phone", "BlackBerry OS", "KaiOS", "HarmonyOS", "Symbian OS", "Firefox OS"}
)
COMPUTERS = frozenset({
    "Windows", "Mac OS X", "Linux", "Ubuntu", "Debian", "Fedora", "Chrome OS", "FreeBSD", "OpenBSD", "NetBSD",
    "Solaris", "Red Hat", "SUSE", "Arch Linux", "Linux Mint", "CentOS", "Gentoo",
})  # fmt: skip
TABLETS = ("ipad", "tablet", "kindle", "silk/", "playbook", " sm-t", " sm-x", "nexus 7", "nexus 9", "nexus 10")
TELEVISION_SETS = ("smart-tv", "smarttv", "appletv", "googletv", "android tv", "bravia", "netcast", "crkey", "; aft")
MOBILE = "mobile"


class UserAgents:
    """Facts about user agents, with a bounded memory. Safe to share between threads."""

    def __init__(self) -> None:
        self._parse = _parser().parse
        self._recent: RecentValues[AgentFacts] = RecentValues(REMEMBERED)

    def facts(self, ua: str) -> AgentFacts:
        """What the text claims; of junk, nothing. Never raises; what stands after 2,048 characters is not read."""
        if not ua:
            return NO_AGENT_FACTS
        text = ua[:LONGEST_USER_AGENT]
        return self._recent.get(text) or self._recent.keep(text, self._read(text))

    def _read(self, text: str) -> AgentFacts:
        # A lone surrogate has no UTF-8 form and would stop the parser.
        found = self._parse(text.encode(errors="replace").decode())
        browser, system = found.user_agent, found.os
        words = text.lower()
        is_bot = _is_robot(found, words)
        return AgentFacts(
            browser=browser.family if browser else "",
            browser_version=(browser.major or "") if browser else "",
            os=system.family if system else "",
            os_version=(system.major or "") if system else "",
            device_type="bot" if is_bot else _device_type(system.family if system else "", words),
            is_bot=is_bot,
        )


@cache
def _parser() -> Parser:
    """One parser for all: the `regex` resolver runs in time linear in the text, whatever the text. To compile its rules
    takes a fifth of a second.
    """
    return Parser(Resolver(load_lazy_builtins()))


def _is_robot(found: Result, words: str) -> bool:
    family = found.user_agent.family if found.user_agent else ""
    is_spider = found.device is not None and found.device.family == "Spider"
    return is_spider or family in PROGRAMS or _any_of(ROBOTS, words.replace(PHONES_CALLED_BOT, ""))


def _device_type(system: str, words: str) -> str:
    """desktop, mobile, tablet or unknown. An iPad that asks for desktop pages says that it is a Mac."""
    if system in TELEVISIONS or _any_of(TELEVISION_SETS, words):
        return "unknown"
    if system != "Windows" and (_any_of(TABLETS, words) or _is_android_tablet(system, words)):
        return "tablet"
    if system in PHONES or (MOBILE in words and system not in COMPUTERS):
        return "mobile"
    return "desktop" if system in COMPUTERS else "unknown"


def _is_android_tablet(system: str, words: str) -> bool:
    """Browsers on Android say Mobile on phones and leave it out on tablets; apps' libraries follow no rule."""
    return system == "Android" and words.startswith("mozilla/") and MOBILE not in words


def _any_of(wanted: tuple[str, ...], words: str) -> bool:
    return any(word in words for word in wanted)
