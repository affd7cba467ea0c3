"""The parameters of an authorization request that say how the person shall be recognised, and what is bound to the
code. The protocol's grammar has been checked before; this is what OpenID Connect and our own rules add.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from auth_gateway.core.provider.assurance import LEVELS
from auth_gateway.core.provider.authorization import AuthorizationRequest
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.texts import preferred_language

LONGEST: Final = {"state": 2048, "nonce": 1024, "scope": 1024, "claims": 4096, "login_hint": 256, "acr_values": 512}
"""Far more than any application sends; all of it is stored."""
LONGEST_HINT: Final = 8192

_S256 = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: +[\x21\x23-\x5b\x5d-\x7e]+)* *")
_PROMPTS = ("none", "login", "consent", "select_account")


class Unreadable(Exception):
    """A request that its client is told is wrong; `text` repeats nothing of it."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(error, text)
        self.error = error
        self.text = text


def authorization_request(
    given: Mapping[str, str], client: RegisteredClient, id_token_hint: Callable[[str], Mapping[str, Any] | None]
) -> AuthorizationRequest:
    """The request as a value.

    Raises: Unreadable.
    """
    for name, longest in LONGEST.items():
        if len(given.get(name, "")) > longest:
            raise _invalid(f"{name} is too long.")
    if not _SCOPE.fullmatch(given.get("scope", "")):
        raise _invalid("scope is not well-formed.")
    claims = _claims(given.get("claims"))
    wanted_sub = _wanted_sub(claims)
    hinted_sub = _hinted_sub(given.get("id_token_hint"), client, id_token_hint)
    if None not in (wanted_sub, hinted_sub) and wanted_sub != hinted_sub:
        raise _invalid("claims and id_token_hint name different people.")
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=given["redirect_uri"],
        scope=client.allowed_scope(given["scope"]),
        code_challenge=_code_challenge(given),
        state=given.get("state"),
        nonce=given.get("nonce"),
        prompt=_prompts(given.get("prompt", "")),
        max_age=_max_age(given.get("max_age")),
        acr_values=_acr_values(given.get("acr_values", ""), claims),
        claims=_text_of(claims) if claims else None,
        login_hint=given.get("login_hint", ""),
        id_token_hint_sub=hinted_sub or wanted_sub,
        dpop_jkt=_thumbprint(given.get("dpop_jkt")),
        # No error when none is ours (OpenID Connect Core 1.0, section 3.1.2.1).
        ui_locales=preferred_language(given.get("ui_locales", ""), default=""),
    )


def _code_challenge(given: Mapping[str, str]) -> str:
    """PKCE is demanded of every client, and by S256: Authlib takes a missing method for `plain`.

    Source: RFC 9700, section 2.1.1.
    """
    challenge = given.get("code_challenge", "")
    if given.get("code_challenge_method") != "S256" or not _S256.fullmatch(challenge):
        raise _invalid("code_challenge with code_challenge_method S256 is needed.")
    return challenge


def _prompts(text: str) -> tuple[str, ...]:
    """What the person shall be asked, in our order. Who passes over a word that it does not know does less than the
    application believes.

    Source: Initiating User Registration via OpenID Connect 1.0, on values that a provider does not support.
    """
    asked = text.split()
    if any(prompt not in _PROMPTS for prompt in asked):
        raise _invalid("prompt has a value that is not known here.")
    return tuple(prompt for prompt in _PROMPTS if prompt in asked)


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise _invalid("max_age must be a number of seconds.")
    return int(text)


def _thumbprint(text: str | None) -> str | None:
    if text is not None and not _S256.fullmatch(text):
        raise _invalid("dpop_jkt must be the SHA-256 thumbprint of a key.")
    return text


def _hinted_sub(
    hint: str | None, client: RegisteredClient, id_token_hint: Callable[[str], Mapping[str, Any] | None]
) -> str | None:
    """Whom an ID token of ours for this very client names; another's would tell who is signed in elsewhere."""
    if hint is None:
        return None
    claims = id_token_hint(hint) if len(hint) <= LONGEST_HINT else None
    if claims is None or claims.get("aud") not in (client.client_id, [client.client_id]):
        raise _invalid("id_token_hint is no ID token that was issued to this application.")
    return str(claims["sub"])


def _claims(text: str | None) -> dict[str, Any]:
    """The `claims` parameter, without members that nobody knows.

    Source: OpenID Connect Core 1.0, section 5.5.
    """
    if text is None:
        return {}
    try:
        claims = json.loads(text, parse_constant=_no_constant)
        _text_of(claims)
    except (ValueError, RecursionError):
        raise _invalid("claims is not JSON.") from None
    if not isinstance(claims, dict):
        raise _invalid("claims must be an object.")
    kept = {place: claims[place] for place in ("id_token", "userinfo") if claims.get(place)}
    for wishes in kept.values():
        if not isinstance(wishes, dict) or not all(each is None or isinstance(each, dict) for each in wishes.values()):
            raise _invalid("claims must hold objects of claims.")
    return kept


def _text_of(claims: Mapping[str, Any]) -> str:
    """JSON that every reader takes: no infinite numbers, no half of a surrogate pair (ValueError)."""
    text = json.dumps(claims, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    text.encode()
    return text


def _no_constant(_name: str) -> None:
    raise ValueError("not JSON")


def _wish(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return (claims.get("id_token") or {}).get(name) or {}


def _wanted_sub(claims: Mapping[str, Any]) -> str | None:
    """The one person that the ID token may be about (section 5.5.1)."""
    value = _wish(claims, "sub").get("value")
    if value is not None and not isinstance(value, str):
        raise _invalid("claims must name a person by text.")
    return value


def _acr_values(text: str, claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The levels asked for, any of which will do: those that the `claims` parameter calls essential, and else what
    the application would like. Unknown ones are dropped, unless they are essential and none is known: then nobody
    could ever be recognised as it was asked.

    Source: OpenID Connect Core 1.0, section 5.5.1.1; Unmet Authentication Requirements 1.0.
    """
    wish = _wish(claims, "acr")
    essential: list[Any] = []
    if wish.get("essential") is True:
        values = wish.get("values")
        named = [wish.get("value"), *(values if isinstance(values, list) else [])]
        essential = [value for value in named if value is not None]
    if essential and not any(level in LEVELS for level in essential):
        raise Unreadable("unmet_authentication_requirements", "No level of those that are essential is known here.")
    asked = essential or text.split()
    return tuple(dict.fromkeys(level for level in asked if level in LEVELS))


def _invalid(text: str) -> Unreadable:
    return Unreadable("invalid_request", text)
