"""The words in which a Security Event Token is refused: by receivers, and by us.

Source: RFC 8935, section 2.4; RFC 8936, section 2.6.
"""

import re
from typing import Final, Literal

FINAL_ERRORS: Final = frozenset({"invalid_request", "invalid_issuer", "invalid_audience", "invalid_state"})
"""The same token would be refused again."""
SENDER_ERRORS: Final = frozenset({"authentication_failed", "access_denied"})
"""Every token of ours is refused, until the receiver gives us what it asks for."""
UNKNOWN: Final = "unknown"

RefusalCode = Literal[
    "invalid_request",
    "invalid_key",
    "invalid_issuer",
    "invalid_audience",
    "authentication_failed",
    "access_denied",
]
"""The words in which we refuse one."""

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def error_code(said: str) -> str:
    """The code as it may be written down, "" for none; a receiver may write anything there."""
    if not said:
        return ""
    return said if _CODE.fullmatch(said) else UNKNOWN


class SetRefused(Exception):
    """A token that we do not take: `code` is one of RFC 8935, section 2.4; the text shows nothing of the token."""

    def __init__(self, code: RefusalCode, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description
