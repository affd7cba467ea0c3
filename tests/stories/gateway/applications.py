"""Registered applications at the token endpoint, and people who have signed in for them: codes and devices as the
sign-in page leaves them in the database.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from auth_gateway.core.account import device_digest
from auth_gateway.core.provider.authorization import AuthorizationCode
from auth_gateway.core.provider.client import DEVICE_CODE, RegisteredClient
from auth_gateway.core.provider.device_grant import DeviceGrant
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import Session
from plumbing.credentials import new_credential
from tests.stories.gateway.story import HOME, NOW, Story

ISSUER = "https://id.example"
CALLBACK = "https://app.example/callback"
VERIFIER = "v" * 43
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
APP_AGENT = "ShopApp/3.1 (Android 15)"
ALL_GRANTS = ("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE)
_numbers = count(1)


def challenge_of(verifier: str, most_bytes: int = 32) -> str:
    """The (left part of the) SHA-256 in base64url: a PKCE challenge, `ath`, `at_hash`."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()[:most_bytes]).rstrip(b"=").decode()


@dataclass
class Key:
    """An ES256 key of a client's own."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public_jwk(self) -> dict[str, Any]:
        jwk: dict[str, Any] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key()))
        return jwk

    @property
    def jkt(self) -> str:
        required = {name: self.public_jwk[name] for name in ("crv", "kty", "x", "y")}
        text = json.dumps(required, separators=(",", ":"), sort_keys=True)
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

    def proof(self, story: Story, *, path: str = "/token", method: str = "POST", token: str = "", **claims: Any) -> str:
        """A DPoP proof made now."""
        now = int(story.clock.now())
        said: dict[str, Any] = {"jti": f"proof-{next(_numbers)}", "htm": method, "htu": ISSUER + path, "iat": now}
        if token:
            said["ath"] = challenge_of(token)
        headers = {"typ": "dpop+jwt", "jwk": self.public_jwk}
        return jwt.encode({**said, **claims}, self.private, algorithm="ES256", headers=headers)

    def assertion(self, story: Story, client_id: str, **claims: Any) -> dict[str, str]:
        """The form fields of a client assertion made now."""
        now = int(story.clock.now())
        said = {
            **{"iss": client_id, "sub": client_id, "aud": ISSUER, "jti": f"assertion-{next(_numbers)}"},
            **{"iat": now, "exp": now + 60, **claims},
        }
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(said, self.private, algorithm="ES256"),
        }


@dataclass
class Application:
    """One registration, and how it calls."""

    story: Story
    client: RegisteredClient
    secret: str = ""
    key: Key | None = None

    @property
    def client_id(self) -> str:
        return self.client.client_id

    def ask(
        self, *, dpop: str | list[str] = "", agent: str = APP_AGENT, peer: str = HOME, **form: str
    ) -> httpx2.Response:
        """One token request, with the client's own proof of itself."""
        headers = [("user-agent", agent)]
        headers += [("dpop", proof) for proof in ([dpop] if isinstance(dpop, str) else dpop) if proof]
        method, auth = self.client.token_endpoint_auth_method, None
        if method == "client_secret_basic":
            auth = (self.client_id, self.secret)
        elif method == "none":
            form = {"client_id": self.client_id, **form}
        elif self.key is not None and "client_assertion" not in form:
            form |= self.key.assertion(self.story, self.client_id)
        return self.story.ask("POST", "/token", data=form, auth=auth, headers=headers, peer=peer)

    def redeem(self, code: str, /, **changes: Any) -> httpx2.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.ask(**{**form, **changes})

    def refresh(self, token: str, **changes: Any) -> httpx2.Response:
        return self.ask(**{"grant_type": "refresh_token", "refresh_token": token, **changes})

    def poll(self, device_code: str, **changes: Any) -> httpx2.Response:
        return self.ask(**{"grant_type": DEVICE_CODE, "device_code": device_code, **changes})

    def act(self, **changes: Any) -> httpx2.Response:
        """For itself."""
        return self.ask(**{"grant_type": "client_credentials", **changes})


