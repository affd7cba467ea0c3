"""Enrolling and removing what the account is proven with, and who must not."""

from base64 import urlsafe_b64encode
from collections.abc import Callable

import httpx2
import pyotp
import pytest

from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.core.provider.account_access import FRESH_SECONDS
from auth_gateway.core.recovery_code import KEY_PURPOSE, code_digest
from auth_gateway.flows.account.authenticator import OFFER_SECONDS
from tests.soft_authenticator import SoftAuthenticator
from tests.stories.gateway.account_pages import ACCOUNT, CODE_CARD, AccountBrowser, letters, lines
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import Story

SENSITIVE = ("/authenticator", "/recovery-codes", "/passkeys", "/password")
ELSEWHERE = "192.0.2.200"
ALONE = "a heron reads the tide table"
"""A password that needs no factor beside it."""


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def kinds(story: Story, username: str) -> tuple[str, ...]:
    return story.gateway.database.read(lambda tx: story.gateway.users.factor_kinds(tx, f"id-{username}"))


def has_mail(story: Story, username: str) -> None:
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE users SET email = ?, email_verified = 1 WHERE username = ?", (f"{username}@example.org", username)
        )


def enrolled(browser: AccountBrowser) -> httpx2.Response:
    """Bob's first authenticator."""
    browser.enter("bob", "/authenticator")
    return browser.send("/authenticator", offer=browser.offer(), code=browser.new_code())


def test_an_authenticator_is_enrolled_with_its_first_code(story: Story) -> None:
    """A picture that holds the key, the key as text, a wrong code, the right one; and from then on it is asked for."""
    has_mail(story, "bob")
    browser = AccountBrowser(story)
    page = browser.enter("bob", "/authenticator")
    assert 'src="data:image/svg+xml' in page.text
    assert "<svg xmlns" not in page.text.split("<main")[1]
    secret, offer = browser.secret(), browser.offer()
    wrong = browser.send("/authenticator", offer=offer, code="000000")
    assert wrong.status_code == 400
    assert (browser.secret(), browser.offer()) == (secret, offer)
    assert kinds(story, "bob") == ("email_code",)
    done = browser.send("/authenticator", offer=offer, code=browser.new_code())
    assert "is set up" in done.text
    assert "few or no recovery codes" in done.text
    assert "totp" in kinds(story, "bob")
    assert lines(browser, "factor.enrolled")[-1] == ("factor.enrolled", None, "totp")
    assert letters(story) == ["mail.factor_added"]
    assert secret not in "".join(str(row) for row in story.announced() if row["endpoint"] != "mail")


def test_the_first_code_counts_once(story: Story) -> None:
    """Who looks over the shoulder has nothing: the code that enrolled answers no challenge."""
    browser = AccountBrowser(story)
    browser.enter("bob", "/authenticator")
    secret = browser.secret()
    code = browser.new_code()
    browser.send("/authenticator", offer=browser.offer(), code=code)
    story.scorer.score = 65
    other = AccountBrowser(story)
    other.enter("bob")
    assert other.code(code).status_code == 401
    story.clock.advance(30)
    assert other.code(pyotp.TOTP(secret).at(int(story.clock.now()))).status_code == 200


def test_two_tabs_enrol_one_authenticator(story: Story) -> None:
    """The second tab is told, and gets a key that replaces the first one's if its owner goes on."""
    first = AccountBrowser(story)
    first.enter("bob", "/authenticator")
    second = AccountBrowser(story, cookies=first.cookies)
    second.open("/authenticator")
    assert first.send("/authenticator", offer=first.offer(), code=first.new_code()).status_code == 200
    before = story.gateway.database.read(lambda tx: story.gateway.factors.find(tx, "id-bob"))
    refused = second.send("/authenticator", offer=second.offer(), code=second.new_code())
    # Bob has a factor now, so the second tab must show it first.
    assert CODE_CARD in refused.text
    assert story.gateway.database.read(lambda tx: story.gateway.factors.find(tx, "id-bob")) == before


