"""How the reference describes where authorization begins: at the browser, pushed beforehand, and on a device."""

from auth_gateway.api.reference import Schema, form_of, operation, query_of

# The application's own proof of itself, beside HTTP Basic.
_PROOF = ("client_id", "client_assertion", "client_assertion_type")
# RFC 6749, section 4.1.1; OpenID Connect Core 1.0, sections 3.1.2.1 and 5.5; RFC 7636, section 4.3; RFC 9449.
_NEEDED = ("response_type", "client_id", "redirect_uri", "scope", "code_challenge", "code_challenge_method")
_OPTIONAL = (
    *("state", "nonce", "prompt", "max_age", "acr_values", "claims"),
    *("login_hint", "id_token_hint", "response_mode", "dpop_jkt"),
)
_ALL = (*_NEEDED, *_OPTIONAL, "request_uri")
_PAGE: Schema = {"description": "A page.", "content": {"text/html": {}}}
_DESCRIPTION = (
    "For browsers: an application sends a person here (code flow with PKCE by S256). Parameters as the query or as a "
    "form; or `client_id` and the `request_uri` of a pushed request."
)
_ANSWERS: Schema = {
    "303": {"description": "To the sign-in page, or back to the application with `code`, `state` and `iss`."},
    "400": {**_PAGE, "description": "The application or its address is not known."},
    "413": {**_PAGE, "description": "The form is too large."},
    "415": {**_PAGE, "description": "The body is no form."},
    "429": {**_PAGE, "description": "This network began too many sign-ins; Retry-After says how long to wait."},
}

GET_AUTHORIZE: Schema = {
    **operation(description=_DESCRIPTION, answers=_ANSWERS),
    "parameters": query_of(*_ALL),
}
POST_AUTHORIZE: Schema = operation(
    description=_DESCRIPTION, answers=_ANSWERS, bodies=form_of("client_id", optional=_ALL)
)
PUSH: Schema = operation(
    description="The parameters of an authorization request, as a form, with the client's authentication. The answer "
    "holds a `request_uri` that stands for them at the authorization endpoint, once, for a minute.",
    answers={"201": {"description": "`request_uri` and `expires_in`."}},
    bodies=form_of(*_NEEDED, optional=(*_OPTIONAL, *_PROOF[1:])),
    refusals=("400", "401", "413", "415", "429", "503"),
    takes_client=True,
)
START_DEVICE: Schema = operation(
    description="For a device without a browser (RFC 8628), as a form with the client's authentication: `scope`, and "
    "`acr_values` for a level that the person must reach. The person types `user_code` at `verification_uri`; the "
    "device polls the token endpoint meanwhile.",
    answers={"200": {"description": "`device_code`, `user_code`, where to type it, and how often to poll."}},
    bodies=form_of(optional=("scope", "acr_values", *_PROOF)),
    refusals=("400", "401", "413", "415", "429", "503"),
    takes_client=True,
)
DISCOVER: Schema = operation(
    description="The document of OpenID Connect Discovery 1.0 and RFC 8414.",
    answers={"200": {"description": "Endpoints, and what they take."}},
)
