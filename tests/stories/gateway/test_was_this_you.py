"""After a login from a new device or place its owner is asked: a yes teaches, a no puts everybody out and keeps them
out. The link counts once, on both databases, and only by a POST.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.stories.gateway.letters import followed, letters, link_of, with_address
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import HOME, NOW, PASSWORD, Story, running_story

HOOK = {"webhook_url": "https://siem.example/in", "webhook_secret": "whsec_" + "QUJD" * 11 + "QUI="}
SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@gateway.example"}


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider whose scorer finds Bob's browser new; Bob has a verified address. Letters wait: nothing listens."""
    running = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **HOOK, **SMTP)
    with_address(running, "id-bob", "bob@example.com")
    running.scorer.new = ("device",)
    return running


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """The same on each database."""
    given: dict[str, Any] = {"jwt_issuer": ISSUER, "risk_api_credential": "rgs_test", **HOOK, **SMTP}
    if request.param == "postgresql":
        given["auth_gateway_database"] = request.getfixturevalue("postgresql_url")
    with running_story(tmp_path / "state", **given) as running:
        with_address(running, "id-bob", "bob@example.com")
        running.scorer.new = ("device",)
        yield running


def told(story: Story, endpoint: str) -> list[dict[str, Any]]:
    return [message["body"] for message in story.announced() if message["endpoint"] == endpoint]


AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_a_login_from_a_new_device_is_asked_about(story: Story) -> None:
    """One letter to the owner, with when, where and what, in words of ours; nothing of the browser's own."""
    story.scorer.country = "CH"
    assert story.login("bob", headers={"user-agent": AGENT}).status_code == 200
    (posted,) = letters(story)
    values = posted.letter.values
    assert (posted.letter.to, posted.letter.kind) == ("bob@example.com", "new_sign_in")
    assert (values["name"], values["device"], float(values["at"])) == ("bob", "Firefox, Linux", NOW)
    assert values["link"].startswith(f"{ISSUER}/link/")


@pytest.mark.parametrize("new", [(), ("ip", "browser_version")])
def test_a_login_as_usual_is_not(story: Story, new: tuple[str, ...]) -> None:
    """Nobody is written to each morning."""
    story.scorer.new = new
    assert story.login("bob").status_code == 200
    assert letters(story) == []


def test_a_login_with_a_code_is_asked_about_too(story: Story) -> None:
    """And the verdict is about what the password was scored with."""
    with_address(story, "id-alice", "alice@example.com")
    story.scorer.score = 65.0
    challenge = story.login("alice").json()
    assert letters(story) == []
    assert story.complete(challenge["challenge_id"]).status_code == 200
    followed(story, link_of(story, "new_sign_in"), answer="yes")
    assert [body["event_id"] for body in told(story, "scorer-feedback")] == [story.scorer.events[0]["event_id"]]


def test_an_address_that_nobody_verified_gets_no_letter(story: Story) -> None:
    """It may be a stranger's, who could lock the account by it."""
    with_address(story, "id-bob", "bob@example.com", is_verified=False)
    assert story.login("bob").status_code == 200
    assert letters(story) == []


def test_a_denied_login_is_not_asked_about(story: Story) -> None:
    """Nobody got in."""
    story.scorer.score = 95.0
    assert story.login("bob").status_code == 403
    assert letters(story) == []


def test_letters_of_a_day_are_bounded(story: Story) -> None:
    """Ten, and the next day there are more."""
    for _ in range(12):
        assert story.login("bob").status_code == 200
    assert len(letters(story)) == 10
    story.clock.advance(86_401)
    story.login("bob")
    assert len(letters(story)) == 11


def test_looking_changes_nothing(story: Story) -> None:
    """A program that reads mail opens links, and the person still has their word."""
    story.login("bob")
    path = link_of(story, "new_sign_in")
    pages = [story.ask(method, path) for method in ("GET", "GET", "HEAD", "GET")]
    assert [page.status_code for page in pages] == [200, 200, 405, 200]
    assert "Was this you?" in pages[0].text
    assert pages[0].headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in pages[0].headers
    assert followed(story, path, answer="yes").status_code == 200


def test_an_address_that_is_a_secret_goes_nowhere(story: Story) -> None:
    """Whatever its page says, a refusal too."""
    story.login("bob")
    path = link_of(story, "new_sign_in")
    pages = [
        story.ask("GET", path),
        story.ask("GET", f"{path}x"),
        story.ask("POST", path, data={"x": "y" * 40_000}),
        story.ask("POST", path, json={"answer": "yes"}),
        followed(story, path, answer="maybe"),
        followed(story, path, answer="no"),
    ]
    assert [page.status_code for page in pages] == [200, 410, 413, 415, 200, 200]
    assert {page.headers["referrer-policy"] for page in pages} == {"no-referrer"}


@pytest.mark.parametrize("fields", [{"x": "yes"}, {"answer": "maybe"}, {"answer": ""}])
def test_neither_yes_nor_no_asks_again(story: Story, fields: dict[str, str]) -> None:
    """And the link still counts."""
    story.login("bob")
    path = link_of(story, "new_sign_in")
    assert "Was this you?" in followed(story, path, **fields).text
    assert "Thank you" in followed(story, path, answer="yes").text


def test_a_yes_teaches_and_changes_nothing_else(story: Story) -> None:
    """The session goes on; the scorer learns that it was the owner."""
    tokens = story.login("bob").json()["tokens"]
    assert "Thank you" in followed(story, link_of(story, "new_sign_in"), answer="yes").text
    (verdict,) = told(story, "scorer-feedback")
    assert (verdict["verdict"], verdict["by"]) == ("confirmed_safe", "account-owner")
    assert verdict["event_id"] == story.scorer.events[0]["event_id"]
    assert story.refresh(tokens["refresh_token"]).status_code == 200
    assert ("sign_in.confirmed", None) in story.audited()
    assert told(story, "webhook") == []


