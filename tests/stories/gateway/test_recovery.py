"""Whoever has forgotten the password gets a link by mail and sets a new one, with a second factor where there is one,
judged like every other way in. No page tells whether an account exists, and a link counts once.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.core import recovery_code
from tests.stories.gateway.letters import followed, letters, link_of, with_address
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import HOME, NOW, PASSWORD, Story, running_story

SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@gateway.example"}
NEW = "correct horse battery staple"
RECOVERY_CODE = "0123-4567-89ab-cdef"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TICKET = re.compile(r'name="ticket" value="([^"]+)"')


def given(**more: Any) -> dict[str, Any]:
    return {"jwt_issuer": ISSUER, "risk_api_credential": "rgs_test", **SMTP, **more}


def people(story: Story) -> Story:
    """Alice has an authenticator and a recovery code, Bob has none; both and `frozen` have verified addresses."""
    for name in ("alice", "bob", "frozen"):
        with_address(story, f"id-{name}", f"{name}@example.com")
    key = story.gateway.vault.derive(recovery_code.KEY_PURPOSE)
    code = recovery_code.code_digest(key, "id-alice", RECOVERY_CODE)
    assert code is not None
    story.gateway.database.write_sync(lambda tx: StoredRecoveryCodes().replace(tx, "id-alice", [code], NOW))
    return story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider; letters wait, for nothing listens."""
    return people(story_with(**given()))


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """The same on each database."""
    more = {"auth_gateway_database": request.getfixturevalue("postgresql_url")} if request.param == "postgresql" else {}
    with running_story(tmp_path / "state", **given(**more)) as running:
        yield people(running)


