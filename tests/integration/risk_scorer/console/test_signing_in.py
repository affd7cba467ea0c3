"""In and out at an issuer: who it vouches for, what is not believed of it, and what happens while it is away."""

import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest

from plumbing.clock import FixedClock
from risk_scorer.adapters.console import identity
from risk_scorer.adapters.console.role_rows import OperatorRoles
from tests.integration.risk_scorer.conftest import NOW
from tests.integration.risk_scorer.console.lying_issuer import CLIENT, FOREIGN_KEY, SECRET, Issuer, lying_issuer
from tests.integration.risk_scorer.console.signing import by_issuer, code_of, onward
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with lying_issuer(NOW) as found:
        yield found


@pytest.fixture
async def service(tmp_path: Path, issuer: Issuer) -> AsyncIterator[Running]:
    """A scorer whose console is a client of that issuer, where Mara is an analyst."""
    settings = {"console_issuer": issuer.url, "console_client_id": CLIENT, "console_client_secret": SECRET}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **settings) as found:
        roles(found).give("mara", "analyst")
        yield found


def roles(service: Running) -> OperatorRoles:
    return OperatorRoles(service.scorer.database, clock=service.scorer.clock)


@contextmanager
def lying(issuer: Issuer, changes: dict[str, Any]) -> Iterator[None]:
    """For as long as the block takes."""
    before = {name: getattr(issuer, name) for name in changes}
    for name, value in changes.items():
        setattr(issuer, name, value)
    yield
    for name, value in before.items():
        setattr(issuer, name, value)


async def is_in(service: Running) -> bool:
    return (await service.client.get("/dashboard")).status_code == 200


async def test_whoever_the_issuer_vouches_for_is_in_with_their_role(service: Running, issuer: Issuer) -> None:
    """The code is redeemed with the verifier of this very request and the client's secret; the page goes on by
    itself."""
    answer = await by_issuer(service, issuer, to="/dashboard/drift?x=1")
    assert (answer.status_code, onward(answer)) == (200, "/dashboard/drift?x=1")
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("riskgate_operator="))
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    page = await service.client.get("/dashboard")
    assert "mara" in page.text
    assert "analyst" in page.text
    [form], [credential] = issuer.forms, issuer.credentials
    assert form["grant_type"] == "authorization_code"
    assert len(form["code_verifier"]) >= 43
    assert credential == "Basic " + b64encode(f"{CLIENT}:{SECRET}".encode()).decode()


LIES: dict[str, tuple[dict[str, Any], int, str]] = {
    "an unknown key": (
        {"header": {"kid": "k9"}},
        502,
        "gateway_answer_invalid",
    ),  # the first: keys are asked for once in a while
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, 502, "gateway_answer_invalid"),
    "another audience": ({"claims": {"aud": "other"}}, 502, "gateway_answer_invalid"),
    "two audiences": ({"claims": {"aud": [CLIENT, "other"]}}, 502, "gateway_answer_invalid"),
    "another party": ({"claims": {"azp": "other"}}, 502, "gateway_answer_invalid"),
    "another request": ({"claims": {"nonce": "other"}}, 502, "gateway_answer_invalid"),
    "no request": ({"claims": {"nonce": None}}, 502, "gateway_answer_invalid"),
    "expired": ({"claims": {"exp": int(NOW)}}, 502, "gateway_answer_invalid"),
    "from the future": ({"claims": {"iat": int(NOW) + 3600}}, 502, "gateway_answer_invalid"),
    "proved in the future": ({"claims": {"auth_time": int(NOW) + 3600}}, 502, "gateway_answer_invalid"),
    "no session": ({"claims": {"sid": None}}, 502, "gateway_answer_invalid"),
    "a time in words": ({"claims": {"auth_time": "now"}}, 502, "gateway_answer_invalid"),
    "a name that hides": ({"claims": {"preferred_username": "mara\u202e"}}, 502, "gateway_answer_invalid"),
    "signed by nobody": ({"algorithm": "none"}, 502, "gateway_answer_invalid"),
    "signed by another": ({"key": FOREIGN_KEY}, 502, "gateway_answer_invalid"),
    "signed with a shared secret": ({"algorithm": "HS256", "key": "x" * 64}, 502, "gateway_answer_invalid"),
    "an access token": ({"header": {"typ": "at+jwt"}}, 502, "gateway_answer_invalid"),
    "what must be understood": ({"header": {"crit": ["exp"]}}, 502, "gateway_answer_invalid"),
    "no tokens": ({"body": b"{}"}, 502, "gateway_answer_invalid"),
    "no JSON": ({"body": b"<html>"}, 502, "gateway_answer_invalid"),
    "too much": ({"body": b" " * 70_000}, 502, "gateway_answer_invalid"),
    "elsewhere": ({"status": 302}, 502, "gateway_answer_invalid"),
    "a code that was used": ({"status": 400}, 400, "code_refused"),
    "a secret that is not ours": ({"status": 401}, 400, "code_refused"),
    "too many": ({"status": 429}, 503, "gateway_unavailable"),
    "a crash": ({"status": 500}, 503, "gateway_unavailable"),
}


