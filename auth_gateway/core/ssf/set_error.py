"""The words in which receivers refuse a Security Event Token.

Source: RFC 8935, section 2.4; RFC 8936, section 2.6.
"""

import re
from typing import Final

FINAL_ERRORS: Final = frozenset({"invalid_request", "invalid_issuer", "invalid_audience", "invalid_state"})
"""The same token would be refused again."""
SENDER_ERRORS: Final = frozenset({"authentication_failed", "access_denied"})
"""Every token of ours is refused, until the receiver gives us what it asks for."""
UNKNOWN: Final = "unknown"

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def error_code(said: str) -> str:
    """The code as it may be written down, "" for none; a receiver may write anything there."""
    if not said:
        return ""
    return said if _CODE.fullmatch(said) else UNKNOWN