def test_two_tabs_replace_an_authenticator_once(story: Story) -> None:
    """Of two keys that were to take the place of one, the first does."""
    first = AccountBrowser(story)
    first.strong("/authenticator")
    second = AccountBrowser(story, cookies=first.cookies)
    second.open("/authenticator")
    assert "counts no more" in second.page.text if second.page else False
    assert "is set up" in first.send("/authenticator", offer=first.offer(), code=first.new_code()).text
    refused = second.send("/authenticator", offer=second.offer(), code=second.new_code())
    assert refused.status_code == 409
    assert "another tab" in refused.text
    assert len(lines(first, "factor.enrolled")) == 2


def test_an_offer_is_one_persons_at_one_browser_for_a_while_and_once(story: Story) -> None:
    """Another person's, an old one, a cut one and one that was used are all outdated."""
    bob = AccountBrowser(story)
    bob.enter("bob", "/authenticator")
    offer, secret = bob.offer(), bob.secret()
    alice = AccountBrowser(story)
    alice.strong("/authenticator")
    for text in (offer, offer[:-8], "A" * 64, "é", "", "A" * 2000):
        alice.open("/authenticator")
        assert alice.send("/authenticator", offer=text, code=code_of(story, secret)).status_code == 409
    story.clock.advance(OFFER_SECONDS)
    bob.open("/authenticator")
    bob.password("bob")
    bob.open("/authenticator")
    assert bob.send("/authenticator", offer=offer, code=code_of(story, secret)).status_code == 409
    assert kinds(story, "bob") == ()


def test_an_offer_that_was_used_brings_no_removed_authenticator_back(story: Story) -> None:
    """Enrolled, removed, sent again: the key is gone for good."""
    story.gateway.accounts.set_password("bob", ALONE)
    browser = AccountBrowser(story)
    browser.open("/authenticator")
    browser.password("bob", ALONE)
    offer, secret = browser.offer(), browser.secret()
    browser.send("/authenticator", offer=offer, code=code_of(story, secret))
    story.clock.advance(30)
    browser.open("/authenticator")
    browser.post(code=code_of(story, secret))
    browser.open("/authenticator")
    assert "is removed" in browser.send("/authenticator/remove", current=ALONE).text
    story.clock.advance(30)
    browser.open("/authenticator")
    again = browser.send("/authenticator", offer=offer, code=code_of(story, secret))
    assert again.status_code == 409
    assert kinds(story, "bob") == ()


def code_of(story: Story, secret: str) -> str:
    return pyotp.TOTP(secret).at(int(story.clock.now()))


def test_whoever_has_a_factor_shows_it_before_any_change(story: Story) -> None:
    """Each page, by GET and by POST; a quarter of an hour later again."""
    browser = AccountBrowser(story)
    browser.enter("alice")
    for page in SENSITIVE:
        assert CODE_CARD in browser.open(page).text
    browser.open()
    mark = browser.csrf()
    for page in (*SENSITIVE, "/authenticator/remove", "/passkeys/remove", "/passkeys/rename"):
        assert CODE_CARD in browser.send(page, csrf=mark).text
    assert "totp" in kinds(story, "alice")
    browser.open("/recovery-codes")
    assert browser.code().status_code == 200
    assert browser.where == f"{ACCOUNT}/recovery-codes"
    story.clock.advance(FRESH_SECONDS)
    assert browser.open("/password").status_code == 200
    assert CODE_CARD not in browser.open("/password").text
    story.clock.advance(1)
    assert CODE_CARD in browser.open("/password").text


def test_an_attacker_with_the_right_password_at_medium_risk_enrols_nothing(story: Story) -> None:
    """Alice's password is stolen: without her code there is no session, and so no page that would take a passkey."""
    story.scorer.score = 65
    thief = AccountBrowser(story, peer=ELSEWHERE, agent="Another")
    thief.open("/passkeys")
    assert CODE_CARD in thief.password("alice").text
    for page in SENSITIVE:
        thief.open(page)
        assert "/sign-in/" in thief.where
        answer = thief.ask("POST", f"{ACCOUNT}{page}", data={"csrf": "A" * 43, "credential": "{}"})
        assert answer.status_code == 303
        assert "/sign-in/" in answer.headers["location"]
    assert kinds(story, "alice") == ("totp",)


