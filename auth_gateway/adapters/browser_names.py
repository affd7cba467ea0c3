"""From a user agent's text to the words that people know it by, by the public ua-parser rules (uap-core).

The text is the browser's own claim; it is shown to the account's owner and decides nothing.
"""

from functools import lru_cache
from typing import Final

from ua_parser import Parser, load_lazy_builtins
from ua_parser.regex import Resolver

from auth_gateway.core.browser_name import BrowserName

LONGEST_USER_AGENT: Final = 512
_PLAIN: Final = {"Mac OS X": "macOS", "Other": ""}
# What uap-core tells apart and people do not.
_KINDS: Final = ("Mobile WebView", "WebView", "Mobile", "iOS")
# One parser for all: the `regex` resolver runs in time linear in the text, whatever the text.
_parse: Final = Parser(Resolver(load_lazy_builtins())).parse


def browser_name(user_agent: str) -> BrowserName:
    """Browser and system; what stands after 512 characters is not read."""
    return _named(user_agent[:LONGEST_USER_AGENT])


@lru_cache(maxsize=1024)
def _named(text: str) -> BrowserName:
    found = _parse(text)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    for kind in _KINDS:
        browser = browser.removeprefix(f"{kind} ").removesuffix(f" {kind}")
    return BrowserName(browser=_PLAIN.get(browser, browser), system=_PLAIN.get(system, system))
