"""What the provider's flows need from the world, beside `flows.ports`. Repositories take the running transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from auth_gateway.core.provider.authorization import (
    AuthorizationCode,
    AuthorizationRequest,
    BrowserSession,
    Card,
    Consent,
    Interaction,
    PushedRequest,
)
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.device_grant import DeviceGrant
from auth_gateway.core.provider.tokens import ClientClaims, LogoutClaims, VerifiedToken
from plumbing.statements import Transaction


class BrowserSessions(Protocol):
    """Who is signed in at which browser."""

    def add(self, tx: Transaction, session: BrowserSession) -> None: ...

    def find(self, tx: Transaction, token_digest: bytes) -> BrowserSession | None: ...

    def forget(self, tx: Transaction, token_digest: bytes) -> None:
        """The cookie of this digest leads nowhere any more."""
        ...

    def sessions_of(self, tx: Transaction, browser_id: str) -> list[str]:
        """The sessions that began at this browser and still run."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class SessionClients(Protocol):
    """Which applications have a part in a session."""

    def join(self, tx: Transaction, session_id: str, client_id: str, now: float) -> bool:
        """Once is enough; a part that was ended begins anew. False when the session was revoked meanwhile: then nobody
        would tell the application of its end."""
        ...

    def of(self, tx: Transaction, session_id: str) -> list[str]:
        """The applications that hear of its end: those that have a part in it, and those that had one."""
        ...

    def end(self, tx: Transaction, session_id: str, client_id: str, now: float) -> bool:
        """End one application's part and its refresh families in this session, joined or not; False when it had
        ended before."""
        ...

    def has_ended(self, tx: Transaction, session_id: str, client_id: str, *, issued_at: int) -> bool:
        """Whether the part of that application that a token of this time belongs to was ended; a part that began anew
        does not bring back the tokens of the one before. One that never joined has not ended."""
        ...

    def forget_orphaned(self, tx: Transaction) -> int: ...


class Interactions(Protocol):
    """Ways through the sign-in page, and requests that were pushed beforehand."""

    def push(self, tx: Transaction, pushed: PushedRequest) -> None: ...

    def take_pushed(self, tx: Transaction, request_digest: bytes, now: float) -> AuthorizationRequest | None:
        """The pushed request, once; None when unknown, used or too old. Nothing of it stays: who fetches what he left
        may leave another, so what is fetched must take no room."""
        ...

    def start(self, tx: Transaction, interaction: Interaction) -> None: ...

    def find(self, tx: Transaction, interaction_id: str) -> Interaction | None: ...

    def show(
        self,
        tx: Transaction,
        interaction_id: str,
        card: Card,
        *,
        session_id: str | None,
        challenge: bytes | None = None,
        incident_id: str | None = None,
    ) -> bool:
        """What the person sees next; False when the interaction is finished."""
        ...

    def finish(self, tx: Transaction, interaction_id: str, now: float) -> bool:
        """By compare-and-set; False when somebody else finished it first."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class AuthorizationCodes(Protocol):
    """Codes by their digest."""

    def add(self, tx: Transaction, code: AuthorizationCode) -> None: ...

    def find(self, tx: Transaction, code_digest: bytes) -> AuthorizationCode | None: ...

    def spend(self, tx: Transaction, code_digest: bytes, now: float) -> bool:
        """By compare-and-set; False when it was spent before."""
        ...

    def forget_session(self, tx: Transaction, session_id: str) -> None:
        """What was given in that session is no code any more."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class DeviceGrants(Protocol):
    """Devices that wait."""

    def add(self, tx: Transaction, grant: DeviceGrant) -> bool:
        """False when the user code is taken."""
        ...

    def find(self, tx: Transaction, device_digest: bytes) -> DeviceGrant | None: ...

    def by_user_code(self, tx: Transaction, user_code: str) -> DeviceGrant | None: ...

    def poll(self, tx: Transaction, device_digest: bytes, *, now: float, interval_seconds: int) -> None: ...

    def answer(self, tx: Transaction, device_digest: bytes, *, session_id: str | None, now: float) -> bool:
        """Approve (with the session) or deny (None), by compare-and-set; False when it is not pending any more."""
        ...

    def redeem(self, tx: Transaction, device_digest: bytes) -> bool:
        """By compare-and-set; False when it is not approved or was redeemed before."""
        ...

    def end_of_session(self, tx: Transaction, session_id: str) -> None:
        """What was approved in that session, and not fetched, is denied."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class Consents(Protocol):
    """What people agreed to."""

    def find(self, tx: Transaction, user_id: str, client_id: str) -> Consent | None: ...

    def put(self, tx: Transaction, consent: Consent) -> None: ...

    def of_user(self, tx: Transaction, user_id: str) -> list[Consent]: ...

    def remove(self, tx: Transaction, user_id: str, client_id: str) -> bool:
        """The person is asked again; False when they had not agreed."""
        ...


class SeenOnce(Protocol):
    """Identifiers that count once."""

    def first(self, tx: Transaction, digest: bytes, expires_at: float) -> bool:
        """Whether this is the first time; from now on it is not. Decided by the key, so races have one winner."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class RevokedTokens(Protocol):
    """Access tokens without a session that were revoked before their time."""

    def add(self, tx: Transaction, jti: str, expires_at: float) -> None: ...

    def holds(self, tx: Transaction, jti: str) -> bool: ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class ProviderRepositories(Protocol):
    """All of them, as the gateway holds them."""

    @property
    def browser_sessions(self) -> BrowserSessions: ...

    @property
    def session_clients(self) -> SessionClients: ...

    @property
    def interactions(self) -> Interactions: ...

    @property
    def codes(self) -> AuthorizationCodes: ...

    @property
    def device_grants(self) -> DeviceGrants: ...

    @property
    def consents(self) -> Consents: ...

    @property
    def seen_once(self) -> SeenOnce: ...

    @property
    def revoked_tokens(self) -> RevokedTokens: ...