def asked(story: Story, named: str, *, peer: str = HOME, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """The form at /recover, opened and posted by one browser."""
    form = story.ask("GET", "/recover", peer=peer)
    cookie = form.headers["set-cookie"].partition(";")[0]
    csrf = _CSRF.search(form.text)
    assert csrf is not None
    fields = {"csrf": csrf[1], "card": "recover", "named": named}
    return story.ask("POST", "/recover", data=fields, headers={"cookie": cookie, **(headers or {})}, peer=peer)


def link_for(story: Story, named: str) -> str:
    story.clock.advance(1)  # letters are told apart by their time
    assert asked(story, named).status_code == 200
    return link_of(story, "recover")


def ticket_of(page: httpx2.Response) -> str:
    found = _TICKET.search(page.text)
    assert found is not None, page.text
    return found[1]


def confirmed(story: Story, path: str) -> str:
    """The ticket for Alice's right code."""
    return ticket_of(followed(story, path, card="factor", method="totp", code=story.code()))


def set_password(story: Story, path: str, password: str = NEW, ticket: str = "") -> httpx2.Response:
    return followed(story, path, card="password", password=password, ticket=ticket)


@pytest.mark.parametrize("named", ["bob", "BOB", "bob@example.com", " bob@example.com ", "Bob@Example.com"])
def test_a_letter_comes_by_name_and_by_address(story: Story, named: str) -> None:
    """One letter, to the verified address, in the account's name."""
    assert "Look at your mail" in asked(story, named).text
    (posted,) = letters(story)
    assert (posted.letter.to, posted.letter.kind) == ("bob@example.com", "recover")
    assert posted.letter.values["username"] == "bob"


@pytest.mark.parametrize(
    ("given_as", "named", "to"),
    [
        ("Eve.Moore@Example.com", "Eve.Moore@Example.com", "Eve.Moore@example.com"),
        ("Eve.Moore@Example.com", "eve.moore@example.com", "Eve.Moore@example.com"),
        ("eve@exämple.de", "Eve@EXÄMPLE.de", "eve@xn--exmple-cua.de"),
    ],
)
def test_an_operators_spelling_of_an_address_finds_its_owner(story: Story, given_as: str, named: str, to: str) -> None:
    """Whatever capitals or letters the operator gave it in."""
    story.gateway.accounts.add("eve", PASSWORD, email=given_as)
    asked(story, named)
    assert [posted.letter.to for posted in letters(story, "recover")] == [to]


def test_a_new_password_by_letter(story: Story) -> None:
    """It counts, the old one does not, everybody is out, and the owner is told."""
    tokens = story.login("bob").json()["tokens"]
    path = link_for(story, "bob")
    assert "Set a new password" in story.ask("GET", path).text
    assert "Your password is set" in set_password(story, path).text
    assert story.refresh(tokens["refresh_token"]).status_code == 400
    assert [story.login("bob").status_code, story.login("bob", NEW).status_code] == [401, 200]
    assert len(letters(story, "password_changed")) == 1
    assert "account.recovered" in [kind for kind, _ in story.audited()]


def test_looking_changes_nothing(story: Story) -> None:
    """A program that reads mail opens the link, and it still counts."""
    path = link_for(story, "bob")
    assert [story.ask("GET", path).status_code for _ in range(3)] == [200, 200, 200]
    assert set_password(story, path).status_code == 200


def test_a_link_counts_once(story: Story) -> None:
    """And whatever other links there were count no more either."""
    first, second = link_for(story, "bob"), link_for(story, "bob")
    assert first != second
    assert set_password(story, second).status_code == 200
    again = [set_password(story, path, "another long password").status_code for path in (second, first)]
    assert again == [410, 410]
    assert story.login("bob", NEW).status_code == 200


def test_a_link_has_half_an_hour(story: Story) -> None:
    """To its last second."""
    path = link_for(story, "bob")
    story.clock.advance(1_799)
    assert story.ask("GET", path).status_code == 200
    story.clock.advance(1)
    assert [story.ask("GET", path).status_code, set_password(story, path).status_code] == [410, 410]
    assert story.login("bob").status_code == 200


def test_who_has_a_factor_shows_it_first(story: Story) -> None:
    """The mailbox alone is not enough: neither without a ticket, nor with one that was made up or is another link's."""
    path = link_for(story, "alice")
    page = story.ask("GET", path).text
    assert "Confirm it is you" in page
    assert "Recovery code" in page
    other = link_for(story, "alice")
    foreign = confirmed(story, other)
    for ticket in ("", "x", "A" * 54, foreign, foreign[:-2] + "AA"):
        assert set_password(story, path, ticket=ticket).status_code == 401, ticket
    assert story.login("alice").status_code == 200
    assert set_password(story, other, ticket=foreign).status_code == 200
    assert story.login("alice", NEW).status_code == 200


def test_a_ticket_has_its_time(story: Story) -> None:
    """A quarter of an hour; then the factor is asked for again."""
    path = link_for(story, "alice")
    ticket = confirmed(story, path)
    story.clock.advance(900)
    assert set_password(story, path, ticket=ticket).status_code == 401
    story.clock.advance(30)
    assert set_password(story, path, ticket=confirmed(story, path)).status_code == 200


@pytest.mark.parametrize(
    ("method", "code"), [("recovery_code", RECOVERY_CODE), ("recovery_code", "0123 4567 89AB CDEF")]
)
def test_a_recovery_code_is_a_factor(story: Story, method: str, code: str) -> None:
    """Once: it is spent when it was right, whatever becomes of the password."""
    path = link_for(story, "alice")
    ticket = ticket_of(followed(story, path, card="factor", method=method, code=code))
    assert followed(story, path, card="factor", method=method, code=code).status_code == 401
    assert set_password(story, path, ticket=ticket).status_code == 200


@pytest.mark.parametrize(
    ("method", "code"), [("totp", "000000"), ("totp", ""), ("recovery_code", "zzzz"), ("email_code", "1")]
)
def test_a_wrong_factor_opens_nothing(story: Story, method: str, code: str) -> None:
    """And the link still counts."""
    path = link_for(story, "alice")
    page = followed(story, path, card="factor", method=method, code=code)
    assert page.status_code in {200, 401}
    assert not _TICKET.search(page.text)
    assert set_password(story, path, ticket=confirmed(story, path)).status_code == 200


def test_a_code_that_was_shown_counts_nowhere_else(story: Story) -> None:
    """Not for the same link again, and not at a login."""
    path = link_for(story, "alice")
    code = story.code()
    assert _TICKET.search(followed(story, path, card="factor", method="totp", code=code).text)
    assert followed(story, path, card="factor", method="totp", code=code).status_code == 401
    story.scorer.score = 65.0
    challenge = story.login("alice").json()["challenge_id"]
    assert story.complete(challenge, code).status_code == 401


def test_guesses_at_a_factor_have_to_wait(story: Story) -> None:
    """Five are free, in the same count as at a login."""
    path = link_for(story, "alice")
    tried = [followed(story, path, card="factor", method="totp", code="000000").status_code for _ in range(7)]
    assert tried == [401] * 5 + [429] * 2


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "at least 15"),
        ("x" * 257, "at most 256"),
        ("", "no password can hold"),
        ("bob@example.com", "little more than a name"),
    ],
)
def test_a_password_keeps_to_the_rules(story: Story, password: str, says: str) -> None:
    """The page says which, repeats nothing, and the link still counts."""
    path = link_for(story, "bob")
    page = set_password(story, path, password)
    assert (page.status_code, says in page.text) == (422, True)
    assert not password or f'value="{password}"' not in page.text
    assert set_password(story, path).status_code == 200