async def test_a_lie_lets_nobody_in(service: Running, issuer: Issuer) -> None:
    """A page with a stable code and a way to begin again; never a crash, and no session. One after the other: a scorer
    for each would take longer than all of them."""
    for lie, (changes, status, code) in LIES.items():
        with lying(issuer, changes):
            answer = await by_issuer(service, issuer)
        assert (lie, answer.status_code, code_of(answer)) == (lie, status, code)
        assert "/operator/begin" in answer.text
        assert "riskgate_operator=" not in str(answer.headers)
        assert not await is_in(service)


async def test_without_the_issuers_keys_nobody_is_believed(service: Running, issuer: Issuer) -> None:
    """Whether it is right cannot be said: 503, not in."""
    issuer.has_keys = False
    answer = await by_issuer(service, issuer)
    assert (answer.status_code, code_of(answer)) == (503, "keys_unavailable")
    assert not await is_in(service)


async def test_an_issuer_that_hangs_or_is_gone_holds_nobody_up(
    service: Running, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deadline around everything; then a page that says so."""
    monkeypatch.setattr(identity, "DEADLINE_SECONDS", 0.2)
    issuer.hangs = threading.Event()
    answer = await by_issuer(service, issuer)
    assert (answer.status_code, code_of(answer)) == (503, "gateway_unavailable")
    assert not await is_in(service)


ANSWERS: dict[str, tuple[dict[str, Any], int, str]] = {
    "another state": ({"state": "other"}, 400, "sign_in_unknown"),
    "no state": ({"state": None}, 400, "sign_in_unknown"),
    "another issuer": ({"iss": "https://evil.example"}, 400, "wrong_issuer"),
    "no issuer": ({"iss": None}, 400, "wrong_issuer"),
    "no code": ({"code": None}, 400, "sign_in_unknown"),
    "two codes": ({"code": ["c-1", "c-2"]}, 400, "sign_in_unknown"),
    "given up": ({"error": "access_denied"}, 400, "access_denied"),
    "no factor": (
        {"error": "unmet_authentication_requirements"}, 400, "unmet_authentication_requirements",
    ),
    "an error of its own": ({"error": "<script>"}, 400, "sign_in_refused"),
}  # fmt: skip


async def test_an_answer_that_nobody_asked_for_is_not_redeemed(service: Running, issuer: Issuer) -> None:
    """The code stays where it is, and nothing of the answer is repeated on the page."""
    for said, (changed, status, code) in ANSWERS.items():
        answer = await by_issuer(service, issuer, **changed)
        assert (said, answer.status_code, code_of(answer)) == (said, status, code)
        assert "<script>" not in answer.text
    assert issuer.forms == []
    assert not await is_in(service)


async def test_another_browser_cannot_finish_what_this_one_began(service: Running, issuer: Issuer) -> None:
    """Without the cookie of the request its state is worth nothing, and a finished one is over."""
    page = await service.client.get("/operator/begin")
    asked = issuer.heard(onward(page))
    said = {"code": "c-1", "state": asked["state"], "iss": issuer.url}
    service.client.cookies.delete("riskgate_sign_in")
    assert code_of(await service.client.get("/operator/callback", params=said)) == "sign_in_unknown"
    assert (await by_issuer(service, issuer)).status_code == 200
    assert code_of(await service.client.get("/operator/callback", params=said)) == "sign_in_unknown"


async def test_a_sign_in_goes_on_to_pages_of_ours_alone(service: Running, issuer: Issuer) -> None:
    """An address of anybody else's is the overview."""
    for to in ("https://evil.example", "//evil.example", "/\\evil.example", "/operator/sign-out", ""):
        assert onward(await by_issuer(service, issuer, to=to)) == "/dashboard"


async def test_without_a_role_nothing_is_shown(service: Running, issuer: Issuer) -> None:
    """403 with whom to ask, no session; and once a role was taken away, the next click says so."""
    roles(service).take("mara")
    answer = await by_issuer(service, issuer)
    assert (answer.status_code, code_of(answer)) == (403, "no_role")
    assert not await is_in(service)
    roles(service).give("id-mara", "reader")
    roles(service).give("mara", "admin")
    await by_issuer(service, issuer)
    assert "admin" in (await service.client.get("/dashboard")).text
    roles(service).take("mara")
    assert "reader" in (await service.client.get("/dashboard")).text
    roles(service).take("id-mara")
    gone = await service.client.get("/dashboard")
    assert (gone.status_code, code_of(gone)) == (403, "no_role")
    assert (await service.client.get("/dashboard/events")).status_code == 403


async def test_signing_out_goes_on_to_the_issuer(service: Running, issuer: Issuer) -> None:
    """Here the session is over at once; there by the ID token that it began with, and back to a page of ours."""
    await by_issuer(service, issuer)
    answer = await service.client.post("/operator/sign-out")
    address = onward(answer)
    assert address.startswith(f"{issuer.url}/logout?id_token_hint=")
    assert "post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Foperator%2Fsigned-out" in address
    assert not await is_in(service)
    assert (await service.client.get("/operator/signed-out")).status_code == 200


async def test_a_session_that_ended_at_the_issuer_is_over_here(service: Running, issuer: Issuer) -> None:
    """By its id, and of a person as a whole where no session is named; another session goes on."""
    for claims in ({}, {"sid": None}):
        await by_issuer(service, issuer)
        issuer.claims = {"sid": "ses-2", "sub": "id-other"}
        assert (await farewell(service, issuer.logout_token())) == 200
        assert await is_in(service)
        issuer.claims = dict(claims)
        assert (await farewell(service, issuer.logout_token())) == 200
        assert not await is_in(service)
        issuer.claims = {}


async def farewell(service: Running, token: str) -> int:
    return (await service.client.post("/operator/backchannel-logout", data={"logout_token": token})).status_code


FAREWELLS: tuple[dict[str, Any], ...] = (
    {"claims": {"events": {}}},
    {"claims": {"events": None}},
    {"claims": {"nonce": "n"}},
    {"claims": {"aud": "other"}},
    {"claims": {"iss": "https://evil.example"}},
    {"claims": {"exp": int(NOW)}},
    {"claims": {"sid": 7}},
    {"header": {"typ": "JWT"}},
    {"key": FOREIGN_KEY},
    {"algorithm": "none"},
)


async def test_a_farewell_that_is_none_ends_nothing(service: Running, issuer: Issuer) -> None:
    """400, and whoever was in is in."""
    await by_issuer(service, issuer)
    for lie in FAREWELLS:
        with lying(issuer, lie):
            assert (lie, await farewell(service, issuer.logout_token())) == (lie, 400)
    assert await is_in(service)


async def test_an_id_token_is_no_farewell_and_garbage_is_none(service: Running, issuer: Issuer) -> None:
    """Nor is anything else that somebody may send there."""
    await by_issuer(service, issuer)
    for token in (issuer.id_token(), "", "x", "a.b.c", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        assert await farewell(service, token) == 400
    assert jwt.get_unverified_header(issuer.id_token())["typ"] == "JWT"
    assert await is_in(service)


async def test_what_is_no_form_of_a_farewell_is_refused(service: Running) -> None:
    """By its type, its size, and a field that comes twice; for a program, so as JSON."""
    path = "/operator/backchannel-logout"
    assert (await service.client.post(path, json={"logout_token": "x"})).status_code == 415
    assert (await service.client.post(path, data={"logout_token": "x" * 20_000})).status_code == 413
    twice = await service.client.post(path, data={"logout_token": ["x", "y"]})
    assert (twice.status_code, twice.json()["error"]) == (400, "malformed_form")
