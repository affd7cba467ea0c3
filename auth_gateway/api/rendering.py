"""The flows' answers as JSON; what a stranger is told is decided by who is calling, never by what was found out."""

from math import ceil

from msgspec import UNSET
from starlette.responses import Response

from auth_gateway.api.answers import (
    CODE_AWAITED,
    ONLY_A_PASSKEY,
    CodeMailed,
    LoginAllowed,
    LoginDenied,
    Score,
    SecondFactorAwaited,
    VerdictTaken,
    WordAwaited,
)
from auth_gateway.core.context import Client
from auth_gateway.core.provider.client import AUTHORIZATION_CODE, DEVICE_CODE
from auth_gateway.core.push import Verdict
from auth_gateway.flows.answers import (
    Allowed,
    CompletionAnswer,
    Denied,
    FactorNeeded,
    GrantError,
    InvalidGrant,
    LoginAnswer,
    LoginNeeded,
    MfaRequired,
    NotGranted,
    SessionEnded,
    SlowDown,
    Throttled,
    TokenAnswer,
    Waiting,
    WrongCode,
)
from auth_gateway.flows.mailed_code import CodeSent, MailAnswer, NoMoreCodes, NotByMail
from auth_gateway.flows.verdict import AnsweredBefore, Late, NotAsked, Repeated, VerdictAnswer, WrongNumber
from plumbing.asgi import json_answer
from plumbing.refusals import Refused
from risk_scorer.contract.assessment import RiskScore

# RFC 6749, section 5.1: old caches read this one instead of Cache-Control.
NO_CACHE = {"pragma": "no-cache"}

_OVER = "This challenge is over. Log in again."
_INVALID_TOKEN = "The refresh token is invalid, expired or revoked."  # noqa: S105 - a text for people
_INVALID = {
    AUTHORIZATION_CODE: "The code is invalid, expired or was used before.",
    DEVICE_CODE: "The device code is invalid or was used before.",
}
_NOT_GRANTED: dict[GrantError, str] = {
    "invalid_scope": "None of this scope can be granted, or it is more than was granted before.",
    "invalid_dpop_proof": "The DPoP proof was used before.",
    "unauthorized_client": "This client may not use this grant type.",
    "authorization_pending": "The person has not answered yet.",
    "slow_down": "Poll less often.",
    "access_denied": "The person has refused.",
    "expired_token": "The device code has expired.",
}


_NOT_TAKEN: dict[type[VerdictAnswer], tuple[str, str, int]] = {
    NotAsked: ("unknown_challenge", "No challenge of this name waits for a verdict.", 404),
    Repeated: ("message_repeated", "This message was taken before.", 409),
    AnsweredBefore: ("already_answered", "This challenge has its verdict.", 409),
    Late: ("challenge_over", "This challenge is over.", 410),
}


def login_response(answer: LoginAnswer, *, client: Client, set_cookie: str) -> Response:
    """The answer of `POST /login`.

    Raises: Refused `throttled` (429) or `invalid_credentials` (401).
    """
    if isinstance(answer, Allowed):
        return json_answer(_allowed(answer, client), headers={**NO_CACHE, "set-cookie": set_cookie})
    if isinstance(answer, MfaRequired):
        # The challenge belongs to this device, so the device must already have its cookie when it comes back.
        return json_answer(_awaited(answer, client), headers={**NO_CACHE, "set-cookie": set_cookie})
    if isinstance(answer, Denied):
        return _denied(answer, client)
    if isinstance(answer, Throttled):
        raise _throttled(answer)
    raise Refused("invalid_credentials", "The user name or the password is wrong.", status=401)


def completion_response(answer: CompletionAnswer, *, client: Client) -> Response:
    """The answer of `POST /login/complete`; refused by its risk, it looks like a refused login.

    Raises: Refused `throttled` or `slow_down` (429), `invalid_code` or `invalid_challenge` (401).
    """
    if isinstance(answer, Waiting):
        seconds = ceil(answer.retry_after_seconds)
        return json_answer(
            WordAwaited(retry_after=seconds), status=202, headers={**NO_CACHE, "retry-after": str(seconds)}
        )
    if isinstance(answer, SlowDown):
        raise Refused(
            "slow_down", _NOT_GRANTED["slow_down"], status=429, retry_after_seconds=answer.retry_after_seconds
        )
    if isinstance(answer, Allowed):
        return json_answer(_allowed(answer, client), headers=NO_CACHE)
    if isinstance(answer, Denied):
        return _denied(answer, client)
    if isinstance(answer, Throttled):
        raise _throttled(answer)
    if isinstance(answer, WrongCode):
        evidence = {"attempts_left": answer.attempts_left}
        raise Refused("invalid_code", "The code is wrong or was used before.", status=401, evidence=evidence)
    raise Refused("invalid_challenge", _OVER, status=401)


