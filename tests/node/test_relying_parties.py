"""openid-client and oauth4webapi, which have never seen our code, sign people in at the running provider."""

import itertools
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from auth_gateway.core.provider.client import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEVICE_CODE, REFRESH_TOKEN
from tests.node.conftest import Judge
from tests.ports import free_port
from tests.running_provider import RunningProvider

pytestmark = pytest.mark.node
_numbers = itertools.count()
ALGORITHMS = {
    "ES256": lambda kid: ECKey.generate_key("P-256", {"kid": kid}),
    "RS256": lambda kid: RSAKey.generate_key(2048, {"kid": kid}),
    "PS256": lambda kid: RSAKey.generate_key(2048, {"kid": kid}),
    "EdDSA": lambda kid: OKPKey.generate_key("Ed25519", {"kid": kid}),
}


@pytest.fixture
def client(provider: RunningProvider) -> Any:
    """Registers an application under a name of its own."""

    def register(**registration: Any) -> dict[str, str]:
        return provider.client(f"app{next(_numbers)}", **registration)

    return register


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_a_person_signs_in_at_a_web_application(judge: Judge, client: Any, alg: str) -> None:
    """Discovery, code flow, ID token in the client's own algorithm and userinfo stand up to openid-client."""
    judge("login", client=client(id_token_signed_response_alg=alg), alg=alg)


def test_a_person_signs_in_at_a_public_application(judge: Judge, client: Any) -> None:
    """An application on the person's own machine has no secret and gets in by PKCE."""
    registration = {"token_endpoint_auth_method": "none", "application_type": "native"}
    judge("login", client=client(**registration), alg="ES256")


def test_a_browser_that_is_signed_in_is_not_asked_again(judge: Judge, client: Any) -> None:
    """Single sign-on, and `prompt` and `max_age` as OpenID Connect Core means them."""
    judge("single_sign_on", client=client())


def test_acr_values_bring_a_second_factor(judge: Judge, client: Any) -> None:
    """A step-up by code gives a session that says aal2, and no second question."""
    judge("step_up", client=client())


def test_a_reused_refresh_token_ends_the_session(judge: Judge, client: Any) -> None:
    """Rotation, narrower scopes, and the end of everything when an old token comes back."""
    judge("refresh", client=client())


def test_pushed_requests_count_once(judge: Judge, client: Any) -> None:
    """PAR by the client alone, once, and as the only way where it is required."""
    required = client(require_pushed_authorization_requests=True)
    judge("pushed", client=required, other=client())


@pytest.mark.parametrize("method", ["client_secret_basic", "none"])
def test_bound_tokens_need_their_key(judge: Judge, client: Any, method: str) -> None:
    """DPoP: code, tokens, refresh and userinfo are worth nothing without the proof."""
    judge("dpop", client=client(token_endpoint_auth_method=method, dpop_bound_access_tokens=True))


def test_applications_prove_themselves_by_their_key(judge: Judge, client: Any) -> None:
    """private_key_jwt in four algorithms; each assertion once, for us, and briefly."""
    signers = []
    for alg, generate in ALGORITHMS.items():
        key = generate(f"key-{alg}")
        public = json.dumps(KeySet([key]).as_dict(private=False))
        registered = client(
            token_endpoint_auth_method="private_key_jwt", grant_types=(CLIENT_CREDENTIALS,), jwks=public
        )
        signers.append({"alg": alg, "client": registered, "jwk": key.as_dict(private=True)})
    judge("private_key", client=signers[0]["client"], signers=signers)


def test_an_application_gets_a_token_of_its_own(judge: Judge, client: Any) -> None:
    """client_credentials, introspection by a resource server, and revocation."""
    judge("own_token", client=client(grant_types=(CLIENT_CREDENTIALS,)), server=client(may_introspect=True))


def test_a_revoked_refresh_token_ends_the_session(judge: Judge, client: Any) -> None:
    """Introspection, userinfo, refresh and the browser know at once."""
    judge("revocation", client=client(), other=client(), server=client(may_introspect=True))


def test_a_device_waits_for_a_person(judge: Judge, client: Any) -> None:
    """The device grant from the first request to a refresh."""
    registered = client(
        token_endpoint_auth_method="none",
        application_type="native",
        redirect_uris=(),
        grant_types=(DEVICE_CODE, REFRESH_TOKEN),
    )
    judge("device", client=registered)


def test_signing_out_reaches_every_application(judge: Judge, client: Any) -> None:
    """RP-initiated logout comes back to its application, and another one is told by a proper logout token."""
    port, after = free_port(), "http://127.0.0.1:9/goodbye"
    first = client(
        post_logout_redirect_uris=(after,), backchannel_logout_uri=f"http://127.0.0.1:{port}/backchannel-logout"
    )
    judge("logout", client=first, other=client(), backchannel_port=port, after_logout=after)


def test_what_must_not_work_does_not(judge: Judge, client: Any) -> None:
    """Wrong verifier, address, client, code, method and algorithm are refused, by us or by the library's own checks."""
    judge("refusals", client=client(), other=client())


def test_consent_is_asked_once(judge: Judge, client: Any) -> None:
    """An application that needs it asks; a refusal is access_denied."""
    judge("consent", client=client(requires_consent=True))


def test_every_answer_passes_the_checks_of_oauth4webapi(judge: Judge, client: Any) -> None:
    """PAR, DPoP, code, signatures, userinfo and a resource server's own validation (RFC 9068)."""
    judge("plain_oauth", client=client(grant_types=(AUTHORIZATION_CODE, REFRESH_TOKEN)))
