"""Two gateways on one database are shown the same code, letter's link or passkey at the same moment: one of all who
show it wins, on both databases, and nobody gets a fault. No wait of the throttle thins the crowd.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.throttle_memory import MemoryThrottle
from auth_gateway.core import recovery_code
from auth_gateway.core.factor import Passkey
from auth_gateway.core.throttle import ThrottleKey
from auth_gateway.flows.ports import Reservation
from auth_gateway.wiring import passkeys
from tests.soft_authenticator import SoftAuthenticator
from tests.stories.gateway.letters import letters, link_of, with_address
from tests.stories.gateway.pairs import Pair, all_at_once, running_pair
from tests.stories.gateway.relying_party import CALLBACK, ISSUER, Browser, registered
from tests.stories.gateway.story import NOW, Story

SIZES = pytest.mark.parametrize("clients", [2, 5, 20])
RECOVERY_CODE = "0123-4567-89ab-cdef"
SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@gateway.example"}


async def _never_waits(_: MemoryThrottle, keys: Sequence[ThrottleKey], now: float) -> Reservation:
    return Reservation(keys=tuple(keys), at=now)


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """Two gateways, as providers; Alice has an authenticator and one recovery code, and a verified address."""
    monkeypatch.setattr(MemoryThrottle, "reserve", _never_waits)
    given: dict[str, Any] = {"jwt_issuer": ISSUER, "risk_api_credential": "rgs_test", **SMTP}
    if request.param == "postgresql":
        given["auth_gateway_database"] = request.getfixturevalue("postgresql_url")
    with running_pair(tmp_path / "state", **given) as both:
        story = both[0]
        with_address(story, "id-alice", "alice@example.com")
        digest = recovery_code.code_digest(
            story.gateway.vault.derive(recovery_code.KEY_PURPOSE), "id-alice", RECOVERY_CODE
        )
        assert digest is not None
        story.gateway.database.write_sync(lambda tx: StoredRecoveryCodes().replace(tx, "id-alice", [digest], NOW))
        story.scorer.score = 65.0
        yield both


def challenges(pair: Pair, count: int) -> list[str]:
    """So many logins of Alice that wait for a second factor, begun at both gateways in turn."""
    return [pair[number % 2].login().json()["challenge_id"] for number in range(count)]


def completions(waiting: list[str], **proof: str) -> list[dict[str, Any]]:
    return [{"url": "/login/complete", "json": {"challenge_id": each, **proof}} for each in waiting]


def sessions(story: Story) -> int:
    with story.gateway.database.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one())


@SIZES
def test_one_time_step_finishes_one_of_many_logins(pair: Pair, clients: int) -> None:
    """The same code for as many challenges as there are clients."""
    answers = all_at_once(pair, completions(challenges(pair, clients), code=pair[0].code()))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: clients - 1}
    assert sessions(pair[0]) == 1


@SIZES
def test_one_recovery_code_finishes_one_of_many_logins(pair: Pair, clients: int) -> None:
    """The last one that Alice has."""
    waiting = challenges(pair, clients)
    answers = all_at_once(pair, completions(waiting, code=RECOVERY_CODE, method="recovery_code"))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: clients - 1}
    assert sessions(pair[0]) == 1


@SIZES
def test_one_mailed_code_finishes_its_login_once(pair: Pair, clients: int) -> None:
    """However often it is sent at the same moment; five tries has a challenge."""
    (waiting,) = challenges(pair, 1)
    assert pair[0].ask("POST", "/login/email-code", json={"challenge_id": waiting}).status_code == 200
    code = letters(pair[0], "email_code")[-1].letter.values["code"]
    answers = all_at_once(pair, completions([waiting] * clients, code=code, method="email_code"))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: clients - 1}
    assert sessions(pair[0]) == 1


@SIZES
def test_one_letters_link_is_answered_once(pair: Pair, clients: int) -> None:
    """Half of them say yes, half no: one answer is taken, at whichever gateway."""
    story = pair[0]
    story.scorer.score, story.scorer.new = 10.0, ("device",)
    assert story.login("alice").status_code == 200
    link = link_of(story, "new_sign_in")
    said = ("no", "yes")
    answers = all_at_once(pair, [{"url": link, "data": {"answer": said[n // 2 % 2]}} for n in range(clients)])
    assert Counter(answer.status_code for answer in answers) == {200: 1, 410: clients - 1}
    assert len([kind for kind, _ in story.audited() if kind in {"sign_in.reported", "sign_in.confirmed"}]) == 1


@SIZES
def test_one_question_to_a_passkey_signs_in_once(pair: Pair, clients: int) -> None:
    """The same answer, sent to both gateways; the key counts nothing, so the question alone decides."""
    story = pair[0]
    registered(story)
    mine = with_passkey(story)
    browser = Browser(story)
    browser.authorize()
    assert browser.page is not None
    answer = mine.get(options(browser.page))
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"cookie": cookie, "user-agent": browser.agent, "origin": ISSUER, "sec-fetch-site": "same-origin"}
    post = {"url": browser.where, "data": {**browser.fields(), "credential": answer}, "headers": headers}
    answers = all_at_once(pair, [post] * clients)
    codes = [each.headers.get("location", "") for each in answers]
    said = [(each.status_code, code) for each, code in zip(answers, codes, strict=True)]
    assert len([code for code in codes if code.startswith(f"{CALLBACK}?code=")]) == 1, said
    assert {each.status_code for each in answers} <= {303, 401, 410}
    assert sessions(story) == 1


def with_passkey(story: Story) -> SoftAuthenticator:
    """Alice's authenticator, whose counter stands still."""
    registration = passkeys.registration(story.gateway)
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, "alice"))
    assert registration is not None
    assert account is not None
    fresh = SoftAuthenticator(origin=ISSUER, rp_id="id.example", count=0)
    text = fresh.create(registration.options(account, "s1"))
    kept = story.runner.run(registration.finish(text, user_id=account.user_id, session_id="s1", name="Phone"))
    assert isinstance(kept, Passkey)
    return fresh.but(user_handle=registration.ceremonies.handle(account.user_id))


def options(page: httpx2.Response) -> str:
    found = re.search(r'data-options="([^"]+)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def test_step_n_then_the_next_then_n_again(pair: Pair) -> None:
    """The first two let in, the third does not, at either gateway; nor does the second again."""
    first, second, third, fourth, fifth = challenges(pair, 5)
    n = pair[0].code()
    pair[0].clock.advance(30)
    after = pair[0].code()
    assert n != after
    tries = [(0, first, n), (1, second, after), (0, third, n), (1, fourth, n), (0, fifth, after)]
    answers = [pair[gateway].complete(challenge, code).status_code for gateway, challenge, code in tries]
    assert answers == [200, 200, 401, 401, 401]
