"""Passkeys at the sign-in page: alone, as a second factor, forged, sent again, and all at once."""

import asyncio
import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from auth_gateway.core.factor import Passkey
from auth_gateway.flows.passkey_registration import PasskeyRegistration
from auth_gateway.wiring import passkeys
from tests.soft_authenticator import PRESENT, SoftAuthenticator
from tests.stories.gateway.relying_party import CALLBACK, ISSUER, Browser, asked, redeem, registered, returned
from tests.stories.gateway.story import HOME, Story, running_story

TRUE = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
SECRET = "the-page-must-not-repeat-this"


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A gateway that is a provider."""
    with running_story(tmp_path / "state", jwt_issuer=ISSUER, risk_api_credential="rgs_test") as running:
        yield running


def keeping(story: Story) -> PasskeyRegistration:
    registration = passkeys.registration(story.gateway)
    assert registration is not None
    return registration


def enrolled(story: Story, name: str = "alice", authenticator: SoftAuthenticator = TRUE) -> SoftAuthenticator:
    """The authenticator, known as that person's from now on."""
    registration = keeping(story)
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, name))
    assert account is not None
    text = authenticator.create(registration.options(account, "s1"))
    kept = story.runner.run(registration.finish(text, user_id=account.user_id, session_id="s1", name="Phone"))
    assert isinstance(kept, Passkey)
    return authenticator.but(user_handle=registration.ceremonies.handle(account.user_id), count=2)


