"""What somebody says to an act that others will ask about: who they are, and why."""

import msgspec

from auth_gateway.core.user_risk import with_words
from plumbing.refusals import Refused

LONGEST_NAME = 128
LONGEST_WHY = 500


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Their name and their reason; `client_id` is the program that passes it on."""

    by: str
    why: str
    client_id: str | None = None

    def beside(self, detail: str) -> str:
        """What changed, with these words."""
        return with_words(detail, by=self.by, why=self.why)


def said(by: str, why: str, *, client_id: str | None = None, code: str = "invalid_words") -> Said:
    """Words that may be kept.

    Raises: Refused(code, 422) for none, too long ones, or more than one line.
    """
    for text, longest in ((by, LONGEST_NAME), (why, LONGEST_WHY)):
        if not text.strip() or len(text) > longest or not text.isprintable():
            words = f"Say who says it (to {LONGEST_NAME} characters) and why (to {LONGEST_WHY}), on one line each."
            raise Refused(code, words, status=422)
    return Said(by=by, why=why, client_id=client_id)
