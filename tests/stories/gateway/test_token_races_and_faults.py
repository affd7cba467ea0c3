"""The token endpoint of a provider under races, hostile requests and faults of what it depends on."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from auth_gateway.adapters.storage.provider.browsers import StoredSessionClients
from auth_gateway.core.provider.client import DEVICE_CODE
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from tests.stories.gateway.applications import (
    CALLBACK,
    ISSUER,
    VERIFIER,
    Application,
    Key,
    answer_device,
    code_for,
    refused,
    register,
    session_of,
    waiting_device,
)
from tests.stories.gateway.story import HOME, Story

CONTENDERS = [2, 8, pytest.param(20, marks=pytest.mark.long)]


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def at_once(app: Application, contenders: int, **form: str) -> list[httpx2.Response]:
    """The same token request from each of them, all on their way together."""
    story = app.story

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            asked = [client.post("/token", data=form, auth=("shop", app.secret)) for _ in range(contenders)]
            return await asyncio.gather(*asked)

    return story.runner.run(send())


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_one_code_has_one_winner(story: Story, contenders: int, rounds: int) -> None:
    """However many redeem it at once; and as it was used twice, the winner's tokens die."""
    app = register(story)
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    for _ in range(rounds):
        answers = at_once(app, contenders, code=code_for(app), **form)
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * (contenders - 1)
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert refused(app.refresh(won["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_one_device_code_has_one_winner(story: Story, contenders: int) -> None:
    """An approval is redeemed once."""
    app = register(story)
    device_code = waiting_device(app)
    answer_device(app, device_code, session_of(story))
    answers = at_once(app, contenders, grant_type=DEVICE_CODE, device_code=device_code)
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (contenders - 1)


@pytest.mark.parametrize("contenders", CONTENDERS)
def test_one_assertion_has_one_winner(story: Story, contenders: int) -> None:
    """Shown at once by many it proves one of them."""
    key = Key()
    app = register(story, key=key)
    form = {"grant_type": "client_credentials", **key.assertion(story, "shop")}

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            return await asyncio.gather(*[client.post("/token", data=form) for _ in range(contenders)])

    answers = story.runner.run(send())
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (contenders - 1)
    assert app.act().status_code == 200


@pytest.mark.parametrize("grant", ["code", "device"])
def test_a_session_that_ends_at_this_moment_gives_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch, grant: str
) -> None:
    """Another process may end it between our look and our write: then nobody would tell the application of it."""
    app, session = register(story), session_of(story)
    code = code_for(app, session) if grant == "code" else waiting_device(app)
    if grant == "device":
        answer_device(app, code, session)
    joined = StoredSessionClients.join

    def just_ended(parts: StoredSessionClients, tx: Transaction, session_id: str, *rest: Any) -> bool:
        story.gateway.sessions.revoke(tx, session_id, now=story.clock.now(), reason="logout")
        return joined(parts, tx, session_id, *rest)

    monkeypatch.setattr(StoredSessionClients, "join", just_ended)
    assert refused(app.redeem(code) if grant == "code" else app.poll(code)) == (400, "invalid_grant")
    parts = story.gateway.provider.session_clients
    assert story.gateway.database.read(lambda tx: parts.of(tx, session.session_id)) == []


@pytest.mark.parametrize(
    "body",
    [
        {"grant_type": "authorization_code", "code": 3},
        {"grant_type": ["authorization_code"]},
        {"grant_type": "client_credentials", "scope": {"a": 1}},
        {"grant_type": "client_credentials", "client_assertion": [], "client_assertion_type": 1},
        {"grant_type": "x" * 129},
        {"grant_type": "client_credentials", "client_id": "x" * 257},
        [],
        "grant_type",
    ],
    ids=str,
)
def test_fields_of_another_shape_are_refused(story: Story, body: Any) -> None:
    """`invalid_request`, and nothing of them is repeated."""
    answer = story.ask("POST", "/token", json=body)
    assert refused(answer) == (400, "invalid_request")


@pytest.mark.parametrize(
    "form",
    [
        b"grant_type=client_credentials&grant_type=refresh_token",
        b"grant_type=client_credentials&scope=%00",
        b"grant_type=client_credentials&client_id=%ff",
        b"grant_type=client_credentials&scope=" + b"a" * 1025,
        b"&".join(b"a%d=1" % number for number in range(65)),
    ],
)
def test_forms_that_two_readers_could_read_differently_are_refused(story: Story, form: bytes) -> None:
    """Twice the same field, NUL, what is not UTF-8, too long, too many."""
    app = register(story)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = story.ask("POST", "/token", content=form, headers=headers, auth=("shop", app.secret))
    assert refused(answer) == (400, "invalid_request")


@pytest.mark.parametrize("field", ["code", "device_code", "refresh_token", "client_id", "client_assertion", "scope"])
def test_any_text_is_merely_unknown(story: Story, field: str) -> None:
    """Half a surrogate, control characters, other scripts: a refusal of the usual kind, never a crash."""
    app = register(story)
    for text in ("\ud800", "\x01", "é漢", "'; --", "%s", "A" * 4000, ".", "..", "a.b.c", "{}"):
        for grant_type in ("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE):
            body = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER, "grant_type": grant_type, field: text}
            answer = story.ask(
                "POST",
                "/token",
                content=json.dumps(body).encode(),
                headers={"content-type": "application/json"},
                auth=None if field in {"client_id", "client_assertion"} else ("shop", app.secret),
            )
            is_read = grant_type != "client_credentials" or field not in {"code", "device_code", "refresh_token"}
            assert answer.status_code in ({400, 401} if is_read else {200, 400})


def test_without_storage_nothing_is_issued(story: Story) -> None:
    """503 and later again: what cannot be written down and spent is not given."""
    app, key = register(story), Key()
    keyed = register(story, "keyed", key=key)
    code = code_for(app)
    database = story.gateway.database

    async def broken(_job: Any) -> Any:
        raise Refused("storage_unavailable", "The storage cannot be written to.", status=503, retry_after_seconds=1)

    kept = database.write
    database.write = broken  # type: ignore[method-assign]
    answers = [app.redeem(code), app.act(), keyed.act(), app.act(dpop=key.proof(story))]
    database.write = kept  # type: ignore[method-assign]
    assert [refused(answer) for answer in answers] == [(503, "storage_unavailable")] * 4
    assert app.redeem(code).status_code == 200
