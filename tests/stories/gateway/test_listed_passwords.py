"""A right password that is on a list of common or breached ones: noticed at login, told once, and never for a guess."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bcrypt
import msgspec

from auth_gateway.adapters.blocklist import CommonPasswords
from auth_gateway.core.account import Account
from auth_gateway.core.imported import ImportedUser, Record
from auth_gateway.core.letter import LETTER_PURPOSE, Letter, Posted
from auth_gateway.opening import demo_users
from demo.people import ALICE_PASSWORD, BOB_PASSWORD
from tests.stories.gateway.story import PASSWORD, Story, running_story

COMMON = "Password1"
WEBHOOK = {"webhook_url": "https://hooks.example/in", "webhook_secret": "whsec_" + "a" * 43 + "="}


def account_of(story: Story, username: str) -> Account:
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, username))
    assert account is not None
    return account


def letters(story: Story) -> list[Letter]:
    with story.gateway.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM outbox WHERE endpoint = 'mail' ORDER BY rowid").all()
    opened = [story.gateway.vault.open(body, LETTER_PURPOSE) for (body,) in rows]
    return [msgspec.json.decode(each, type=Posted).letter for each in opened]


def breaches(story: Story) -> list[str | None]:
    return [rule for kind, rule in story.audited() if kind == "password.breached"]


def test_a_listed_password_lets_in_and_says_that_it_must_be_changed(story: Story) -> None:
    """Letters of any case are the same entry of the list; another password says nothing."""
    story.gateway.accounts.add("carol", COMMON)
    assert story.login("carol", COMMON).json()["password_change_required"] is True
    assert "password_change_required" not in story.login("bob").json()


def test_it_is_told_once_however_often_it_is_used(story_with: Callable[..., Story]) -> None:
    """One line, one letter, one message: a login a minute later is no news."""
    story = story_with(risk_api_credential="rgs_test", **WEBHOOK)
    story.gateway.accounts.add("carol", COMMON, email="carol@example.com")
    for _ in range(3):
        assert story.login("carol", COMMON).json()["password_change_required"] is True
    assert breaches(story) == ["listed"]
    assert [(each.kind, each.to) for each in letters(story)] == [("password_breached", "carol@example.com")]
    with story.gateway.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT event_type, body FROM outbox WHERE endpoint = 'webhook'").all()
    assert [kind for kind, _ in rows] == ["password.breached"]
    told = msgspec.json.decode(rows[0][1])
    assert (told["type"], told["data"]["username"], told["data"]["rule"]) == ("password.breached", "carol", "listed")
    assert COMMON not in str(told)


def test_another_password_is_news_again(story: Story) -> None:
    """What was noted belongs to that password; the next one is asked about on its own."""
    story.gateway.accounts.add("carol", COMMON)
    story.login("carol", COMMON)
    story.gateway.accounts.set_password("carol", PASSWORD)
    assert not account_of(story, "carol").is_password_listed
    assert "password_change_required" not in story.login("carol", PASSWORD).json()
    story.gateway.accounts.set_password("carol", "iloveyou")
    assert story.login("carol", "iloveyou").json()["password_change_required"] is True
    assert breaches(story) == ["listed", "listed"]


def test_a_wrong_guess_is_not_looked_up(story: Story, monkeypatch: Any) -> None:
    """Neither for an account, nor for a name that nobody has, nor for the right password of a frozen account."""
    looked: list[str] = []
    monkeypatch.setattr(CommonPasswords, "holds", lambda _self, password: bool(looked.append(password)))
    for name, password in (("bob", "password1"), ("nobody", "password1"), ("frozen", PASSWORD)):
        assert story.login(name, password).status_code == 401
    assert looked == []
    assert story.login("bob").status_code == 200
    assert looked == [PASSWORD]


def test_a_step_up_comes_first_and_its_answer_says_it(story: Story) -> None:
    """The challenge says nothing of it: whoever lacks the factor learns no more than that the password was right."""
    story.gateway.accounts.set_password("alice", COMMON)
    story.scorer.score = 65.0
    asked = story.login("alice", COMMON).json()
    assert (asked["mfa_required"], "password_change_required" in asked) == (True, False)
    assert story.complete(asked["challenge_id"]).json()["password_change_required"] is True
    assert breaches(story) == ["listed"]


def test_a_refused_login_has_shown_it_all_the_same(story: Story) -> None:
    """A stranger who knows the password is the best reason to tell its owner."""
    story.gateway.accounts.add("carol", COMMON, email="carol@example.com")
    story.scorer.score = 95.0
    answer = story.login("carol", COMMON)
    assert answer.status_code == 403
    assert "password_change_required" not in answer.json()
    assert [each.kind for each in letters(story)] == ["password_breached"]


def test_a_list_that_grew_finds_passwords_that_were_good_before(tmp_path: Path) -> None:
    """PASSWORD_BLOCKLIST is asked at each login, and one that no longer holds a password takes its word back."""
    blocklist, state = tmp_path / "breached.txt", tmp_path / "state"

    def answer(*passwords: str) -> Any:
        digests = sorted(hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest() for each in passwords)
        blocklist.write_text("".join(f"{each}:7\n" for each in digests))
        with running_story(state, password_blocklist=blocklist, risk_api_credential="rgs_test") as story:
            return story.login("bob").json(), account_of(story, "bob").is_password_listed

    for listed, expected in (((), False), ((PASSWORD,), True), ((PASSWORD,), True), ((), False)):
        body, is_marked = answer("another password", *listed)
        assert ("password_change_required" in body, is_marked) == (expected, expected)


def test_an_imported_weak_hash_is_replaced_and_its_password_noticed(story: Story) -> None:
    """Both in the transaction of the first login; the better hash is of the same password."""
    weak = bcrypt.hashpw(b"letmein", bcrypt.gensalt(4)).decode()
    user = ImportedUser(username="dora", password_hash=weak, email="dora@example.com", email_verified=True)
    story.gateway.imports([Record(place="1", user=user)])
    assert story.login("dora", "letmein").json()["password_change_required"] is True
    account = account_of(story, "dora")
    kept = story.gateway.users.passwords.open(account.user_id, account.password_hash)
    assert (kept[:9], account.is_password_listed) == ("$argon2id", True)
    assert story.login("dora", "letmein").json()["password_change_required"] is True
    assert breaches(story) == ["listed"]


def test_the_demo_walk_shows_no_listed_password() -> None:
    """Its two published passwords are on no list that comes with us, so its logins answer what the README says."""
    assert {user.username for user in demo_users()} >= {"alice", "bob"}
    assert not any(CommonPasswords().holds(each) for each in (ALICE_PASSWORD, BOB_PASSWORD))