def register(story: Story, client_id: str = "shop", **registration: Any) -> Application:
    """An application with every grant, unless told otherwise."""
    key = registration.pop("key", None)
    known = {"grant_types": ALL_GRANTS, "redirect_uris": (CALLBACK,), **registration}
    if key is not None:
        known |= {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": json.dumps({"keys": [key.public_jwk]}),
        }
    client = RegisteredClient(client_id=client_id, **known)
    secret, secret_digest = new_credential(story.gateway.randomness, "rgc")
    if client.token_endpoint_auth_method != "client_secret_basic":
        secret_digest = b""
    story.gateway.database.write_sync(lambda tx: story.gateway.clients.add(tx, client, secret_digest, NOW))
    return Application(story, client, secret, key)


def session_of(story: Story, user: str = "alice", **facts: Any) -> Session:
    """A person at their browser."""
    now = story.clock.now()
    known = {"amr": "pwd otp mfa", "acr": "aal2", "auth_time": int(now), "ip": HOME, "user_agent": BROWSER}
    session = Session(
        session_id=story.gateway.randomness.uuid(),
        user_id=f"id-{user}",
        client_id="shop",
        created_at=now,
        expires_at=now + 43_200,
        browser_id="browser-1",
        risk_score=10.0,
        **{**known, "device_digest": device_digest("dev-1"), "country": "US", **facts},
    )
    story.gateway.database.write_sync(lambda tx: story.gateway.sessions.add(tx, session))
    return session


def code_for(app: Application, session: Session | None = None, **facts: Any) -> str:
    """A code as the sign-in page gives it; the person signs in first unless they have."""
    story = app.story
    session = session or session_of(story)
    text, now = story.gateway.randomness.token(), story.clock.now()
    known = {"scope": "openid profile email offline_access", "code_challenge": challenge_of(VERIFIER)}
    code = AuthorizationCode(
        code_digest=digest(text),
        client_id=app.client_id,
        session_id=session.session_id,
        redirect_uri=CALLBACK,
        created_at=now,
        expires_at=now + 60,
        **{**known, **facts},
    )
    story.gateway.database.write_sync(lambda tx: story.gateway.provider.codes.add(tx, code))
    return text


def waiting_device(app: Application, **facts: Any) -> str:
    """A device code that nobody has answered."""
    story = app.story
    text, now = story.gateway.randomness.token(), story.clock.now()
    grant = DeviceGrant(
        device_digest=digest(text),
        client_id=app.client_id,
        created_at=now,
        expires_at=now + 600,
        **{"user_code": "BCDFGHJK", "scope": "openid profile", "ip": HOME, "user_agent": "TV/1", **facts},
    )
    story.gateway.database.write_sync(lambda tx: story.gateway.provider.device_grants.add(tx, grant))
    return text


def answer_device(app: Application, device_code: str, session: Session | None) -> None:
    """The person approves, or denies (no session)."""
    story, now = app.story, app.story.clock.now()
    session_id = None if session is None else session.session_id
    grants = story.gateway.provider.device_grants
    story.gateway.database.write_sync(lambda tx: grants.answer(tx, digest(device_code), session_id=session_id, now=now))


def refused(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json().get("error", "")


def read(story: Story, token: str, audience: str = "iam-clients") -> dict[str, Any]:
    """The claims of a token of ours, verified with the published keys."""
    header = jwt.get_unverified_header(token)
    keys = jwt.PyJWKSet.from_dict(story.ask("GET", "/.well-known/jwks.json").json())
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    claims: dict[str, Any] = jwt.decode(
        token, keys[header["kid"]].key, algorithms=[header["alg"]], audience=audience, issuer=ISSUER, options=options
    )
    return claims