class ProviderCodec(Protocol):
    """Signs what the provider issues beside people's access tokens."""

    def encode_client(self, claims: ClientClaims) -> str:
        """An application's own access token (`at+jwt`)."""
        ...

    def encode_id(self, claims: Mapping[str, Any], algorithm: str) -> str:
        """An ID token, ES256 or RS256 as the client is registered."""
        ...

    def encode_logout(self, claims: LogoutClaims, algorithm: str) -> str:
        """A logout token (`logout+jwt`)."""
        ...


class TokenVerifier(Protocol):
    """Reads tokens that should be ours."""

    def access(self, token: str, now: float) -> VerifiedToken | None:
        """The access token, or None for anything that is not one of ours in force: wrong signature, type, issuer,
        time, or a shape that we never issue. Never raises, whatever is sent."""
        ...

    def id_token_hint(self, token: str) -> Mapping[str, Any] | None:
        """The claims of an ID token of ours, expired or not (`id_token_hint` outlives the token); None otherwise."""
        ...


class ProofChecker(Protocol):
    """Checks DPoP proofs (RFC 9449, section 4.3) without remembering them."""

    def check(
        self, proofs: Sequence[str], *, method: str, url: str, now: float, access_token: str | None = None
    ) -> "Proof":
        """The key's thumbprint and the proof's own id.

        Raises: Refused `invalid_dpop_proof` (400); several headers are refused too.
        """
        ...


class Proof(Protocol):
    """A proof whose form and signature were right; it counts once."""

    @property
    def jkt(self) -> str: ...

    @property
    def replay_digest(self) -> bytes: ...

    @property
    def expires_at(self) -> float: ...


class AssertionChecker(Protocol):
    """Checks client assertions (RFC 7523, section 3; `private_key_jwt`) without remembering them."""

    def claimed_client(self, assertion: str) -> str | None:
        """Whose assertion it says it is, so that the registration can be looked up; nobody may believe it yet."""
        ...

    def check(self, assertion: str, *, client: RegisteredClient, now: float) -> "Assertion":
        """The assertion as one that counts once.

        Raises: Refused `invalid_client` (401) for everything that this client's registered keys did not sign for us.
        """
        ...


class Assertion(Protocol):
    """An assertion whose form, signature and audience were right; it counts once."""

    @property
    def replay_digest(self) -> bytes: ...

    @property
    def expires_at(self) -> float: ...


class ClientFinder(Protocol):
    """Registrations for grammar checks, read on the calling thread."""

    def __call__(self, client_id: str) -> RegisteredClient | None: ...