def test_a_no_puts_everybody_out_and_keeps_them_out(story: Story) -> None:
    """Each session and its refresh tokens end, the right password opens nothing, the scorer and the webhook are told,
    and the owner has a letter that says how to get back in."""
    first, second = (story.login("bob").json()["tokens"] for _ in range(2))
    answer = followed(story, link_of(story, "new_sign_in"), answer="no")
    assert "Your account is locked" in answer.text
    assert [story.refresh(each["refresh_token"]).status_code for each in (first, second)] == [400, 400]
    assert story.login("bob").status_code == 401
    (verdict,) = told(story, "scorer-feedback")
    assert verdict["verdict"] == "confirmed_compromised"
    (frozen,) = [body for body in told(story, "webhook") if body["type"] == "account.frozen"]
    assert frozen["data"]["user_id"] == "id-bob"
    (letter,) = letters(story, "account_frozen")
    assert letter.letter.to == "bob@example.com"
    kinds = [kind for kind, _ in story.audited()]
    assert kinds.count("session.revoked") == 2
    assert ("user.frozen", "reported") in story.audited()


def test_an_operators_freeze_stays_the_operators(story: Story) -> None:
    """A no about a frozen account is kept and changes no reason."""
    story.login("bob")
    path = link_of(story, "new_sign_in")
    story.gateway.accounts.freeze("bob")
    assert followed(story, path, answer="no").status_code == 200
    account = story.gateway.database.read(lambda tx: story.gateway.users.by_id(tx, "id-bob"))
    assert account is not None
    assert (account.is_frozen, account.frozen_reason) == (True, "")
    assert ("sign_in.reported", None) in story.audited()


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 4000, "%00", "..", "a b"])
def test_an_invented_link_says_nothing(story: Story, token: str) -> None:
    """The same page as an old one, whichever method; nothing of it is repeated."""
    story.login("bob")
    path = link_of(story, "new_sign_in")
    followed(story, path, answer="yes")
    over = [story.ask("GET", path), followed(story, path, answer="no")]
    invented = [story.ask("GET", f"/link/{token}"), story.ask("POST", f"/link/{token}", data={"answer": "no"})]
    if token != "..":  # no such address
        assert {page.status_code for page in (*over, *invented)} == {410}
        assert over[0].text == invented[0].text
        assert over[1].text == invented[1].text
    assert story.login("bob").status_code == 200


def test_a_link_has_a_week(story: Story) -> None:
    """To its last second."""
    story.login("bob")
    path = link_of(story, "new_sign_in")
    story.clock.advance(7 * 86_400 - 1)
    assert story.ask("GET", path).status_code == 200
    story.clock.advance(1)
    assert [story.ask("GET", path).status_code, followed(story, path, answer="no").status_code] == [410, 410]


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"content-type": "application/json"}, b'{"answer":"no"}', 415),
        ({"content-type": "application/x-www-form-urlencoded"}, b"answer=no&" + b"x" * 40_000, 413),
    ],
)
def test_what_is_no_form_does_nothing(story: Story, headers: dict[str, str], content: bytes, status: int) -> None:
    """Refused on a page, and the account is as it was."""
    story.login("bob")
    path = link_of(story, "new_sign_in")
    assert story.ask("POST", path, headers=headers, content=content).status_code == status
    assert story.login("bob").status_code == 200


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_page_speaks_the_readers_language(story: Story, language: str) -> None:
    """As the browser wishes."""
    story.login("bob")
    page = story.ask("GET", link_of(story, "new_sign_in"), headers={"accept-language": language})
    assert f'lang="{language}"' in page.text
    assert ("Waren Sie das?" in page.text) == (language == "de")


def together(story: Story, path: str, answers: list[str]) -> list[httpx2.Response]:
    """The link's form so many times at once."""

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            return await asyncio.gather(*[client.post(path, data={"answer": answer}) for answer in answers])

    return story.runner.run(send())


@pytest.mark.parametrize("clients", [2, 5, 20])
def test_of_answers_that_arrive_together_one_counts(either: Story, clients: int) -> None:
    """One yes or one no, never both, and never one of them twice."""
    either.login("bob")
    path = link_of(either, "new_sign_in")
    answers = together(either, path, ["yes" if number % 2 else "no" for number in range(clients)])
    assert sorted(answer.status_code for answer in answers) == [200] + [410] * (clients - 1)
    assert len(told(either, "scorer-feedback")) == 1
    said = [kind for kind, _ in either.audited() if kind in {"sign_in.reported", "sign_in.confirmed"}]
    assert len(said) == 1
    assert either.login("bob").status_code == (401 if said == ["sign_in.reported"] else 200)


def test_without_mail_nothing_is_asked(story_with: Callable[..., Story]) -> None:
    """A production gateway without a mail server makes no link that nobody gets."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    with_address(story, "id-bob", "bob@example.com")
    story.scorer.new = ("device",)
    assert story.login("bob", PASSWORD).status_code == 200
    assert letters(story) == []


def test_no_link_stands_in_the_database(story: Story) -> None:
    """Neither in its own table nor in the outbox."""
    story.login("bob")
    token = link_of(story, "new_sign_in").rpartition("/")[2].encode()
    held = b"".join(file.read_bytes() for file in story.gateway.settings.auth_gateway_state.glob("gateway.db*"))
    assert b"was_this_you" in held
    assert token not in held
