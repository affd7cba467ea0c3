"""A thief with a copy of somebody's session cookie: what the way through an application and a code by mail must not
open."""

from collections.abc import Callable

import pytest

from auth_gateway.wiring.help_desk import remove_factors
from plumbing.refusals import Refused
from tests.stories.gateway.account_pages import AccountBrowser
from tests.stories.gateway.letters import letters, with_address
from tests.stories.gateway.relying_party import ISSUER, registered, returned
from tests.stories.gateway.story import Story

MAIL = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@id.example"}
ELSEWHERE = "192.0.2.200"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider that sends letters, an application, and Bob, who has a mailbox and no factor."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **MAIL)
    registered(story, token_endpoint_auth_method="none")
    with_address(story, "id-bob", "bob@example.com")
    return story


@pytest.mark.parametrize("page", ["/authenticator", "/passkeys"])
def test_a_code_by_mail_makes_a_stolen_session_no_quiet_one(story: Story, page: str) -> None:
    """The session began at a low risk, the thief's part of it at a medium one: what is quiet by now, because the code
    taught the place, opens no door to a first factor."""
    owner = AccountBrowser(story)
    owner.enter("bob")
    thief = AccountBrowser(story, peer=ELSEWHERE, agent="Another", cookies=dict(owner.cookies))
    story.scorer.score = 65
    story.clock.advance(60)
    thief.authorize()
    thief.post(choose="email_code")
    assert "code" in returned(thief.code(letters(story, "email_code")[-1].letter.values["code"]))
    story.scorer.score = 10
    story.clock.advance(60)
    assert thief.open(page).status_code == 403
    assert "Not from here and now" in thief.page.text if thief.page else False


def test_the_owner_who_was_never_asked_enrols_as_ever(story: Story) -> None:
    """The other side: the same way at a low risk."""
    owner = AccountBrowser(story)
    owner.enter("bob")
    assert "code" in returned(owner.authorize())
    assert owner.open("/passkeys").status_code == 200


def test_an_operator_takes_away_what_a_thief_has_put_on(story: Story) -> None:
    """A passkey that signs in alone survives every new password; without factors the owner's mailbox opens again."""
    story.add_passkey("bob")
    thief = AccountBrowser(story)
    thief.enter("bob")
    assert story.gateway.has_factor("bob")
    assert remove_factors(story.gateway)("bob") == (1, 1)
    assert not story.gateway.has_factor("bob")
    assert "username" in thief.open().text
    assert ("factor.removed", "operator") in story.audited()
    assert remove_factors(story.gateway)("bob") == (0, 0)
    with pytest.raises(Refused, match="unknown_user"):
        remove_factors(story.gateway)("nobody")
