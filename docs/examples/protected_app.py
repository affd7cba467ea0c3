"""A small application whose people sign in through riskgate: authorization code with PKCE, by Authlib.

The first page says who is signed in. The second wants two factors, however the person came in before. Signing out ends
the sign-in at the gateway too. docs/tutorial.md walks through it.

Usage: CLIENT_SECRET=rgc_… python protected_app.py, and if need be ISSUER, CLIENT_ID, HERE, SESSION_SECRET.
"""

import os
import secrets
from html import escape
from typing import Any
from urllib.parse import urlsplit

import httpx2
import uvicorn
from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.middleware.sessions import SessionMiddleware

ISSUER = os.environ.get("ISSUER", "http://localhost:9000")
HERE = os.environ.get("HERE", "http://localhost:3000")
TWO_FACTORS = ("aal2", "phr")
"""What `acr` says of a sign-in with a second factor, and of one that cannot be phished."""

app = FastAPI()
app.add_middleware(
    SessionMiddleware,
    secret_key=os.environ.get("SESSION_SECRET") or secrets.token_hex(),  # without one, a restart signs everybody out
    session_cookie="hello",  # a name of its own: on one host, cookies of all ports meet
    max_age=3600,
    https_only=HERE.startswith("https:"),
)
riskgate = OAuth().register(
    "riskgate",
    client_id=os.environ.get("CLIENT_ID", "hello"),
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
)


def page(text: str, *links: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(f"<!doctype html><title>Hello</title><p>{escape(text)}</p>{' '.join(links)}", status)


@app.get("/")
async def home(request: Request) -> Response:
    person = request.session.get("person")
    if person is None:
        return page("Nobody is signed in.", '<a href="/sign-in">Sign in</a>')
    sign_out = '<form method="post" action="/sign-out"><button>Sign out</button></form>'
    return page(f"Hello, {person['name']}.", '<a href="/safe">Open the safe</a>', sign_out)


@app.get("/sign-in")
async def sign_in(request: Request) -> Any:
    request.session.pop("back_to", None)
    return await riskgate.authorize_redirect(request, f"{HERE}/callback")


@app.get("/safe")
async def safe(request: Request) -> Any:
    person = request.session.get("person")
    if person is None or person["acr"] not in TWO_FACTORS:
        request.session["back_to"] = "/safe"
        return await riskgate.authorize_redirect(request, f"{HERE}/callback", acr_values="aal2")
    return page(f"The safe of {person['name']} is open.", '<a href="/">Close it</a>')


@app.get("/callback")
async def callback(request: Request) -> Response:
    back_to = request.session.pop("back_to", "/")
    tokens = await riskgate.authorize_access_token(request)  # checks state, nonce, signature, issuer and audience
    claims, told = tokens["userinfo"], await riskgate.userinfo(token=tokens)
    if told["sub"] != claims["sub"]:
        raise OAuthError("somebody_else")
    name = told.get("name") or told.get("preferred_username") or claims["sub"]
    request.session["person"] = {"name": name, "acr": claims["acr"], "id_token": tokens["id_token"]}
    return RedirectResponse(back_to, 303)


@app.post("/sign-out")
async def sign_out(request: Request) -> Response:
    person = request.session.pop("person", None)
    if person is None:
        return RedirectResponse("/", 303)
    goodbye = await riskgate.create_logout_url(f"{HERE}/", id_token_hint=person["id_token"])
    return RedirectResponse(goodbye["url"], 303)


@app.exception_handler(OAuthError)
async def not_signed_in(_request: Request, error: OAuthError) -> Response:
    return page(f"You are not signed in ({error.error}).", '<a href="/">Back</a>', status=403)


@app.exception_handler(httpx2.HTTPError)
async def gateway_away(_request: Request, _error: httpx2.HTTPError) -> Response:
    return page("Signing in does not work just now. Try again in a minute.", status=503)


if __name__ == "__main__":
    uvicorn.run(app, port=urlsplit(HERE).port or 3000)
