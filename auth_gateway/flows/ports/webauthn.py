"""What is asked of browsers about passkeys, and what is believed of their answers."""

from collections.abc import Sequence
from typing import Protocol

from auth_gateway.core.factor import Passkey
from auth_gateway.core.passkey_ceremony import Asserted, Assertion, Attestation, Attested, Flawed


class WebAuthn(Protocol):
    """WebAuthn for one relying party. Answers are read without belief, then checked; nothing is remembered."""

    def creation_options(
        self, *, challenge: bytes, user_handle: bytes, username: str, display_name: str, registered: Sequence[Passkey]
    ) -> str:
        """What a page asks a browser to make, as JSON; none on an authenticator that holds one of `registered`."""
        ...

    def request_options(self, *, challenge: bytes, allowed: Sequence[Passkey], must_verify_user: bool) -> str:
        """What a page asks a browser to sign, as JSON; nobody `allowed` lets the person choose among all of theirs."""
        ...

    def read_assertion(self, text: str) -> Assertion | Flawed:
        """The answer to a request, out of a form. Never raises, whatever is sent."""
        ...

    def read_attestation(self, text: str) -> Attestation | Flawed:
        """A new credential, out of a form. Never raises, whatever is sent."""
        ...

    def verify_assertion(self, assertion: Assertion, passkey: Passkey, *, must_verify_user: bool) -> Asserted | Flawed:
        """What it says, if this passkey signed it for us. The challenge's worth and the counter are the caller's."""
        ...

    def verify_attestation(self, attestation: Attestation) -> Attested | Flawed:
        """The credential, if it was made for us. The challenge's worth is the caller's."""
        ...
