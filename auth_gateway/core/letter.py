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
]

LinkPurpose = Literal["recover", "verify_email", "was_this_you"]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail. `language` is a tag of ours ("en", "de"), "" the operator's default."""

    to: str
    kind: LetterKind
    language: str = ""
    values: Mapping[str, str] = {}


class MailLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link in a mail: it counts once, and only by a POST, because programs that read mail open links."""

    token_digest: bytes
    purpose: LinkPurpose
    user_id: str
    data: bytes
    created_at: float
    expires_at: float
    used_at: float | None = None
