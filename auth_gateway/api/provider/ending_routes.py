"""The addresses where things end, and how the reference describes them."""

from fastapi import FastAPI

from auth_gateway.api.provider.introspection import IntrospectionRoutes
from auth_gateway.api.provider.logout import LogoutRoutes
from auth_gateway.api.provider.revocation import RevocationRoutes
from auth_gateway.api.reference import TEXT, Schema, form_of, operation, query_of
from plumbing.lean import add_lean


def add_ending_routes(
    app: FastAPI, *, logout: LogoutRoutes, introspection: IntrospectionRoutes, revocation: RevocationRoutes
) -> None:
    """Serve and document them."""
    add_lean(
        app,
        "/introspect",
        introspection.post_introspect,
        method="POST",
        summary="Does a token count (RFC 7662)",
        operation=_INTROSPECT,
    )
    add_lean(
        app, "/revoke", revocation.post_revoke, method="POST", summary="Give a token back (RFC 7009)", operation=_REVOKE
    )
    add_lean(app, "/logout", logout.get_logout, method="GET", summary="Sign out at a browser", operation=_GET_LOGOUT)
    add_lean(app, "/logout", logout.post_logout, method="POST", summary="Sign out at a browser", operation=_POST_LOGOUT)


_PROOF = ("client_id", "client_assertion", "client_assertion_type")
_PAGE: Schema = {"description": "A page.", "content": {"text/html": {"schema": TEXT}}}
_AWAY: Schema = {"description": "To `post_logout_redirect_uri`, with `state`."}
_PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")

_INTROSPECT: Schema = operation(
    description="An application sees its own tokens and those for the API that it is registered with, or all when it "
    'may. Everything else is `{"active": false}`. Public clients are refused.',
    answers={
        "200": {
            "description": "What the token says, if it counts now.",
            "content": {
                "application/json": {"schema": {"type": "object", "properties": {"active": {"type": "boolean"}}}}
            },
        }
    },
    bodies=form_of("token", optional=("token_type_hint", *_PROOF)),
    refusals=("400", "401", "413", "415", "503"),
    takes_client=True,
)
_REVOKE: Schema = operation(
    description="A person's token, refresh or access, ends the session with all that came of it; an application's own "
    "access token ends alone. Unknown tokens and those of others change nothing.",
    answers={"200": {"description": "It is dead, or never was ours."}},
    bodies=form_of("token", optional=("token_type_hint", *_PROOF)),
    refusals=("400", "401", "413", "415", "503"),
    takes_client=True,
)
_GET_LOGOUT: Schema = {
    "description": "RP-Initiated Logout 1.0. With an ID token of the session that is signed in at this browser it ends "
    "at once, otherwise the person is asked.",
    "parameters": query_of(*_PARAMETERS),
    "responses": {"200": _PAGE, "303": _AWAY, "400": _PAGE},
}
_POST_LOGOUT: Schema = {
    "description": "The same as a form; also the answer on our own page.",
    "requestBody": {"required": True, "content": form_of(optional=(*_PARAMETERS, "csrf", "answer"))},
    "responses": {"200": _PAGE, "303": _AWAY, "400": _PAGE, "403": _PAGE, "413": _PAGE, "415": _PAGE},
}
