"""What counts once counts once between two gateway processes on one PostgreSQL database: of all who show it at the same
moment one wins, and nobody gets a fault. The same races within a process, and on SQLite, have files of their own. And
while sealing keys are exchanged on either machine, everybody's authenticator counts on both.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.core import recovery_code
from auth_gateway.core.provider.client import DEVICE_CODE
from tests.migrated import migrated_database
from tests.postgresql import Server
from tests.stories.gateway import mfa_system, relying_party
from tests.stories.gateway.applications import (
    CALLBACK,
    VERIFIER,
    Application,
    Key,
    answer_device,
    code_for,
    register,
    session_of,
    waiting_device,
)
from tests.stories.gateway.letters import letters, link_of, with_address
from tests.stories.gateway.processes import Processes, ProcessStory, all_at_once, running_processes
from tests.stories.gateway.relying_party import Browser, registered
from tests.stories.gateway.test_factor_races import options, with_passkey

RECOVERY_CODE = "0123-4567-89ab-cdef"
SETTINGS = {
    "SMTP_URL": "smtp://127.0.0.1:9",
    "MAIL_FROM": "login@gateway.example",
    "MFA_WEBHOOK_URL": "https://mfa.invalid/in",
    "WEBHOOK_SECRET": mfa_system.SECRET,
    "MFA_PUSH": "true",
}
FEW = [pytest.param(count, marks=pytest.mark.long) for count in (2, 5)]
SIZES = pytest.mark.parametrize("clients", [*FEW, 20])
Race = Callable[[ProcessStory, int], list[dict[str, Any]]]
"""So many requests that want the same thing."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server) -> Iterator[Processes]:
    """Two processes for all races, with an application that may do everything, and Alice."""
    place = tmp_path_factory.mktemp("processes")
    for url in migrated_database(postgresql_server):
        with running_processes(place, url, **SETTINGS) as found:
            found[0].gateway.accounts.add("alice", "Password123!", user_id="id-alice")
            secret, passkey = registered(found[0]), with_passkey(found[0])
            for story in found:
                story.application_secret, story.passkey = secret, passkey
            yield found


def shop(story: ProcessStory, **registration: Any) -> Application:
    return register(story, story.gateway.randomness.token(9), **registration)


def token_requests(app: Application, times: int, **form: str) -> list[dict[str, Any]]:
    return [{"url": "/token", "data": form, "auth": (app.client_id, app.secret)}] * times


