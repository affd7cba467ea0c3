"""Every door of the gateway by every kind of caller, held against one table: documented operations, pages, forms.

A new route fails here until the table says who may use it.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import pytest

from auth_gateway.core.provider.client import ADMIN_SCOPES, OPENID_SCOPES
from tests.one_answer import Answer, one_answer
from tests.stories.gateway.account_pages import AccountBrowser
from tests.stories.gateway.applications import code_for, register
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.risky import KEY, PROVIDER, signed
from tests.stories.gateway.story import Story
from tests.who_may import EVERYBODY, Door, assert_complete, documented, doors, served
from webhooks.signing import secret_text

WHO_MAY: Final = doors("""
GET    /health                                                everybody
GET    /live                                                  everybody
GET    /ready                                                 everybody
GET    /docs                                                  everybody
GET    /docs.css                                              everybody
GET    /openapi.json                                          everybody
GET    /assets/{name}                                         everybody
GET    /events/schema                                         everybody
GET    /.well-known/jwks.json                                 everybody
GET    /.well-known/openid-configuration                      everybody
GET    /.well-known/oauth-authorization-server                everybody
GET    /.well-known/ssf-configuration                         everybody

POST   /login                                                 client
POST   /login/complete                                        client
POST   /login/email-code                                      client
POST   /token                                                 client
POST   /revoke                                                client
POST   /par                                                   application
POST   /device_authorization                                  application
POST   /introspect                                            application
GET    /userinfo                                              person
POST   /userinfo                                              person

GET    /accounts                                              risk:read
GET    /accounts/{user_id}/summary                            risk:read
GET    /accounts/{user_id}/sessions                           risk:read
GET    /users/{user_id}/risk                                  risk:read
POST   /users/{user_id}/risk/verdict                          risk:write
POST   /accounts/{user_id}/freeze                             risk:write
POST   /accounts/{user_id}/unfreeze                           risk:write
POST   /accounts/{user_id}/reset-sessions                     risk:write
POST   /accounts/{user_id}/force-reset                        risk:write
POST   /accounts/{user_id}/sessions/{session_id}/end          risk:write

GET    /policy                                                policy:read
POST   /policy/try                                            policy:read
POST   /policy/try-sessions                                   policy:read
POST   /policy/check                                          policy:read
POST   /policy/backtest                                       policy:read
GET    /policy/rules                                          policy:read
GET    /policy/diff                                           policy:read
GET    /policy/history                                        policy:read
GET    /policy/history/{version}                              policy:read
PUT    /policy                                                policy:write
POST   /policy/restore                                        policy:write

GET    /admin/webhooks                                        webhooks:manage
POST   /admin/webhooks                                        webhooks:manage
GET    /admin/webhooks/{name}                                 webhooks:manage
PATCH  /admin/webhooks/{name}                                 webhooks:manage
DELETE /admin/webhooks/{name}                                 webhooks:manage
POST   /admin/webhooks/{name}/enable                          webhooks:manage
POST   /admin/webhooks/{name}/disable                         webhooks:manage
POST   /admin/webhooks/{name}/rotate-secret                   webhooks:manage
POST   /admin/webhooks/{name}/test                            webhooks:manage
GET    /admin/webhooks/{name}/deliveries                      webhooks:manage
GET    /admin/webhooks/{name}/deliveries/{message_id}         webhooks:manage
POST   /admin/webhooks/{name}/deliveries/{message_id}/retry   webhooks:manage
POST   /admin/webhooks/{name}/retry                           webhooks:manage
GET    /admin/webhooks/{name}/replays                         webhooks:manage
POST   /admin/webhooks/{name}/replays                         webhooks:manage
DELETE /admin/webhooks/{name}/replays/running                 webhooks:manage
GET    /admin/deliveries                                      webhooks:manage
GET    /admin/deliveries/{receiver}                           webhooks:manage
POST   /admin/deliveries/{receiver}/retry                     webhooks:manage
POST   /admin/deliveries/{receiver}/test                      webhooks:manage

