"""What is kept of passwords, sealed: whoever has the database alone cannot try passwords against it.

The hash of each person is sealed by the vault for their id, so another person's does not open in its place. Hashes that
were kept before this was so are in the clear until their owner logs in or the sealing key is exchanged.
"""

import base64
import binascii
from typing import Final

import structlog

from auth_gateway.core.account import password_purpose
from auth_gateway.flows.ports import Sealer
from plumbing.refusals import Refused
from plumbing.vault import Unsealable

_SEALED: Final = "sealed:"
"""No notation of a hash begins so."""
MISSING: Final = "sealing_key_missing"

log = structlog.get_logger(__name__)


def is_sealed(kept: str) -> bool:
    """Whether a text of the table is sealed, rather than a hash in the clear."""
    return kept.startswith(_SEALED)


def text_of(sealed: bytes) -> str:
    """Sealed bytes as the table keeps them."""
    return _SEALED + base64.b64encode(sealed).decode()


def bytes_of(kept: str) -> bytes:
    """The sealed bytes of a text; none where it was cut or altered, which open as nothing."""
    try:
        return base64.b64decode(kept.removeprefix(_SEALED), validate=True)
    except (binascii.Error, ValueError):
        return b""


class SealedPasswords:
    """Seals and opens hashes of passwords; without a vault they stay in the clear. `is_lost` says that what was looked
    at last opens with no key of ours."""

    def __init__(self, vault: Sealer | None = None) -> None:
        self._vault = vault
        self.is_lost = False

    def is_due(self, kept: str) -> bool:
        """Whether a text of the table is in the clear and need not be."""
        return self._vault is not None and not is_sealed(kept)

    def seal(self, user_id: str, stored_hash: str) -> str:
        """The hash as it is kept for that person."""
        if self._vault is None:
            return stored_hash
        return text_of(self._vault.seal(stored_hash.encode(), password_purpose(user_id)))

    def open(self, user_id: str, kept: str) -> str:
        """The hash; one in the clear is itself. May read files and the database where the key is a new one.

        Raises: Refused("sealing_key_missing", 503): fails closed, and as no wrong password.
        """
        if not is_sealed(kept):
            return kept
        try:
            if self._vault is None:
                raise Unsealable("there is no vault")
            return self._vault.open(bytes_of(kept), password_purpose(user_id)).decode()
        except (Unsealable, OSError) as error:
            log.error("password_cannot_be_opened", user_id=user_id, reason=MISSING)
            raise missing() from error

    def look(self, kept: list[tuple[str, str]]) -> bool:
        """Whether one of these can be opened, or none is sealed."""
        sealed = [one for one in kept if is_sealed(one[1])]
        self.is_lost = bool(sealed) and not any(self._opens(*one) for one in sealed)
        return not self.is_lost

    def _opens(self, user_id: str, kept: str) -> bool:
        try:
            self.open(user_id, kept)
        except Refused:
            return False
        return True


def missing() -> Refused:
    """What is answered while passwords cannot be checked."""
    return Refused(MISSING, "Passwords cannot be checked at this moment.", status=503)
