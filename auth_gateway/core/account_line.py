"""One account in a list of accounts, and where a page of the list goes on. No hash, no secret."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Literal

import msgspec

from auth_gateway.core.factor import FactorKind
from auth_gateway.core.user_risk import UserRisk

State = Literal["active", "frozen"]
Found = Literal["name", "mail"]
"""By what it was found: names come first, then mail addresses."""


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """An account as a list has it. `last_sign_in_at` is that of what is still kept, None where nothing is."""

    user_id: str
    username: str
    display_name: str
    email: str
    is_frozen: bool
    frozen_reason: str
    version: int
    created_at: float
    risk: UserRisk
    last_sign_in_at: float | None
    factors: tuple[FactorKind, ...]


class ListPlace(msgspec.Struct, frozen=True, array_like=True):
    """After which account a page goes on: its sorting key, among those that were found that way."""

    found: Found
    key: str
    user_id: str

    def __str__(self) -> str:
        return urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()


START = ListPlace("name", "", "")
_place = msgspec.json.Decoder(ListPlace)


def place_from(text: str) -> ListPlace | None:
    """The place that a page named, None where the text is none."""
    try:
        return _place.decode(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except (ValueError, NotBase64, msgspec.MsgspecError):
        return None
