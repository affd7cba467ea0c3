"""What an authorization request may say, and where its errors go."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from auth_gateway.adapters.provider.protocol import AuthorizationGrammar, is_registered
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.reply import CodeReply, ErrorPage, ErrorReply, Understood

CALLBACK = "https://app.example/cb"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CLIENTS = {
    "web": RegisteredClient(client_id="web", grant_types=("authorization_code",), redirect_uris=(CALLBACK,)),
    "phone": RegisteredClient(
        client_id="phone",
        application_type="native",
        grant_types=("authorization_code",),
        redirect_uris=("http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"),
    ),
    "robot": RegisteredClient(client_id="robot", grant_types=("client_credentials",), redirect_uris=(CALLBACK,)),
}
HINTS: Mapping[str, Mapping[str, Any]] = {
    "alice": {"sub": "id-alice", "aud": "web"},
    "listed": {"sub": "id-alice", "aud": ["web"]},
    "other": {"sub": "id-alice", "aud": "phone"},
}
GRAMMAR = AuthorizationGrammar(issuer="https://id.example", find_client=CLIENTS.get, id_token_hint=HINTS.get)


def parameters(**changed: str | None) -> dict[str, str]:
    given: dict[str, str | None] = {
        "response_type": "code",
        "client_id": "web",
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changed,
    }
    return {name: value for name, value in given.items() if value is not None}


def read(**changed: str | None) -> Any:
    return GRAMMAR.read(list(parameters(**changed).items()))


def test_a_plain_request_is_understood() -> None:
    """All that is asked arrives, and nothing else."""
    understood = read(nonce="n", max_age="60", login_hint="alice", dpop_jkt=CHALLENGE, ui_locales="de", display="touch")
    assert isinstance(understood, Understood)
    request = understood.request
    assert (request.client_id, request.redirect_uri, request.state) == ("web", CALLBACK, "s")
    assert (request.scope, request.nonce, request.max_age) == ("openid profile", "n", 60)
    assert (request.code_challenge, request.dpop_jkt, request.login_hint) == (CHALLENGE, CHALLENGE, "alice")
    assert (request.prompt, request.acr_values, request.claims, request.id_token_hint_sub) == ((), (), None, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": ""},
        {"redirect_uri": None},
        {"redirect_uri": ""},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?x=1"},
        {"redirect_uri": "HTTPS://app.example/cb"},
        {"redirect_uri": 'https://evil.example/"\\\n'},
    ],
)
def test_without_a_known_client_and_address_the_person_is_told(changed: dict[str, str | None]) -> None:
    """An open redirector would carry people to whoever asks."""
    page = read(**changed)
    assert isinstance(page, ErrorPage)
    assert "evil" not in page.description


@pytest.mark.parametrize("repeated", ["client_id", "redirect_uri"])
def test_two_addresses_or_clients_are_none(repeated: str) -> None:
    """Two readers could each believe another one of them."""
    given = parameters()
    assert isinstance(GRAMMAR.read([*given.items(), (repeated, given[repeated])]), ErrorPage)


@pytest.mark.parametrize("repeated", ["state", "scope", "prompt", "code_challenge", "anything"])
def test_a_repeated_parameter_is_an_error_of_the_application(repeated: str) -> None:
    """RFC 6749, section 3.1."""
    reply = GRAMMAR.read([*parameters(prompt="login", anything="1").items(), (repeated, "2")])
    assert isinstance(reply, ErrorReply)
    assert (reply.error, reply.redirect_uri) == ("invalid_request", CALLBACK)
    assert reply.state == (None if repeated == "state" else "s")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": 'x"\\\u00e9'}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"client_id": "robot"}, "unauthorized_client"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "unknown things"}, "invalid_scope"),
        ({"scope": 'openid "quoted"'}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://app.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"code_challenge": "~" * 43}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "\u0663"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"id_token": 1}'}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": 1}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"sub": {"value": 1}}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"x": {"value": NaN}}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"x": {"value": 1e999}}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"x": {"value": "\\ud800"}}}'}, "invalid_request"),
        ({"claims": "[" * 4000}, "invalid_request"),
        ({"claims": " " * 4097}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"id_token_hint": "forged"}, "invalid_request"),
        ({"id_token_hint": "other"}, "invalid_request"),
        ({"state": "s" * 2049}, "invalid_request"),
        ({"id_token_hint": "alice", "claims": '{"id_token":{"sub":{"value":"id-bob"}}}'}, "invalid_request"),
    ],
)
def test_what_is_wrong_goes_back_to_the_application(changed: dict[str, str | None], error: str) -> None:
    """By its stable code, in characters that an error may have, with nothing of the request."""
    reply = read(**changed)
    assert isinstance(reply, ErrorReply)
    assert reply.error == error
    assert all(sign in {"\x20", "\x21"} or "\x23" <= sign <= "\x7e" for sign in reply.description)
    assert not any(value and len(value) > 12 and value in reply.description for value in changed.values())


def test_unknown_scopes_and_levels_are_dropped() -> None:
    """What nobody knows cannot be given, and is no reason to stop."""
    request = read(scope="openid unknown", prompt="login", acr_values="urn:x aal2 gold aal1").request
    assert (request.scope, request.prompt, request.acr_values) == ("openid", ("login",), ("aal2", "aal1"))


@pytest.mark.parametrize(
    ("claims", "acr_values"),
    [
        ('{"id_token":{"acr":{"essential":true,"values":["aal2"]}}}', ("aal2",)),
        ('{"id_token":{"acr":{"essential":true,"value":"aal2"}}}', ("aal2",)),
        ('{"id_token":{"acr":{"essential":true,"values":[["aal2"],7,"aal2"]}}}', ("aal2",)),
        ('{"id_token":{"acr":{"essential":true,"values":["phr","aal2"]}}}', ("phr", "aal2")),
        ('{"id_token":{"acr":{"values":["aal2"]}}}', ("aal1",)),
        ('{"id_token":{"acr":null}}', ("aal1",)),
    ],
)
def test_an_essential_level_leaves_no_weaker_one_that_would_do(claims: str, acr_values: tuple[str, ...]) -> None:
    """Any of those that are asked for is enough, so a wish must not stand beside a need. A voluntary one is a wish that
    the ID token itself answers."""
    assert read(acr_values="aal1", claims=claims).request.acr_values == acr_values


@pytest.mark.parametrize("acr", ['"values":["gold"]', '"value":"urn:gold"', '"values":[["aal2"],7]', '"value":"AAL2"'])
def test_an_essential_level_that_nobody_knows_is_not_passed_over(acr: str) -> None:
    """The application is told; by a weaker level it would be told that all went well."""
    answer = read(acr_values="aal1", claims=f'{{"id_token":{{"acr":{{"essential":true,{acr}}}}}}}')
    assert isinstance(answer, ErrorReply)
    assert (answer.error, answer.redirect_uri) == ("unmet_authentication_requirements", CALLBACK)
    assert isinstance(read(claims=f'{{"id_token":{{"acr":{{{acr}}}}}}}'), Understood)


@pytest.mark.parametrize("hint", ["alice", "listed"])
def test_a_hint_names_whom_the_application_expects(hint: str) -> None:
    """An ID token that was issued to this very application, expired or not."""
    assert read(id_token_hint=hint).request.id_token_hint_sub == "id-alice"


def test_the_claims_parameter_can_name_the_person_too() -> None:
    """OpenID Connect Core 1.0, section 5.5.1."""
    assert read(claims='{"id_token":{"sub":{"value":"id-bob"}}}').request.id_token_hint_sub == "id-bob"


def test_claims_are_kept_for_the_places_that_there_are() -> None:
    """Members that nobody knows are dropped."""
    asked = '{"userinfo":{"email":null},"id_token":{"name":{"essential":true}},"elsewhere":{"x":null}}'
    assert read(claims=asked).request.claims == '{"id_token":{"name":{"essential":true}},"userinfo":{"email":null}}'


@pytest.mark.parametrize(
    ("redirect_uri", "is_taken"),
    [
        ("http://127.0.0.1:50123/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://[::1]:50123/cb", True),
        ("com.example.app:/cb", True),
        ("com.example.app:/cb2", False),
        ("http://127.0.0.1:50123/cb2", False),
        ("http://127.0.0.1:99999/cb", False),
        ("http://127.0.0.2:50123/cb", False),
        ("http://localhost:50123/cb", False),
        ("http://x@127.0.0.1:50123/cb", False),
        ("http://127.0.0.1:50123@evil.example/cb", False),
        ("http://127.0.0.1:050123/cb", False),
        ("http://127.0.0.1:/cb", False),
        ("https://127.0.0.1:50123/cb", False),
    ],
)
def test_only_the_port_of_a_native_application_is_free(redirect_uri: str, is_taken: bool) -> None:
    """RFC 8252, section 7.3: the system picks it; everything else is compared letter by letter."""
    assert is_registered(CLIENTS["phone"], redirect_uri) is is_taken
    assert not is_registered(RegisteredClient(client_id="w", redirect_uris=("http://127.0.0.1/cb",)), redirect_uri) or (
        redirect_uri == "http://127.0.0.1/cb"
    )


def test_a_code_travels_with_its_state_and_its_issuer() -> None:
    """State as it came, letter by letter (RFC 9207: `iss` tells apart who answers)."""
    reply = CodeReply(redirect_uri=CALLBACK, state="a b&c=\u00e9", code="xyz")
    query = parse_qs(urlsplit(GRAMMAR.address(reply)).query)
    assert query == {"code": ["xyz"], "state": ["a b&c=\u00e9"], "iss": ["https://id.example"]}


def test_an_address_keeps_its_own_query() -> None:
    """RFC 6749, section 3.1.2."""
    reply = ErrorReply(redirect_uri="com.example.app:/cb?x=%20y", state=None, error="access_denied", description="No.")
    address = GRAMMAR.address(reply)
    assert address.startswith("com.example.app:/cb?x=%20y&error=access_denied&error_description=No.&iss=https")
    assert "state" not in address
