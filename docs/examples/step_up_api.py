"""An API that asks for a stronger or fresher login where it matters, in the words of RFC 9470.

Reading an account takes any login; a transfer takes two factors (`aal2`) no more than five minutes old. An application
that is told `insufficient_user_authentication` sends its person to `/authorize` with the `acr_values` and `max_age` of
the challenge, and comes back with the new token. A busy API would keep the keys for some minutes.

Usage: ISSUER=https://id.example AUDIENCE=iam-clients python step_up_api.py
"""

import os
import time
from typing import Annotated, Any

import httpx2
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

LEVELS = ["aal1", "aal2", "phr"]


def refused(*told: str) -> HTTPException:
    return HTTPException(401, headers={"www-authenticate": f"Bearer {', '.join(told)}".rstrip()})


def step_up_api(issuer: str, audience: str, http: httpx2.AsyncClient, now: Any = time.time) -> FastAPI:
    app = FastAPI()
    rules: Any = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}}

    def person(acr: str, max_age: int = 86_400) -> Any:
        async def check(authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
            if not authorization.startswith("Bearer "):
                raise refused()
            answer = await http.get(f"{issuer}/.well-known/jwks.json")
            if answer.status_code != 200:
                raise HTTPException(503)  # nobody is let in unchecked
            try:
                token = jwt.decode(authorization[7:], KeySet.import_key_set(answer.json()), algorithms=["ES256"])
                jwt.JWTClaimsRegistry(now=int(now()), exp={"essential": True}, **rules).validate(token.claims)
            except (JoseError, ValueError):
                raise refused('error="invalid_token"') from None
            claims = token.claims
            if token.header.get("typ") != "at+jwt" or "cnf" in claims or claims.get("acr") not in LEVELS:
                raise refused('error="invalid_token"')  # an ID token, one that needs a proof, an application's own
            if LEVELS.index(claims["acr"]) < LEVELS.index(acr) or now() - claims["auth_time"] > max_age:
                raise refused('error="insufficient_user_authentication"', f'acr_values="{acr}"', f'max_age="{max_age}"')
            return claims

        return Depends(check)

    @app.get("/account")
    def account(claims: Annotated[dict[str, Any], person("aal1")]) -> dict[str, str]:
        return {"of": claims["sub"]}

    @app.post("/transfer")
    def transfer(claims: Annotated[dict[str, Any], person("aal2", max_age=300)]) -> dict[str, str]:
        return {"sent_by": claims["sub"]}

    return app


if __name__ == "__main__":
    uvicorn.run(step_up_api(os.environ["ISSUER"], os.environ["AUDIENCE"], httpx2.AsyncClient()), port=9200)
