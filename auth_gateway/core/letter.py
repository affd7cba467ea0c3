"""A mail as a value: to whom, what it is about, and what stands in it. How it reads is the pages' matter."""

from collections.abc import Mapping
from typing import Literal

import msgspec

LetterKind = Literal[
    "email_code",
    "new_sign_in",
    "recover",
    "verify_email",
    "already_registered",
    "password_changed",
    "factor_added",
    "factor_removed",
    "recovery_codes_made",
    "account_frozen",
    "password_renewal",
    "password_breached",
]

MAIL_ENDPOINT = "mail"
"""Where letters wait in the outbox."""
LETTER_PURPOSE = "letter"
"""What a letter that waits is sealed for."""
CODE_SECONDS = 600
RECOVERY_SECONDS = 1800
VERIFICATION_SECONDS = 3600
WAS_THIS_YOU_SECONDS = 7 * 86_400
USEFUL_SECONDS: Mapping[LetterKind, float] = {
    "email_code": CODE_SECONDS,
    "recover": RECOVERY_SECONDS,
    "verify_email": VERIFICATION_SECONDS,
}
"""How long some letters say something that is true; others wait as long as the outbox tries."""

LinkPurpose = Literal["recover", "verify_email", "was_this_you"]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail. `language` is a tag of ours ("en", "de"), "" the operator's default."""

    to: str
    kind: LetterKind
    language: str = ""
    values: Mapping[str, str] = {}


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as it waits to be sent; it is kept sealed, for it may hold a link's or a code's secret."""

    letter: Letter
    posted_at: float

    def is_too_late(self, now: float) -> bool:
        """Whether what it says is over, so that it would only puzzle whoever gets it."""
        useful_seconds = USEFUL_SECONDS.get(self.letter.kind)
        return useful_seconds is not None and now >= self.posted_at + useful_seconds


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A letter in words."""

    subject: str
    text: str
    html: str


class MailLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link in a mail: it counts once, and only by a POST, because programs that read mail open links."""

    token_digest: bytes
    purpose: LinkPurpose
    user_id: str
    data: bytes
    created_at: float
    expires_at: float
    used_at: float | None = None