def test_an_attacker_with_password_and_mailbox_enrols_nothing(story: Story) -> None:
    """A session that a code by mail let in at medium risk is no ground to add a factor that would outlast it."""
    has_mail(story, "bob")
    browser = AccountBrowser(story)
    browser.enter("bob")
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sessions SET amr = 'pwd mca', acr = 'aal1', risk_score = 65")
    for page in SENSITIVE:
        assert browser.open(page).status_code == 403
        assert "Not from here and now" in browser.page.text if browser.page else False
    assert [line[1] for line in lines(browser, "account.refused")] == ["account_not_now"] * len(SENSITIVE)
    browser.open()
    refused = browser.send("/passkeys", credential="{}", name="Mine")
    assert refused.status_code == 403
    assert kinds(story, "bob") == ("email_code",)


def test_a_stolen_cookie_at_medium_risk_enrols_nothing(story: Story) -> None:
    """The code was shown a minute ago, and elsewhere: the thief is asked for one, and where there is none refused."""
    owner = AccountBrowser(story)
    owner.strong("/passkeys")
    thief = AccountBrowser(story, peer=ELSEWHERE, agent="Another", cookies=dict(owner.cookies))
    story.scorer.score = 65
    for page in SENSITIVE:
        assert CODE_CARD in thief.open(page).text
    bob = AccountBrowser(story)
    story.scorer.score = 10
    bob.enter("bob", "/passkeys")
    story.scorer.score = 65
    story.clock.advance(120)
    assert bob.open("/passkeys").status_code == 403 or "Sign in" in bob.open("/passkeys").text
    assert (kinds(story, "alice"), kinds(story, "bob")) == (("totp",), ())


def test_the_owner_at_medium_risk_may_after_a_step_up_from_there(story: Story) -> None:
    """A traveller: the code is shown from the new place, and then the page opens, once and again."""
    story.scorer.score = 65
    traveller = AccountBrowser(story, peer=ELSEWHERE)
    traveller.enter("alice", "/recovery-codes")
    page = traveller.code()
    assert traveller.where == f"{ACCOUNT}/recovery-codes"
    assert "Make ten new codes" in page.text
    assert "Make ten new codes" in traveller.open("/recovery-codes").text


def test_near_the_deny_mark_a_code_opens_no_door_to_the_factors(story: Story) -> None:
    """From 75 on only what cannot be phished; whoever has no passkey is told to do it elsewhere."""
    browser = AccountBrowser(story)
    browser.strong("/recovery-codes")
    story.scorer.score = 76
    story.clock.advance(120)
    assert "Make ten new codes" not in browser.open("/recovery-codes").text


def test_without_a_score_nobody_gets_a_first_factor(story: Story) -> None:
    """The scorer does not answer: Bob's first authenticator waits, Alice shows her code."""
    bob, alice = AccountBrowser(story), AccountBrowser(story)
    bob.enter("bob")
    alice.strong("/password")
    story.scorer.status = 500
    story.clock.advance(120)
    assert bob.open("/authenticator").status_code == 403
    assert alice.open("/password").status_code == 200
    assert "Current password" in alice.page.text if alice.page else False


def test_the_authenticator_goes_and_what_stood_in_for_it(story: Story) -> None:
    """Recovery codes and trusted browsers go with the last factor; its owner gets a letter."""
    has_mail(story, "alice")
    story.gateway.accounts.set_password("alice", ALONE)
    browser = AccountBrowser(story)
    browser.open("/recovery-codes")
    browser.password("alice", ALONE)
    browser.code()
    codes = new_codes(browser)
    assert left(story, "alice") == len(codes) == 10
    browser.open("/authenticator")
    assert "is removed" in browser.send("/authenticator/remove", current=ALONE).text
    assert kinds(story, "alice") == ("email_code",)
    assert left(story, "alice") == 0
    assert lines(browser, "factor.removed") == [("factor.removed", None, "totp")]
    assert letters(story) == ["mail.recovery_codes_made", "mail.factor_removed"]
    browser.open("/authenticator")
    assert browser.send("/authenticator/remove").status_code == 404


