"""What happened lately, in people's words, and their word about it."""

import re
from collections.abc import Callable

import pytest

from auth_gateway.adapters.catalogues import shipped_texts
from auth_gateway.core.account_activity import SHOWN, SHOWN_SECONDS
from auth_gateway.flows.account.overview import REPORTABLE_SECONDS
from tests.stories.gateway.account_pages import AccountBrowser, letters, lines
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import Story

REPORT = re.compile(r'href="/account(/report/[^"]+)"')

SOFT_HYPHEN = "\u00ad"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def reports(browser: AccountBrowser) -> list[str]:
    """The pages that this page leads to for sign-ins that were not one's own, the newest first."""
    return REPORT.findall(browser.open().text)


def test_every_line_that_is_shown_has_words_in_both_languages() -> None:
    """A kind that gains a line gains its words."""
    texts = shipped_texts()
    for kind in SHOWN:
        key = f"account.event_{kind.replace('.', '_')}"
        names = [f"{key}_totp", f"{key}_passkey"] if kind in {"factor.enrolled", "factor.removed"} else [key]
        assert all(texts.has(name) for name in names), kind


def test_what_happened_is_told_the_newest_first(story: Story) -> None:
    """A refused sign-in, a wrong code, a sign-in with a second proof: no score, no rule, no id of ours in words."""
    story.scorer.score = 95
    story.login("alice")
    story.clock.advance(3600)
    story.scorer.score = 65
    browser = AccountBrowser(story)
    browser.enter("alice")
    browser.code("000000")
    browser.code()
    page = browser.open().text
    told = [page.index(text) for text in ("second proof", "wrong code", "sign-in was refused")]
    assert told == sorted(told)
    assert "1 hour ago" in page
    assert "65" not in page.split("<main")[1].split("Recent activity")[1].split("Connected")[0]


def test_a_months_old_line_is_shown_no_more(story: Story) -> None:
    """After ninety days; after thirty nobody is asked about it."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    story.clock.advance(REPORTABLE_SECONDS + 1)
    browser.enter("bob")
    assert browser.open().text.count("<strong>Signed in</strong>") == 2
    assert len(reports(browser)) == 1
    story.clock.advance(SHOWN_SECONDS - REPORTABLE_SECONDS)
    browser.enter("bob")
    assert browser.open().text.count("<strong>Signed in</strong>") == 2


def test_this_was_not_me_ends_everything_and_locks_the_account(story: Story) -> None:
    """Looking changes nothing; the button puts everybody out, this browser too, and nobody gets in."""
    thief, owner = AccountBrowser(story, peer="192.0.2.200"), AccountBrowser(story)
    thief.enter("bob")
    owner.enter("bob")
    page = reports(owner)[1]
    looked = owner.open(page)
    assert "locked until you set a new password" in looked.text
    assert lines(owner, "sign_in.reported") == []
    said = owner.send(page, answer="no")
    assert "Your account is locked" in said.text
    assert not [name for name in owner.cookies if "session" in name]
    assert "/sign-in/" in (thief.open(), thief.where)[1]
    assert story.login("bob").status_code == 401
    assert [line[0] for line in lines(owner, "sign_in.reported", "user.frozen")][-2:] == [
        "sign_in.reported",
        "user.frozen",
    ]


def test_it_was_me_is_said_once(story: Story) -> None:
    """The scorer learns of it, the account stays open, and the same sign-in is not asked about again."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    (page,) = reports(browser)
    browser.open(page)
    assert "Thank you" in browser.send(page, answer="yes").text
    assert reports(browser) == []
    assert browser.send(page, answer="no").status_code == 404
    assert story.login("bob").status_code == 200
    assert len(lines(browser, "sign_in.confirmed")) == 1


def test_only_ones_own_sign_ins_can_be_answered_for(story: Story) -> None:
    """Somebody else's, an invented one and a line that is no sign-in are nothing; nor is an answer that is none."""
    alice, bob = AccountBrowser(story), AccountBrowser(story)
    alice.strong("/password")
    hers = reports(alice)[0]
    bob.enter("bob")
    (his,) = reports(bob)
    for page in (hers, "/report/evt_invented", "/report/é"):
        assert bob.open(page).status_code == 404
        bob.open()
        assert bob.send(page, answer="no").status_code == 404
    bob.open()
    assert bob.send(his, answer="perhaps").status_code == 404
    assert lines(bob, "sign_in.reported", "sign_in.confirmed") == []
    assert "You are signed in" in alice.open().text


def test_a_report_needs_our_own_form(story: Story) -> None:
    """Another site locks nobody out."""
    browser = AccountBrowser(story)
    browser.enter("bob")
    (page,) = reports(browser)
    browser.open()
    assert browser.send(page, csrf="A" * 43, answer="no").status_code == 403
    browser.open()
    assert browser.send(page, {"origin": "https://evil.example"}, answer="no").status_code == 403
    assert lines(browser, "sign_in.reported") == []
    assert letters(story) == []


def test_the_account_speaks_german(story: Story) -> None:
    """Every page, to a browser that prefers it."""
    browser = AccountBrowser(story)
    german = {"accept-language": "de-CH,de;q=0.9,en;q=0.1"}
    browser.strong("/password")
    for page, text in (
        ("", "Wo Sie angemeldet sind"),
        ("/authenticator", "Erster Code"),
        ("/recovery-codes", "Wiederherstellungscodes"),
        ("/passkeys", "Passkey hinzufügen"),
        ("/password", "Aktuelles Passwort"),
    ):
        shown = browser.ask("GET", f"{ISSUER}/account{page}", headers=german)
        assert '<html lang="de">' in shown.text
        assert text in shown.text.replace(SOFT_HYPHEN, ""), page