def options(page: httpx2.Response) -> str:
    """What the card asks the browser."""
    found = re.search(r'data-options="([^"]+)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def arrived(story: Story, **changed: Any) -> Browser:
    """A browser that shows the first card."""
    browser = Browser(story)
    browser.authorize(**changed)
    return browser


def with_passkey(browser: Browser, authenticator: SoftAuthenticator, **lies: Any) -> httpx2.Response:
    """The card answered by that authenticator."""
    assert browser.page is not None
    return browser.post(credential=authenticator.get(options(browser.page), **lies))


def at_second_factor(story: Story, score: float = 65.0) -> Browser:
    """A browser after the password, where a second factor is asked for."""
    story.scorer.score = score
    browser = arrived(story)
    browser.password()
    return browser


def together(browser: Browser, times: int, credential: str) -> list[httpx2.Response]:
    """The same answer so many times at once."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"cookie": cookie, "user-agent": browser.agent}
    data = {**browser.fields(), "credential": credential}

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(browser.story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport) as client:
            return await asyncio.gather(*(client.post(browser.where, data=data, headers=headers) for _ in range(times)))

    return browser.story.runner.run(send())


def count(story: Story, table: str) -> int:
    with story.gateway.database.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608 - our words


def test_a_passkey_alone_reaches_the_highest_level(story: Story) -> None:
    """The application reads how the person was recognised; it was a login, scored like every other."""
    secret = registered(story)
    mine = enrolled(story)
    browser = arrived(story, acr_values="phr")
    answer = returned(with_passkey(browser, mine))
    tokens = redeem(story, answer["code"], secret=secret).json()
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["acr"], claims["amr"]) == ("id-alice", "phr", ["pop", "user", "mfa"])
    (event,) = [event for event in story.scorer.events if event.get("kind", "login") == "login"]
    assert (event["user_id"], event["ip"], event.get("success", True)) == ("id-alice", HOME, True)
    assert ("login.allowed", "low") in story.audited()


def test_a_level_that_was_not_reached_is_reached_by_a_passkey(story: Story) -> None:
    """A session by password is made stronger where an application asks for it."""
    registered(story)
    mine = enrolled(story)
    browser = arrived(story)
    returned(browser.password())
    browser.authorize(acr_values="phr")
    assert "code" in returned(with_passkey(browser, mine))


def test_a_passkey_is_a_second_factor_at_any_risk_that_is_not_denied(story: Story) -> None:
    """Also one that verified nobody: the password was shown."""
    registered(story)
    mine = enrolled(story)
    for number, score in enumerate((60.0, 74.9, 75.0, 79.9)):
        browser = at_second_factor(story, score)
        assert "code" in returned(with_passkey(browser, mine.but(count=2 + number, flags=PRESENT)))


@pytest.mark.parametrize(
    ("score", "status", "line"),
    [
        (10.0, 200, ("login.allowed", "low")),
        (79.9, 200, ("login.allowed", "medium_passkey")),
        (80.0, 403, ("login.denied", "high")),
        (None, 200, ("login.allowed", "unscored_passkey")),
    ],
)
def test_risk_decides_about_a_passkey_alone(
    story: Story, score: float | None, status: int, line: tuple[str, str]
) -> None:
    """High is denied as ever; without a score the strongest proof there is lets in."""
    registered(story)
    mine = enrolled(story)
    story.scorer.score, story.scorer.status = score or 0.0, 200 if score is not None else 500
    browser = arrived(story)
    answer = with_passkey(browser, mine)
    assert line in story.audited()
    assert (answer.status_code == 403) is (status == 403)
    assert answer.headers.get("location", "").startswith(CALLBACK) is (status == 200)


LIES: dict[str, tuple[Callable[[SoftAuthenticator], SoftAuthenticator], str]] = {
    "another origin": (lambda mine: mine.but(origin="https://id.examp1e"), "passkey_origin"),
    "another relying party": (lambda mine: mine.but(rp_id="example"), "passkey_rp_id"),
    "nobody verified": (lambda mine: mine.but(flags=PRESENT), "passkey_user_verification"),
    "another key": (lambda mine: TRUE.but(key=SoftAuthenticator("", "").key, user_handle=b"h"), "passkey_user_handle"),
    "a stranger's credential": (lambda mine: mine.but(credential_id=b"other"), "passkey_unknown_credential"),
    "inside another's page": (lambda mine: mine.but(client_data={"crossOrigin": True}), "passkey_cross_origin"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_forged_answer_shows_the_card_again_and_repeats_nothing(story: Story, name: str) -> None:
    """The same page whatever was wrong; the operator reads why, and the truth still counts."""
    registered(story)
    lie, rule = LIES[name]
    mine = enrolled(story)
    browser = arrived(story)
    said = lie(mine).but(client_data={**lie(mine).client_data, "note": SECRET})
    page = with_passkey(browser, said)
    assert page.status_code == 401
    assert "That passkey did not work here." in page.text
    assert SECRET not in page.text
    assert ("login.failed", rule) in story.audited()
    assert count(story, "sessions") == 0
    assert "code" in returned(with_passkey(browser, mine))


@pytest.mark.parametrize("credential", ["x", "{}", "[" * 5000, '{"id":"\u202e"}', "null"])
def test_what_is_no_answer_is_refused_without_a_crash(story: Story, credential: str) -> None:
    """At both cards."""
    registered(story)
    enrolled(story)
    browser = arrived(story)
    assert browser.post(credential=credential).status_code == 401
    browser = at_second_factor(story)
    assert browser.post(credential=credential).status_code == 401
    assert ("login.failed", "passkey_malformed") in story.audited()
    assert ("passkey.refused", "malformed") in story.audited()


def test_an_answer_counts_at_the_page_that_asked(story: Story) -> None:
    """Another person's page, another card of the same page, and the page of somebody who steps up: all refused."""
    registered(story)
    mine = enrolled(story)
    first, second = arrived(story), arrived(story)
    assert first.page is not None
    to_first = mine.get(options(first.page))
    assert second.post(credential=to_first).status_code == 401
    stepping = at_second_factor(story)
    assert stepping.post(credential=to_first).status_code == 401
    assert stepping.page is not None
    to_step_up = mine.get(options(stepping.page))
    assert second.post(credential=to_step_up).status_code == 401
    assert story.audited().count(("login.failed", "passkey_challenge")) == 2
    assert ("passkey.refused", "challenge") in story.audited()
    story.scorer.score = 10.0
    assert "code" in returned(first.post(credential=to_first))


def test_another_persons_passkey_is_no_second_factor(story: Story) -> None:
    """Bob's key at Alice's step-up, after Alice's password."""
    registered(story)
    enrolled(story)
    his = enrolled(story, "bob", TRUE.but(credential_id=b"bobs", key=SoftAuthenticator("", "").key))
    browser = at_second_factor(story)
    page = with_passkey(browser, his)
    assert page.status_code == 401
    assert ("passkey.refused", "another_person") in story.audited()
    assert ("challenge.failed", None) in [(kind, None) for kind, _ in story.audited()]


def test_an_answer_that_waited_too_long_is_too_late(story: Story) -> None:
    """Half an hour for the first card: so long the page itself may stand open."""
    registered(story)
    mine = enrolled(story)
    browser = arrived(story)
    assert browser.page is not None
    answer = mine.get(options(browser.page))
    story.clock.advance(1800)
    assert browser.post(credential=answer).status_code == 410
    assert count(story, "sessions") == 0


def test_a_frozen_account_is_shut_to_its_passkey(story: Story) -> None:
    """Answered like every wrong passkey."""
    registered(story)
    mine = enrolled(story)
    story.gateway.accounts.freeze("alice")
    page = with_passkey(arrived(story), mine)
    assert page.status_code == 401
    assert "That passkey did not work here." in page.text
    assert ("login.failed", "frozen") in story.audited()


def test_wrong_answers_run_out_with_their_challenge(story: Story) -> None:
    """Five, as with codes; then the password is asked for again."""
    registered(story)
    mine = enrolled(story)
    browser = at_second_factor(story)
    assert browser.page is not None
    answer = mine.get(options(browser.page))
    pages = [browser.post(credential=mine.but(rp_id="x").get(options(browser.page))) for _ in range(4)]
    pages += [browser.post(credential="{}"), browser.post(credential=answer)]
    assert [page.status_code for page in pages] == [401] * 6
    assert "Sign in again" in pages[-1].text
    assert count(story, "sessions") == 0


def test_a_passkey_still_works_where_guessed_codes_make_wait(story: Story) -> None:
    """Somebody who has the password guesses at codes; the owner's passkey is not made to wait for it."""
    registered(story)
    mine = enrolled(story)
    guesser = at_second_factor(story)
    for _ in range(12):
        page = guesser.code("000000")
        if "Sign in again" in page.text:
            guesser = at_second_factor(story)
    assert guesser.code("000000").status_code in {401, 429}
    owner = arrived(story)
    assert "code" in returned(with_passkey(owner, mine))


def test_a_network_that_sends_nothing_but_bad_answers_is_made_to_wait(story: Story) -> None:
    """Fifty, then a pause that grows; another network does not feel it."""
    registered(story)
    mine = enrolled(story)
    story.clock.advance(60)
    statuses = [arrived(story).post(credential="{}").status_code for _ in range(51)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    elsewhere = Browser(story, peer="203.0.113.7")
    elsewhere.authorize()
    assert "code" in returned(with_passkey(elsewhere, mine))


def test_where_browsers_have_no_passkeys_none_is_asked_for(tmp_path: Path) -> None:
    """An issuer without https: what is sent all the same is nobody's password either."""
    issuer = "http://127.0.0.1:9000"
    with running_story(tmp_path / "state", jwt_issuer=issuer, risk_api_credential="rgs_test") as story:
        assert passkeys.registration(story.gateway) is None
        registered(story)
        away = story.ask("GET", f"{issuer}/authorize", params=asked())
        cookie = next(text.split(";")[0] for text in away.headers.get_list("set-cookie") if "sign-in=" in text)
        card = story.ask("GET", away.headers["location"], headers={"cookie": cookie})
        assert card.status_code == 200
        assert "passkey" not in card.text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', card.text))
        answer = story.ask(
            "POST", away.headers["location"], data={**fields, "credential": "{}"}, headers={"cookie": cookie}
        )
        assert answer.status_code == 400
        assert count(story, "sessions") == 0


RACING = pytest.mark.parametrize("times", [2, 5, 20])


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """A provider on each database in turn."""
    given: dict[str, Any] = {"jwt_issuer": ISSUER, "risk_api_credential": "rgs_test"}
    if request.param == "postgresql":
        given["auth_gateway_database"] = request.getfixturevalue("postgresql_url")
    with running_story(tmp_path / "state", **given) as running:
        yield running


@RACING
def test_of_answers_to_one_question_that_arrive_together_one_signs_in(both: Story, times: int) -> None:
    """One session, one code; a key that counts nothing does not decide it."""
    registered(both)
    mine = enrolled(both, authenticator=TRUE.but(count=0)).but(count=0)
    browser = arrived(both)
    assert browser.page is not None
    answers = together(browser, times, mine.get(options(browser.page)))
    places = [answer.headers.get("location", "") for answer in answers]
    assert sum(place.startswith(f"{CALLBACK}?code=") for place in places) == 1
    assert all(answer.status_code < 500 for answer in answers)
    assert (count(both, "sessions"), count(both, "browser_sessions")) == (1, 1)


@RACING
def test_of_second_factors_that_arrive_together_one_is_taken(both: Story, times: int) -> None:
    """The challenge, the question and the counter each count once."""
    registered(both)
    mine = enrolled(both)
    browser = at_second_factor(both)
    assert browser.page is not None
    answers = together(browser, times, mine.get(options(browser.page)))
    places = [answer.headers.get("location", "") for answer in answers]
    assert sum(place.startswith(f"{CALLBACK}?code=") for place in places) == 1
    assert all(answer.status_code < 500 for answer in answers)
    assert count(both, "sessions") == 1