def test_high_risk_sets_no_password(story: Story) -> None:
    """Denied and written down with an incident; the owner follows the same link from home."""
    path = link_for(story, "bob")
    story.scorer.score = 85.0
    page = set_password(story, path)
    assert page.status_code == 403
    (incident,) = re.findall(r"inc_[A-Za-z0-9_-]{22}", page.text)
    assert ("login.denied", "recovery_high") in story.audited()
    assert story.gateway.database.read(lambda tx: story.gateway.audit.of_incident(tx, incident))
    assert [event.get("kind") for event in story.scorer.events] == ["step_up"]
    story.scorer.score = 10.0
    assert set_password(story, path).status_code == 200


@pytest.mark.parametrize(("status", "score"), [(500, 10.0), (200, 79.0)])
def test_a_new_password_lets_nobody_in_by_itself(story: Story, status: int, score: float) -> None:
    """It can be set without a score and at medium risk; the login that follows is judged, and refused."""
    path = link_for(story, "bob")
    story.scorer.status, story.scorer.score = status, score
    assert set_password(story, path).status_code == 200
    assert story.login("bob", NEW).status_code == 403


def test_recovery_opens_what_the_owner_had_locked(story: Story) -> None:
    """The whole way: a new device, "not me", locked, a letter, a new password, in again."""
    story.scorer.new = ("device",)
    story.login("bob")
    followed(story, link_of(story, "new_sign_in"), answer="no")
    assert story.login("bob").status_code == 401
    assert set_password(story, link_for(story, "bob")).status_code == 200
    assert story.login("bob", NEW).status_code == 200
    assert ("user.unfrozen", "reported") in story.audited()


def test_recovery_does_not_lift_an_operators_freeze(story: Story) -> None:
    """No letter, and a link from before opens nothing."""
    path = link_for(story, "bob")
    before = len(letters(story))
    story.gateway.accounts.freeze("bob")
    assert [story.ask("GET", path).status_code, set_password(story, path).status_code] == [410, 410]
    asked(story, "bob")
    assert len(letters(story)) == before
    assert story.login("bob", NEW).status_code == 401