def verdict_response(answer: VerdictAnswer, verdict: Verdict) -> Response:
    """The answer of `POST /mfa/challenges/{challenge_id}/verdict`, to whoever has proven to be the MFA system.

    Raises: Refused `unknown_challenge` (404), `message_repeated` or `already_answered` (409), `challenge_over` (410),
    `wrong_number` (422).
    """
    if isinstance(answer, WrongNumber):
        evidence = {"attempts_left": answer.attempts_left}
        raise Refused("wrong_number", "This is not the number that was shown.", status=422, evidence=evidence)
    if type(answer) in _NOT_TAKEN:
        code, text, status = _NOT_TAKEN[type(answer)]
        raise Refused(code, text, status=status)
    return json_answer(VerdictTaken(verdict=verdict))


def mail_response(answer: MailAnswer) -> Response:
    """The answer of `POST /login/email-code`.

    Raises: Refused `invalid_challenge` (401), `method_not_available` (422) or `too_many_codes` (429).
    """
    if isinstance(answer, CodeSent):
        return json_answer(CodeMailed(expires_in=answer.expires_in), headers=NO_CACHE)
    if isinstance(answer, NotByMail):
        raise Refused("method_not_available", "This login takes no code by mail.", status=422)
    if isinstance(answer, NoMoreCodes):
        text = "No more codes are sent. Use the latest one, or another of the methods."
        raise Refused("too_many_codes", text, status=429)
    raise Refused("invalid_challenge", _OVER, status=401)


def token_response(answer: TokenAnswer, *, grant_type: str) -> Response:
    """The answer of `POST /token`, in OAuth's words.

    Raises: Refused `invalid_grant` (400); why is in the operator's log alone, or a thief could read how near he was.
    Beside it `reason` says that a new login helps, `incident_id` what to tell support: a client of OAuth that knows
    neither asks for a new login either way.
    """
    if isinstance(answer, LoginNeeded):
        evidence = {"reason": "step_up_required"}
        raise Refused("invalid_grant", "Log in again to go on.", status=400, evidence=evidence)
    if isinstance(answer, FactorNeeded):
        text = "The person must show a factor. Send them to the authorization endpoint, or log in again."
        raise Refused("invalid_grant", text, status=400, evidence={"reason": "interaction_required"})
    if isinstance(answer, SessionEnded):
        text = "This session has ended. Log in again, and tell support the incident id if that is no help."
        raise Refused("invalid_grant", text, status=400, evidence={"incident_id": answer.incident_id})
    if isinstance(answer, InvalidGrant):
        raise Refused("invalid_grant", _INVALID.get(grant_type, _INVALID_TOKEN), status=400)
    if isinstance(answer, NotGranted):
        raise Refused(answer.error, _NOT_GRANTED[answer.error], status=400)
    return json_answer(answer.tokens, headers=NO_CACHE)


def _denied(answer: Denied, client: Client) -> Response:
    body = LoginDenied(incident_id=answer.incident_id, score=_shown(answer.score, client))
    return json_answer(body, status=403)


def _allowed(answer: Allowed, client: Client) -> LoginAllowed:
    return LoginAllowed(
        session_id=answer.session_id,
        tokens=answer.tokens,
        password_change_required=True if answer.owes_new_password else UNSET,
        score=_shown(answer.score, client),
    )


def _awaited(answer: MfaRequired, client: Client) -> SecondFactorAwaited:
    return SecondFactorAwaited(
        message=ONLY_A_PASSKEY if answer.methods == ("passkey",) else CODE_AWAITED,
        challenge_id=answer.challenge_token,
        challenge_ref=answer.challenge_id,
        expires_in=answer.expires_in,
        methods=answer.methods,
        number=answer.number or UNSET,
        score=_shown(answer.score, client),
    )


def _shown(score: RiskScore | None, client: Client) -> Score:
    """A score would teach an attacker which of his disguises works: only a registered client with the right sees it."""
    return score if client.may_see_scores else UNSET


def _throttled(answer: Throttled) -> Refused:
    return Refused(
        "throttled",
        "Too many attempts. Try again later.",
        status=429,
        retry_after_seconds=answer.retry_after_seconds,
    )
