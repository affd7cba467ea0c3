"""ID tokens: who signed in, told to the application that asked. What they may say beside that is `person_claims`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth_gateway.core.account import Account
from auth_gateway.core.claims import Authentication
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.person_claims import named_claims, released
from auth_gateway.core.provider.tokens import id_claims
from auth_gateway.flows.provider.ports import ProviderCodec

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokens:
    """Signs ID tokens as each client is registered."""

    issuer: str
    codec: ProviderCodec

    def encode(
        self,
        *,
        client: RegisteredClient,
        user_id: str,
        session_id: str,
        authentication: Authentication,
        access_token: str,
        now: float,
        nonce: str | None = None,
        more: Mapping[str, Any] = NOTHING,
    ) -> str:
        """An ID token for this client, beside that access token."""
        claims = id_claims(
            issuer=self.issuer,
            user_id=user_id,
            client_id=client.client_id,
            session_id=session_id,
            authentication=authentication,
            now=now,
            nonce=nonce,
            access_token=access_token,
            more=more,
        )
        return self.codec.encode_id(claims, client.id_token_signed_response_alg)


def claims_inside(
    account: Account | None, client: RegisteredClient, *, scope: str, claims: str | None
) -> Mapping[str, Any]:
    """What an ID token says of the person beside who they are: what the `claims` parameter asked for there."""
    if account is None or claims is None:
        return NOTHING
    return released(account, client, scope=scope, named=named_claims(claims, "id_token"), by_scope=False)
