"""Whether one row is such as a filter asks for, without a database: for rows that come while somebody looks.

It says what the statements of `adapters/console/sign_in_statements.py` say; a test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import SignInFilter

_SAME: Final = {
    "user": "user_id", "asn": "asn", "country": "country", "device": "device_id", "ja4": "ja4", "level": "level",
    "decision": "decision", "outcome": "outcome", "verdict": "verdict", "kind": "kind", "rule": "rule",
    "client": "client_id",
}  # fmt: skip
"""What has to be the same, and what a row calls it."""
_ASKS: Final[dict[str, Callable[[SignIn, Any], bool]]] = {
    "ip": lambda row, ip: (row.prefix if "/" in ip else row.ip) == ip,
    "reason": lambda row, code: code in row.reasons.split(),
    "least": lambda row, least: row.score >= least,
    "most": lambda row, most: row.score <= most,
    "since": lambda row, since: row.ts >= since,
    "until": lambda row, until: row.ts < until,
    "text": lambda row, text: row.user_id.startswith(text),
}


def matches(row: SignIn, wanted: SignInFilter) -> bool:
    """Whether the row is one of those."""
    for name, value in wanted.asked.items():
        if name in _SAME:
            if getattr(row, _SAME[name]) != value:
                return False
        elif not _ASKS[name](row, value):
            return False
    return True