def of_a_code(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    app = shop(story)
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return token_requests(app, times, code=code_for(app), **form)


def of_a_device_code(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    app = shop(story)
    device_code = waiting_device(app, user_code=story.gateway.randomness.token(8))
    answer_device(app, device_code, session_of(story))
    return token_requests(app, times, grant_type=DEVICE_CODE, device_code=device_code)


def of_an_assertion(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    key = Key()
    app = shop(story, key=key)
    form = {"grant_type": "client_credentials", **key.assertion(story, app.client_id)}
    return [{"url": "/token", "data": form}] * times


def of_a_proof(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    app = shop(story)
    requests = token_requests(app, times, grant_type="client_credentials")
    return [{**requests[0], "headers": {"dpop": Key().proof(story)}}] * times


def of_a_challenge(story: ProcessStory, times: int, **proof: str) -> list[dict[str, Any]]:
    challenge = mfa_system.waiting(story, story.person())["challenge_id"]
    body = {"challenge_id": challenge, **({"code": story.code()} | proof)}
    return [{"url": "/login/complete", "json": body}] * times


def of_a_time_step(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    name = story.person()
    waiting = [mfa_system.waiting(story, name)["challenge_id"] for _ in range(min(times, 3))]
    code = story.code()
    return [
        {"url": "/login/complete", "json": {"challenge_id": waiting[n % len(waiting)], "code": code}}
        for n in range(times)
    ]


def of_a_recovery_code(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    name = story.person()
    key = story.gateway.vault.derive(recovery_code.KEY_PURPOSE)
    digest = recovery_code.code_digest(key, f"id-{name}", RECOVERY_CODE)
    assert digest is not None
    now = story.clock.now()
    story.gateway.database.write_sync(lambda tx: StoredRecoveryCodes().replace(tx, f"id-{name}", [digest], now))
    waiting = [mfa_system.waiting(story, name)["challenge_id"] for _ in range(min(times, 3))]
    said = {"code": RECOVERY_CODE, "method": "recovery_code"}
    return [
        {"url": "/login/complete", "json": {"challenge_id": waiting[n % len(waiting)], **said}} for n in range(times)
    ]


def of_a_mailed_code(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    name = story.person()
    with_address(story, f"id-{name}", f"{name}@example.com")
    challenge = mfa_system.waiting(story, name)["challenge_id"]
    assert story.ask("POST", "/login/email-code", json={"challenge_id": challenge}).status_code == 200
    [code] = [
        one.letter.values["code"] for one in letters(story, "email_code") if one.letter.to == f"{name}@example.com"
    ]
    return [
        {"url": "/login/complete", "json": {"challenge_id": challenge, "code": code, "method": "email_code"}}
    ] * times


def of_a_fetched_yes(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    challenge = mfa_system.waiting(story, story.person())
    assert mfa_system.verdict(story, challenge).status_code == 200
    return [{"url": "/login/complete", "json": {"challenge_id": challenge["challenge_id"], "method": "push"}}] * times


def of_a_verdict(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    challenge = mfa_system.waiting(story, story.person())
    words = ("approved", "denied")
    return [mfa_system.request_of(story, challenge, words[n // 2 % 2]) for n in range(times)]


def of_a_link(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    name = story.person()
    with_address(story, f"id-{name}", f"{name}@example.com")
    story.scorer.score, story.scorer.new = 10.0, ("device",)
    assert story.login(name).status_code == 200
    story.scorer.new = ()
    link = link_of(story, "new_sign_in")
    return [{"url": link, "data": {"answer": ("no", "yes")[n // 2 % 2]}} for n in range(times)]


def of_a_pushed_request(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    pushed = story.ask("POST", "/par", data=relying_party.asked(), auth=("app", story.application_secret))
    assert pushed.status_code == 201, pushed.text
    query = urlencode({"client_id": "app", "request_uri": pushed.json()["request_uri"]})
    return [{"method": "GET", "url": f"/authorize?{query}"}] * times


def of_a_passkey(story: ProcessStory, times: int) -> list[dict[str, Any]]:
    story.scorer.score = 10.0
    story.forgive()
    assert story.passkey is not None
    browser = Browser(story)
    browser.authorize()
    assert browser.page is not None
    answer = story.passkey.get(options(browser.page))
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"cookie": cookie, "user-agent": browser.agent, "origin": relying_party.ISSUER}
    headers["sec-fetch-site"] = "same-origin"
    return [{"url": browser.where, "data": {**browser.fields(), "credential": answer}, "headers": headers}] * times


RACES: dict[str, Race] = {
    "code": of_a_code,
    "device code": of_a_device_code,
    "assertion": of_an_assertion,
    "proof": of_a_proof,
    "challenge": of_a_challenge,
    "time step": of_a_time_step,
    "recovery code": of_a_recovery_code,
    "mailed code": of_a_mailed_code,
    "yes": of_a_fetched_yes,
    "verdict": of_a_verdict,
    "link": of_a_link,
    "pushed request": of_a_pushed_request,
    "passkey": of_a_passkey,
}


def has_won(answer: httpx2.Response, race: str) -> bool:
    """Let in, given tokens, or sent on; who is sent to a card has not been let in by a passkey."""
    if answer.status_code != 303:
        return answer.status_code == 200
    leads_to = f"{relying_party.CALLBACK}?code=" if race == "passkey" else f"{relying_party.ISSUER}/sign-in/"
    return answer.headers["location"].startswith(leads_to)


@SIZES
@pytest.mark.parametrize("race", RACES)
def test_one_of_all_who_show_it_wins(both: Processes, race: str, clients: int, is_long: bool) -> None:
    """Whichever process they ask."""
    for turn in range(10 if is_long else 1):
        requests = RACES[race](both[turn % 2], clients)
        answers = all_at_once(both, requests)
        found = sorted(answer.status_code for answer in answers)
        places = [answer.headers.get("location") for answer in answers]
        assert [has_won(answer, race) for answer in answers].count(True) == 1, (found, places)
        assert found[-1] < 500, [answer.text[:300] for answer in answers if answer.status_code >= 500]


@SIZES
def test_one_refresh_token_leads_to_one_next(both: Processes, clients: int, is_long: bool) -> None:
    """All get the same successor, at both processes, and it works at either."""
    for turn in range(10 if is_long else 1):
        both[0].scorer.score = 10.0
        name = both[0].person()
        token = both[turn % 2].login(name).json()["tokens"]["refresh_token"]
        body = {"grant_type": "refresh_token", "refresh_token": token}
        answers = all_at_once(both, [{"url": "/token", "json": body}] * clients)
        assert [answer.status_code for answer in answers] == [200] * clients
        [successor] = {answer.json()["refresh_token"] for answer in answers}
        assert both[1 - turn % 2].refresh(successor).status_code == 200


def test_sealing_keys_are_exchanged_while_people_log_in(both: Processes, is_long: bool) -> None:
    """Old authenticators and those enrolled at that very moment open at either machine; nothing was copied by hand."""
    exchanges, refused, turn = 20 if is_long else 3, [], 0

    def exchange() -> None:
        for number in range(exchanges):
            both[number % 2].gateway.resealing()

    exchanging = threading.Thread(target=exchange)
    exchanging.start()
    while exchanging.is_alive() or turn < 4:
        here, there = both[turn % 2], both[1 - turn % 2]
        challenge = mfa_system.waiting(there, here.person())["challenge_id"]
        answers = [here.complete(challenge, here.code())]
        refused += [answer.text for answer in answers if answer.status_code != 200]
        turn += 1
    exchanging.join(60)
    assert refused == []
    for story in both:
        story.gateway.vault.reload()
    places = [story.gateway.state.path for story in both]
    files = [sorted(file.name for file in place.glob("sealing.key.*")) for place in places]
    assert files[0] == files[1]
    assert len(files[0]) == exchanges
