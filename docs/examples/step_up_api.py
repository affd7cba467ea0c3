"""An API that asks for a stronger or fresher login where it matters, in the words of RFC 9470.

Reading an account takes any login; a transfer takes two factors (`aal2`) no more than five minutes old. An application
that is told `insufficient_user_authentication` sends its person to `/authorize` with the `acr_values` and `max_age` of
the challenge, and comes back with the new token.

Usage: ISSUER=https://id.example AUDIENCE=iam-clients python step_up_api.py
"""

import os
import time
from collections.abc import Callable
from typing import Annotated, Any

import httpx2
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

LEVELS = ["aal1", "aal2"]
KEYS_SECONDS = 300.0


def refusal(error: str, **wishes: object) -> HTTPException:
    """A challenge as RFC 6750, section 3, and RFC 9470, section 3, write it."""
    told = ", ".join(f'{name}="{value}"' for name, value in {"error": error, **wishes}.items())
    return HTTPException(401, headers={"www-authenticate": f"Bearer {told}"})


def step_up_api(issuer: str, audience: str, http: httpx2.AsyncClient, now: Callable[[], float] = time.time) -> FastAPI:
    """The API; it trusts access tokens of that issuer for that audience."""
    app, known = FastAPI(), {"until": 0.0, "keys": KeySet([])}
    rules = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}}

    async def keys() -> KeySet:
        """The issuer's, fetched now and then: a rotation announces its next key long before it signs."""
        if now() >= known["until"]:
            try:
                answer = (await http.get(f"{issuer}/.well-known/jwks.json")).raise_for_status()
            except httpx2.HTTPError:
                raise HTTPException(503) from None  # nobody is let in unchecked
            known.update(until=now() + KEYS_SECONDS, keys=KeySet.import_key_set(answer.json()))
        return known["keys"]

    def person(*, acr: str, max_age: int | None = None) -> Any:
        async def check(authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
            scheme, _, text = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise HTTPException(401, headers={"www-authenticate": "Bearer"})
            try:
                token = jwt.decode(text, await keys(), algorithms=["ES256"])
                jwt.JWTClaimsRegistry(now=int(now()), exp={"essential": True}, **rules).validate(token.claims)
            except (JoseError, ValueError):
                raise refusal("invalid_token") from None
            claims = token.claims
            if token.header.get("typ") != "at+jwt" or "cnf" in claims or "acr" not in claims:
                raise refusal("invalid_token")  # an ID token, one that needs a proof of its key, an application's own
            is_fresh = max_age is None or now() - claims["auth_time"] <= max_age
            if LEVELS.index(claims["acr"]) < LEVELS.index(acr) or not is_fresh:
                wishes = {"acr_values": acr} if max_age is None else {"acr_values": acr, "max_age": max_age}
                raise refusal("insufficient_user_authentication", **wishes)
            return claims

        return Depends(check)

    @app.get("/account")
    def account(claims: Annotated[dict[str, Any], person(acr="aal1")]) -> dict[str, str]:
        return {"of": claims["sub"]}

    @app.post("/transfer")
    def transfer(claims: Annotated[dict[str, Any], person(acr="aal2", max_age=300)]) -> dict[str, str]:
        return {"sent_by": claims["sub"]}

    return app


if __name__ == "__main__":
    uvicorn.run(step_up_api(os.environ["ISSUER"], os.environ["AUDIENCE"], httpx2.AsyncClient()), port=9200)