@pytest.mark.parametrize(
    ("password", "typed", "said"),
    [
        ("fourteen char.", "fourteen char.", "too short to be all that protects"),
        ("fifteen chars..", "fifteen chars..", "is removed"),
        ("fifteen chars..", "fourteen char.", "current password is wrong"),
        ("fifteen chars..", "", "current password is wrong"),
    ],
)
@pytest.mark.parametrize("last", ["totp", "passkey"])
def test_what_is_left_after_the_last_factor_may_stand_alone(
    story: Story, last: str, password: str, typed: str, said: str
) -> None:
    """Beside a factor eight characters were enough; the password alone needs fifteen. It is typed: we keep a hash."""
    story.gateway.accounts.set_password("alice", password)
    browser = AccountBrowser(story)
    browser.open("/passkeys")
    browser.password("alice", password)
    browser.code()
    page, fields = "/authenticator/remove", {"current": typed}
    if last == "passkey":
        key = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
        browser.send("/passkeys", credential=key.create(browser.options()), name="Mine")
        browser.open("/authenticator")
        assert 'autocomplete="current-password"' not in browser.page.text if browser.page else False
        assert "is removed" in browser.send("/authenticator/remove").text
        page, fields = "/passkeys/remove", {"current": typed, "passkey": urlsafe_b64encode(key.credential_id).decode()}
    browser.open(page.removesuffix("/remove"))
    assert 'autocomplete="current-password"' in browser.page.text if browser.page else False
    answer = browser.send(page, **fields)
    assert (said in answer.text, answer.status_code) == (True, 200 if said == "is removed" else 400)
    assert (kinds(story, "alice") == ()) is (said == "is removed")


