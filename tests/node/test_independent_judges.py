"""JavaScript libraries that have never seen our code accept what we send and refuse what was touched."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from demo.people import USUAL
from plumbing.clock import SystemClock
from tests.house import RunningHouse
from tests.running_provider import RunningProvider
from webhooks.signing import parse_secret, standard_signer

pytestmark = pytest.mark.node
SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


def judged(root: Path, **material: Any) -> dict[str, Any]:
    """What the libraries said."""
    script = root / "var" / "node" / "verify.mjs"
    script.write_text((root / "tests" / "node" / "verify.mjs").read_text())
    shown = subprocess.run(
        ["node", str(script)], input=json.dumps(material), capture_output=True, text=True, timeout=60, check=True
    )
    verdict: dict[str, Any] = json.loads(shown.stdout)
    return verdict


@pytest.mark.parametrize(("touched", "verdict"), [("", "accepted"), (" ", "refused"), ("x", "refused")])
def test_the_javascript_webhook_library_accepts_ours_alone(root: Path, touched: str, verdict: str) -> None:
    """A signed delivery verifies; one byte more and it does not."""
    body = '{"type":"login.denied","timestamp":"2026-01-01T00:00:00Z","data":{"risk_score":91.5}}'
    now = int(SystemClock().now())
    headers = dict(standard_signer([parse_secret(SECRET)])("msg_1", now, body.encode()))
    answer = judged(root, webhook={"secret": SECRET, "body": body + touched, "headers": headers})
    assert answer["webhook"].startswith(verdict)


def test_an_old_delivery_is_refused_as_a_replay(root: Path) -> None:
    """A signature from ten minutes ago is too old, however right."""
    headers = dict(standard_signer([parse_secret(SECRET)])("msg_1", int(time.time()) - 600, b"{}"))
    assert judged(root, webhook={"secret": SECRET, "body": "{}", "headers": headers})["webhook"].startswith("refused")


def test_the_javascript_jose_library_verifies_our_access_token(root: Path, house: RunningHouse) -> None:
    """ES256, `at+jwt`, issuer and audience, with the key from our JWKS and the claims of RFC 9068."""
    with house.gateway() as gateway:
        jwt = gateway.post("/login", json=USUAL.body()).json()["tokens"]["access_token"]
        jwks = gateway.get("/.well-known/jwks.json").json()
    token = {"jwt": jwt, "jwks": jwks, "issuer": house.house.gateway_url, "audience": "iam-clients"}
    verdict = judged(root, token=token)["token"]
    assert verdict["header"]["alg"] == "ES256"
    assert {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "sid", "auth_time", "acr", "amr"} <= set(
        verdict["claims"]
    )
    assert not any("d" in key for key in jwks["keys"])
    forged = judged(root, token={**token, "jwt": jwt[:-4] + ("AAAA" if jwt[-4:] != "AAAA" else "BBBB")})
    assert str(forged["token"]).startswith("refused")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_javascript_jose_library_verifies_our_security_events(
    root: Path, provider: RunningProvider, algorithm: str
) -> None:
    """With nothing but the transmitter's document; a touched one, and one for somebody else, it refuses."""
    name = f"siem-{algorithm.lower()}"
    auth = provider.client(
        name,
        grant_types=("client_credentials",),
        redirect_uris=(),
        scopes=("streams:manage",),
        audience=provider.issuer,
        id_token_signed_response_alg=algorithm,
    )
    person = provider.person()
    with provider.http() as http:
        basic = (auth["id"], auth["secret"])
        token = http.post("/token", data={"grant_type": "client_credentials"}, auth=basic).json()["access_token"]
        http.headers["authorization"] = f"Bearer {token}"
        disabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
        stream = http.post("/ssf/streams", json={"events_requested": [disabled]}).json()
        provider.gateway.accounts.freeze(person.username)
        (jwt,) = http.post(f"/ssf/poll/{stream['stream_id']}", json={}).json()["sets"].values()
    shown = {"jwt": jwt, "issuer": provider.issuer, "audience": name}
    verdict = judged(root, securityEvent=shown)["securityEvent"]
    assert verdict["header"]["alg"] == algorithm
    assert verdict["claims"]["sub_id"] == {"format": "iss_sub", "iss": provider.issuer, "sub": f"id-{person.username}"}
    assert list(verdict["claims"]["events"]) == [disabled]
    head, payload, signature = jwt.split(".")
    for wrong in ({"jwt": f"{head}.{payload[:-4]}AAAA.{signature}"}, {"audience": "somebody-else"}):
        assert str(judged(root, securityEvent={**shown, **wrong})["securityEvent"]).startswith("refused")
