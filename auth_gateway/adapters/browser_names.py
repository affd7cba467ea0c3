"""From a user agent's text to the words that people know it by, by the public ua-parser rules (uap-core).

The text is the browser's own claim; it is shown to the account's owner and decides nothing.
"""

from functools import cache, lru_cache
from typing import Any, Final

from auth_gateway.core.browser_name import BrowserName

LONGEST_USER_AGENT: Final = 512
_PLAIN: Final = {"Mac OS X": "macOS", "Other": ""}
# What uap-core tells apart and people do not.
_KINDS: Final = ("Mobile WebView", "WebView", "Mobile", "iOS")


@cache
def prepare() -> Any:
    """One parser for all, which takes an eighth of a second to make: called at the start, beside what answers.

    The `regex` resolver runs in time linear in the text, whatever the text.
    """
    from ua_parser import Parser, load_lazy_builtins
    from ua_parser.regex import Resolver

    return Parser(Resolver(load_lazy_builtins()))


def browser_name(user_agent: str) -> BrowserName:
    """Browser and system; what stands after 512 characters is not read."""
    return _named(user_agent[:LONGEST_USER_AGENT])


@lru_cache(maxsize=1024)
def _named(text: str) -> BrowserName:
    found = prepare().parse(text)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    for kind in _KINDS:
        browser = browser.removeprefix(f"{kind} ").removesuffix(f" {kind}")
    return BrowserName(browser=_PLAIN.get(browser, browser), system=_PLAIN.get(system, system))