def shown(answer: httpx2.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Everything a stranger gets to see."""
    return answer.status_code, answer.content, sorted(answer.headers.items())


NAMES = [
    "bob",
    "bob@example.com",
    "frozen",
    "nobody",
    "nobody@example.com",
    "unverified",
    "x" * 254,
    "<script>",
    "a\r\nBcc: b@example.com",
    "\u202e",
]


def test_no_byte_tells_whether_an_account_exists(story: Story) -> None:
    """The same page and headers, whoever is named."""
    story.gateway.accounts.add("unverified", PASSWORD)
    first, *others = [(named, shown(asked(story, named))) for named in NAMES]
    assert first[1][0] == 200
    assert [named for named, each in others if each != first[1]] == []
    assert len(letters(story)) == 2


def test_no_mailbox_is_filled(story: Story) -> None:
    """Three letters at once, and the fourth asker sees the same page; a while later there is one more."""
    pages = [shown(asked(story, "bob", peer=f"203.0.113.{number}")) for number in range(6)]
    assert all(page == pages[0] for page in pages)
    assert len(letters(story)) == 3
    story.clock.advance(1_801)
    asked(story, "bob")
    assert len(letters(story)) == 4


def test_a_network_asks_so_often(story: Story) -> None:
    """Twenty names, then it waits, whether they exist or not; another network does not."""
    statuses = [asked(story, f"nobody{number}").status_code for number in range(21)]
    assert statuses == [200] * 20 + [429]
    assert asked(story, "bob").status_code == 429
    assert asked(story, "bob", peer="203.0.113.9").status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"cookie": ""},
        {"cookie": "__Host-sign-in=" + "A" * 43},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_another_sites_form_sends_no_letter(story: Story, forged: dict[str, str]) -> None:
    """Somebody else's page makes nobody ask."""
    assert asked(story, "bob", headers=forged).status_code == 400
    assert letters(story) == []


@pytest.mark.parametrize("named", ["", " ", "x" * 255])
def test_nobody_is_called_that(story: Story, named: str) -> None:
    """The form says so and is there again."""
    page = asked(story, named)
    assert (page.status_code, 'name="named"' in page.text) == (422, True)


def test_without_mail_people_are_sent_to_the_operator(story_with: Callable[..., Story]) -> None:
    """A production gateway without a mail server takes no names."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    assert "Ask for help" in story.ask("GET", "/recover").text
    assert story.ask("POST", "/recover", data={"named": "bob"}).status_code == 405


def test_a_letter_is_in_the_readers_language(story: Story) -> None:
    """That of the page they asked on, where the account has none of its own."""
    asked(story, "bob", headers={"accept-language": "de"})
    story.clock.advance(1)
    with_address(story, "id-alice", "alice@example.com", language="en")
    asked(story, "alice", headers={"accept-language": "de"})
    assert [posted.letter.language for posted in letters(story)] == ["de", "en"]


def together(story: Story, path: str, forms: list[dict[str, str]]) -> list[httpx2.Response]:
    """The link's forms, all at once."""

    async def send() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            return await asyncio.gather(*[client.post(path, data=form) for form in forms])

    return story.runner.run(send())


@pytest.mark.parametrize("clients", [2, 5, 20])
def test_of_passwords_that_arrive_together_one_counts(either: Story, clients: int) -> None:
    """Exactly one of them is the new one."""
    path = link_for(either, "bob")
    passwords = [f"correct horse battery {number}" for number in range(clients)]
    answers = together(either, path, [{"card": "password", "password": each} for each in passwords])
    assert sorted(answer.status_code for answer in answers if answer.status_code != 503) == [200] + [410] * (
        len([answer for answer in answers if answer.status_code != 503]) - 1
    )
    account = either.gateway.database.read(lambda tx: either.gateway.users.by_id(tx, "id-bob"))
    assert account is not None
    assert account.password_version == 2
    assert len(letters(either, "password_changed")) == 1


@pytest.mark.parametrize("clients", [2, 5, 20])
def test_of_codes_that_arrive_together_one_has_a_ticket(either: Story, clients: int) -> None:
    """A code counts once here as everywhere."""
    path = link_for(either, "alice")
    form = {"card": "factor", "method": "recovery_code", "code": RECOVERY_CODE}
    answers = together(either, path, [form] * clients)
    assert len([answer for answer in answers if _TICKET.search(answer.text)]) == 1
    assert {answer.status_code for answer in answers} <= {200, 401, 429}
