"""The gateway's addresses: which endpoint answers where, and how the reference describes it."""

from fastapi import FastAPI

from auth_gateway.api.login import LoginRoutes
from auth_gateway.api.reference import Schema, answer, describe, json_of, operation, ref
from auth_gateway.api.service import ServiceRoutes
from auth_gateway.api.token import TokenRoutes
from plumbing.bodies import FORM_TYPE
from plumbing.lean import add_lean

LOGIN_EXAMPLE = {"username": "alice", "password": "correct horse battery staple"}
REFRESH_EXAMPLE = {"grant_type": "refresh_token", "refresh_token": "the one from the last answer"}


def add_routes(app: FastAPI, *, login: LoginRoutes, token: TokenRoutes, service: ServiceRoutes) -> None:
    """Serve and document everything, the hottest address first."""
    add_lean(
        app,
        "/token",
        token.post_token,
        method="POST",
        summary="Get tokens, or refresh those of a session",
        operation=_TOKEN,
    )
    add_lean(app, "/login", login.post_login, method="POST", summary="Log in with a password", operation=_LOGIN)
    add_lean(
        app,
        "/login/complete",
        login.post_complete,
        method="POST",
        summary="Finish a login with a second factor",
        operation=_COMPLETE,
    )
    add_lean(
        app,
        "/login/email-code",
        login.post_email_code,
        method="POST",
        summary="Send a code by mail for a login",
        operation=_MAIL_CODE,
    )
    add_lean(
        app,
        "/.well-known/jwks.json",
        service.get_jwks,
        method="GET",
        summary="Public keys of the access tokens",
        operation=operation(
            description="May be cached as its headers say.", answers={"200": answer("Keys.", "KeySet")}
        ),
        takes_head=True,
    )
    add_lean(
        app, "/health", service.get_health, method="GET", summary="Is it alive", operation=_HEALTH, takes_head=True
    )
    add_lean(app, "/live", service.get_health, method="GET", summary="Is it alive", operation=_LIVE, takes_head=True)
    add_lean(
        app, "/ready", service.get_ready, method="GET", summary="Can people log in", operation=_READY, takes_head=True
    )
    describe(app)


_TOKEN: Schema = operation(
    description="Each refresh token is used once; the answer holds its successor. Using an old one ends the session. "
    "If an answer was lost, the same token may be sent again within 10 seconds. From where the risk is not low, the "
    "refresh is refused with `reason` `step_up_required` (the token is not spent) or the session ends. Circumstances "
    "are taken as for a login. Where JWT_ISSUER is an address, applications also get tokens for an "
    "authorization code, a device code, or for themselves, and prove themselves as they are registered to.",
    answers={"200": answer("The tokens.", "IssuedTokens", "AccessAlone")},
    bodies={
        FORM_TYPE: {"schema": ref("TokenBody"), "example": REFRESH_EXAMPLE},
        **json_of(ref("TokenBody"), REFRESH_EXAMPLE),
    },
    refusals=("400", "401", "413", "415", "503"),
    takes_client=True,
)
_LOGIN: Schema = operation(
    description="Low risk lets in, medium risk asks for a second factor, high risk refuses. Circumstances are taken "
    "from the connection; those in the body count only from a registered client that may vouch for them.",
    answers={
        "200": answer("Let in, or a second factor is awaited.", "LoginAllowed", "SecondFactorAwaited"),
        "403": answer("Refused by policy, or not for this client.", "LoginDenied", "Refusal"),
    },
    bodies=json_of(ref("LoginBody"), LOGIN_EXAMPLE),
    refusals=("400", "401", "413", "415", "422", "429", "503"),
    takes_client=True,
)
_COMPLETE: Schema = operation(
    description="A challenge is finished once, by the client that began it, within its time and number of tries. "
    "Where the answer comes from is scored too; circumstances are taken as for a login. The word of an MFA system is "
    "asked for with `method` `push` and no code, every two seconds.",
    answers={
        "200": answer("Let in.", "LoginAllowed"),
        "202": answer("No word yet.", "WordAwaited"),
        "403": answer("Refused by policy.", "LoginDenied"),
    },
    bodies=json_of(ref("ChallengeBody"), {"challenge_id": "the one from /login", "method": "totp", "code": "123456"}),
    refusals=("400", "401", "413", "415", "422", "429", "503"),
    takes_client=True,
)
_MAIL_CODE: Schema = operation(
    description="Sends a code to the person's verified address, where the login's `methods` have `email_code`: three "
    "times for one challenge, and ten in a day for one account. A later code takes the place of the one before.",
    answers={"200": answer("It is on its way.", "CodeMailed")},
    bodies=json_of(ref("EmailCodeBody"), {"challenge_id": "the one from /login"}),
    refusals=("400", "401", "413", "415", "422", "429", "503"),
    takes_client=True,
)
_HEALTH: Schema = operation(description="Answers while the process lives.", answers={"200": answer("Yes.", "Health")})
_LIVE: Schema = operation(
    description="The same as `/health`, by the name that probes ask for. It never looks outside the process: "
    "a gateway whose database is away is not ready, and restarting it would help nobody.",
    answers={"200": answer("Yes.", "Health")},
)
_READY: Schema = operation(
    description="Checks that the database answers and that it takes a write (`storage`), and the signing keys.",
    answers={"200": answer("Yes.", "Readiness"), "503": answer("No.", "Readiness")},
)
