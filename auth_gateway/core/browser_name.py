"""What a browser is called, for people who look which of the entries is theirs."""

import msgspec


class BrowserName(msgspec.Struct, frozen=True):
    """Browser and system in common words, each "" when it is not known. A claim of the browser's own."""

    browser: str = ""
    system: str = ""