POST   /ssf/streams                                           streams:manage
GET    /ssf/streams                                           streams:manage
PATCH  /ssf/streams                                           streams:manage
PUT    /ssf/streams                                           streams:manage
DELETE /ssf/streams                                           streams:manage
GET    /ssf/status                                            streams:manage
POST   /ssf/status                                            streams:manage
POST   /ssf/subjects/add                                      streams:manage
POST   /ssf/subjects/remove                                   streams:manage
POST   /ssf/verify                                            streams:manage
POST   /ssf/poll/{stream_id}                                  streams:manage

POST   /signals/session-risk                                  the scorer
POST   /mfa/challenges/{challenge_id}/verdict                 the MFA system
POST   /ssf/events/{name}                                     another provider

GET    /authorize                                             everybody
POST   /authorize                                             everybody
GET    /sign-in/{interaction_id}                              everybody
POST   /sign-in/{interaction_id}                              everybody
GET    /sign-up                                               everybody
POST   /sign-up                                               everybody
GET    /recover                                               everybody
POST   /recover                                               everybody
GET    /link/{token}                                          everybody
POST   /link/{token}                                          everybody
GET    /device                                                everybody
POST   /device                                                everybody
GET    /logout                                                everybody
POST   /logout                                                everybody

GET    /                                                      everybody
GET    /account                                               browser
GET    /account/report/{event_id}                             browser
GET    /account/authenticator                                 browser
GET    /account/recovery-codes                                browser
GET    /account/password                                      browser
GET    /account/passkeys                                      browser
GET    /account/{rest}                                        everybody
POST   /account/report/{event_id}                             browser
POST   /account/authenticator                                 browser
POST   /account/authenticator/remove                          browser
POST   /account/recovery-codes                                browser
POST   /account/password                                      browser
POST   /account/passkeys                                      browser
POST   /account/passkeys/rename                               browser
POST   /account/passkeys/remove                               browser
POST   /account/sessions/end                                  browser
POST   /account/sessions/end-all                              browser
POST   /account/devices/distrust                              browser
POST   /account/applications/end                              browser
""")
"""An admin scope, or who else: `client` is an application or the public client, `application` an application alone, and
`browser` one at which its owner has signed in."""
LET_IN: Final = "in"
SHOWN: Final = {
    **dict.fromkeys(("nobody", "browser", "the scorer", "the MFA system"), "nothing"),
    **dict.fromkeys(("application", "a wrong secret"), "a client"),
    **dict.fromkeys(("person", "a person's token that asked for everything"), "a person's token"),
    **dict.fromkeys(("a wrong token", "a wrong kind of token", "a person's token that was given back"), "a dead token"),
}
"""What an Authorization header says of each caller; of the others, a living token that is no person's."""
BODY: Final = b"token=x"
MFA_KEY: Final = bytes(range(32, 64))
EVERY_DOOR: Final[dict[str, Any]] = {
    **PROVIDER,
    "sign_up": True,
    "smtp_url": "smtp://127.0.0.1:9",
    "mail_from": "login@gateway.example",
    "mfa_push": True,
    "webhook_secret": secret_text(MFA_KEY),
    "webhook_url": "https://hooks.example/in",
}


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway with every door that there can be."""
    return story_with(**EVERY_DOOR)


def callers(story: Story) -> dict[str, dict[str, str]]:
    """Everybody who might come, and the headers that they bring."""
    own = {"audience": ISSUER, "grant_types": ("client_credentials",), "redirect_uris": ()}
    programs = {scope: register(story, scope.replace(":", "-"), scopes=(scope,), **own) for scope in ADMIN_SCOPES}
    tokens = {scope: program.act().json()["access_token"] for scope, program in programs.items()}
    elsewhere = register(story, "elsewhere", scopes=ADMIN_SCOPES, **{**own, "audience": "https://other.example"})
    everything = {"scopes": (*OPENID_SCOPES, *ADMIN_SCOPES), "may_introspect": True, "may_log_in": True}
    shop = register(story, "shop", audience=ISSUER, **everything)
    persons = shop.redeem(code_for(shop)).json()
    reaching = shop.redeem(code_for(shop, scope=f"openid {' '.join(ADMIN_SCOPES)}")).json()
    gone = shop.redeem(code_for(shop)).json()["access_token"]
    basic = (shop.client_id, shop.secret)
    assert story.ask("POST", "/revoke", data={"token": gone}, auth=basic).status_code == 200
    browser = AccountBrowser(story)
    assert browser.strong("/password").status_code == 200
    now = story.clock.now()
    return {
        "nobody": {},
        "a wrong token": _bearer("x.y.z"),
        "a wrong kind of token": _bearer(persons["refresh_token"]),
        "a token for elsewhere": _bearer(elsewhere.act().json()["access_token"]),
        "a wrong secret": _basic(shop.client_id, "rgc_wrong"),
        "application": _basic(*basic),
        "person": _bearer(persons["access_token"]),
        "a person's token that asked for everything": _bearer(reaching["access_token"]),
        "a person's token that was given back": _bearer(gone),
        "browser": {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())},
        "the scorer": signed(BODY, "sig-1", now, KEY),
        "the MFA system": signed(BODY, "msg-1", now, MFA_KEY),
        **{scope: _bearer(text) for scope, text in tokens.items()},
    }


def told(answer: Answer) -> str:
    """The refusal of a guard, or `in` where none stood in the way."""
    assert answer.status not in (405, 500), answer
    if answer.status == 303 and re.match(rf"{ISSUER}/sign-in/", answer.headers["location"]):
        return "sign_in"
    found = re.search(r'"(error|err)":"(\w+)"', answer.body)
    is_refused = found is not None and (answer.status in (401, 403) or found[1] == "err")
    return f"{answer.status} {found[2]}" if found is not None and is_refused else LET_IN


def expected(door: Door, caller: str) -> str:
    """What the table says of this caller at this door: in, or the refusal."""
    [word] = door.words
    if word in (EVERYBODY, caller):
        return LET_IN
    shown = SHOWN.get(caller, "a token")
    if word in ("client", "application"):
        is_client = caller == "application" or (shown == "nothing" and word == "client")
        return LET_IN if is_client else "401 invalid_client"
    if word == "person":
        own = {"nothing": "401 unauthorized", "a dead token": "401 invalid_token", "a client": "401 invalid_token"}
        return LET_IN if shown == "a person's token" else own.get(shown, "403 insufficient_scope")
    if word in ADMIN_SCOPES:
        none = "401 unauthorized" if shown == "nothing" else "401 invalid_token"
        return "403 insufficient_scope" if caller in ADMIN_SCOPES else none
    return {"browser": "sign_in", "another provider": "400 invalid_request"}.get(word, "401 invalid_signature")


def test_the_table_names_every_door_and_no_other(story: Story) -> None:
    """What the application serves, and what its OpenAPI document says; there each closed one says what to show,
    and names its own scope."""
    document = story.ask("GET", "/openapi.json").json()
    assert_complete(WHO_MAY, served(story.app) | documented(document))
    for door in WHO_MAY:
        operation = document["paths"].get(door.path, {}).get(door.method.lower())
        if operation is not None:
            scopes = frozenset(scope for scope in ADMIN_SCOPES if f"`{scope}`" in operation["description"])
            assert (door, scopes) == (door, door.words & set(ADMIN_SCOPES))
            [word] = door.words
            shown = {"client": [{}, {"client": []}], "application": [{}, {"client": []}]}
            by_token = [{"accessToken": []}] if word in ("person", *ADMIN_SCOPES) else None
            assert (door, operation.get("security")) == (door, shown.get(word, by_token))


def test_every_door_opens_to_those_whom_the_table_names_and_to_nobody_else(story: Story) -> None:
    """Whoever may not come is told so, in the words of that door."""
    wrong = []
    for number, (caller, headers) in enumerate(callers(story).items()):
        peer = f"203.0.113.{number}"  # or the last would be asked to wait
        answers = story.runner.run(asked(story, headers, peer))
        for door, answer in zip(WHO_MAY, answers, strict=True):
            found, wanted = told(answer), expected(door, caller)
            if found != wanted:
                wrong.append(f"{caller} at {door.method} {door.path}: {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


async def asked(story: Story, headers: dict[str, str], peer: str) -> list[Answer]:
    """One request at every door, that none can do anything with: a guard comes before anything of it is read."""
    given = {**headers, "content-type": "application/x-www-form-urlencoded"}
    found = []
    for door in WHO_MAY:
        body, path = b"" if door.method == "GET" else BODY, door.at({"name": "pages.css", "rest": "x"})
        found.append(await one_answer(story.app, door.method, path, headers=given, body=body, peer=peer))
    return found


def _bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def _basic(client_id: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}
