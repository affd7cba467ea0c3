"""What signs the provider's tokens and what reads those that come back. No rules."""

from auth_gateway.adapters.jwt import AccessCodec, Es256Codec, Hs256Codec, ProviderTokens
from auth_gateway.adapters.provider.assertions import ClientAssertions
from auth_gateway.adapters.provider.proofs import DpopProofs
from auth_gateway.adapters.provider.verifier import OwnTokens
from auth_gateway.flows.provider.ports import AssertionChecker, ProofChecker, ProviderCodec, TokenVerifier
from auth_gateway.service import Service

# Where clients authenticate; RFC 9126, section 2, demands that a pushed request may name its own address too.
CLIENT_PATHS = ("", "/token", "/par")


def codec(service: Service) -> ProviderCodec:
    """Signs ID tokens, logout tokens and applications' access tokens."""
    ring, secret = service.gateway.ring, service.gateway.settings.hs256_secret
    access: AccessCodec = Es256Codec(ring) if secret is None else Hs256Codec(secret)
    return ProviderTokens(ring, access)


def verifier(service: Service) -> TokenVerifier:
    """Reads access tokens and ID tokens of ours."""
    settings = service.gateway.settings
    return OwnTokens(service.gateway.ring, issuer=settings.jwt_issuer, secret=settings.hs256_secret)


def proofs(_service: Service) -> ProofChecker:
    """Checks DPoP proofs."""
    return DpopProofs()


def assertions(service: Service) -> AssertionChecker:
    """Checks client assertions that name the provider as their audience."""
    issuer = service.gateway.settings.jwt_issuer
    return ClientAssertions([issuer + path for path in CLIENT_PATHS])