def test_guesses_at_the_password_before_the_last_factor_goes_have_to_wait(story: Story) -> None:
    """As at the page where it is changed; and the owner's login is not kept waiting."""
    browser = AccountBrowser(story)
    browser.strong("/authenticator")
    answers = [browser.send("/authenticator/remove", csrf=browser.csrf(), current="wrong") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [400] * 5
    browser.open("/authenticator")
    assert browser.send("/authenticator/remove", current="wrong").status_code == 429
    assert story.login("alice").status_code == 200


def left(story: Story, username: str) -> int:
    return story.gateway.database.read(lambda tx: StoredRecoveryCodes().left(tx, f"id-{username}"))


def new_codes(browser: AccountBrowser) -> list[str]:
    """What the page shows after its button."""
    assert browser.page is not None
    once = browser.page.text.split('name="once" value="')[1].split('"')[0]
    page = browser.send("/recovery-codes", once=once)
    return [part.split("<")[0] for part in page.text.split("<li><code>")[1:]]


def test_recovery_codes_are_shown_once_and_the_ones_before_count_no_more(story: Story) -> None:
    """The same form again shows nothing and makes none; a new one replaces them all."""
    browser = AccountBrowser(story)
    page = browser.strong("/recovery-codes")
    once = page.text.split('name="once" value="')[1].split('"')[0]
    mark = browser.csrf()
    first = new_codes(browser)
    assert len(set(first)) == 10
    again = browser.send("/recovery-codes", csrf=mark, once=once)
    assert not any(code in again.text for code in first)
    assert "10 codes left" in again.text
    assert not any(code in browser.open("/recovery-codes").text for code in first)
    second = new_codes(browser)
    assert set(first).isdisjoint(second)
    assert [is_good(story, code) for code in (first[0], second[0], second[0])] == [False, True, False]
    assert "9 codes left" in browser.open().text
    assert len(lines(browser, "recovery_codes.made")) == 2


def test_whoever_lost_the_phone_comes_in_with_a_code_and_sets_up_another(story: Story) -> None:
    """A recovery code is a factor that was shown; the new phone takes the old one's place, and nine codes are left."""
    before = AccountBrowser(story)
    before.strong("/recovery-codes")
    code = new_codes(before)[0]
    browser = AccountBrowser(story)
    browser.enter("alice", "/authenticator")
    page = browser.post(method="recovery_code", code=code.upper())
    assert "counts no more" in page.text
    assert "is set up" in browser.send("/authenticator", offer=browser.offer(), code=browser.new_code()).text
    assert left(story, "alice") == 9
    story.clock.advance(30)
    again = AccountBrowser(story)
    again.enter("alice", "/password")
    assert again.code().status_code == 401
    assert again.post(method="recovery_code", code=code).status_code == 401


def is_good(story: Story, code: str) -> bool:
    digest = code_digest(story.gateway.vault.derive(KEY_PURPOSE), "id-alice", code)
    assert digest is not None
    return story.gateway.database.write_sync(lambda tx: StoredRecoveryCodes().use(tx, "id-alice", digest, 1.0))


def test_no_recovery_codes_without_a_factor(story: Story) -> None:
    """They stand in for one."""
    browser = AccountBrowser(story)
    page = browser.enter("bob", "/recovery-codes")
    assert "first" in page.text
    assert "Make ten new codes" not in page.text
    browser.open()
    assert "<li><code>" not in browser.send("/recovery-codes", once="x").text
    assert left(story, "bob") == 0


def test_a_passkey_is_added_renamed_and_removed(story: Story) -> None:
    """By the browser's answer to the page's own question; its owner gets letters, the audit trail lines."""
    has_mail(story, "bob")
    browser = AccountBrowser(story)
    browser.enter("bob", "/passkeys")
    key = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
    added = browser.send("/passkeys", credential=key.create(browser.options()), name="My laptop")
    assert "The passkey is added" in added.text
    assert "1 passkey" in added.text
    (kept,) = story.gateway.database.read(lambda tx: StoredPasskeys().of_user(tx, "id-bob"))
    assert kept.credential_id == key.credential_id
    # From now on Bob has a factor, and this session has shown none.
    assert "passkey" in browser.open("/passkeys").text
    assert "/sign-in/" in browser.where
    assert letters(story) == ["mail.factor_added"]
    assert lines(browser, "factor.enrolled")[-1] == ("factor.enrolled", None, "passkey")


def test_an_answer_for_another_session_adds_no_passkey(story: Story) -> None:
    """The question belongs to the session that asked it."""
    alice, bob = AccountBrowser(story), AccountBrowser(story)
    alice.strong("/passkeys")
    bob.enter("bob", "/passkeys")
    key = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
    refused = bob.send("/passkeys", credential=key.create(alice.options()), name="x")
    assert refused.status_code == 400
    assert "could not be added" in refused.text
    assert kinds(story, "bob") == ()


def test_other_peoples_passkeys_are_nobodys(story: Story) -> None:
    """Renaming and removing by id: 404, as for an invented one, and the passkey stays."""
    bob = AccountBrowser(story)
    bob.enter("bob", "/passkeys")
    key = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
    bob.send("/passkeys", credential=key.create(bob.options()), name="Mine")
    alice = AccountBrowser(story)
    alice.strong("/passkeys")
    theirs = "Y3JlZGVudGlhbC0w"
    for page, fields in (("/passkeys/remove", {}), ("/passkeys/rename", {"name": "Hers"})):
        for passkey in (theirs, "AAAA", "é", ""):
            alice.open("/passkeys")
            assert alice.send(page, passkey=passkey, **fields).status_code == 404
    (kept,) = story.gateway.database.read(lambda tx: StoredPasskeys().of_user(tx, "id-bob"))
    assert kept.name == "Mine"


def test_alice_renames_and_removes_her_passkey(story: Story) -> None:
    """While the step-up is fresh; the authenticator stays."""
    alice = AccountBrowser(story)
    alice.strong("/passkeys")
    key = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
    alice.send("/passkeys", credential=key.create(alice.options()), name="Old")
    assert "New &lt;b&gt;" in alice.send("/passkeys/rename", passkey="Y3JlZGVudGlhbC0w", name="New <b>").text
    assert "is removed" in alice.send("/passkeys/remove", passkey="Y3JlZGVudGlhbC0w").text
    assert kinds(story, "alice") == ("totp",)
    assert [line[0] for line in lines(alice, "passkey.renamed", "factor.removed")] == [
        "passkey.renamed",
        "factor.removed",
    ]
