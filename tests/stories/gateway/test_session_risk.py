"""A session whose risk the scorer signals: what happens to it, to its copies, and to its owner."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from auth_gateway.core.provider.client import DEVICE_CODE
from tests.stories.gateway.logout_receiver import RelyingParty, relying_party
from tests.stories.gateway.relying_party import GRANTS, ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.risky import PROVIDER, signal, user_risk
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story], request: pytest.FixtureRequest) -> Story:
    """A gateway that is a provider and takes the scorer's word; only a demo tells applications on this machine."""
    profile = "demo" if "party" in request.fixturenames else "production"
    return story_with(auth_gateway_profile=profile, **PROVIDER)


@pytest.fixture
def party(story: Story) -> Iterator[RelyingParty]:
    """An application that hears of logouts; `app` is its id."""
    with relying_party(story, ISSUER, "app") as running:
        yield running


class Owner:
    """Alice at her browser, signed in at an application that keeps her tokens."""

    def __init__(self, story: Story, *, username: str = "alice", **registration: object) -> None:
        self.story = story
        self.secret = registered(story, grant_types=(*GRANTS, DEVICE_CODE), **registration)
        self.browser = Browser(story)
        answer = redeem(story, self.browser.sign_in(username)["code"], secret=self.secret)
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        told = self.standing()
        self.session_id, self.user_id = str(told["sid"]), str(told["sub"])

    @property
    def auth(self) -> tuple[str, str]:
        return "app", self.secret

    def standing(self, token: str | None = None) -> dict[str, object]:
        shown = self.tokens["access_token"] if token is None else token
        told: dict[str, object] = self.story.ask(
            "POST", f"{ISSUER}/introspect", data={"token": shown}, auth=self.auth
        ).json()
        return told

    def risk(self, score: float, **more: Any) -> None:
        """The scorer signals the session."""
        assert signal(self.story, self.session_id, score, user_id=self.user_id, **more).status_code == 202

    def refresh(self, token: str | None = None) -> httpx2.Response:
        return self.story.refresh(token or self.tokens["refresh_token"], auth=self.auth)

    def userinfo(self) -> int:
        headers = {"authorization": f"Bearer {self.tokens['access_token']}"}
        return self.story.ask("GET", f"{ISSUER}/userinfo", headers=headers).status_code


def is_dead(owner: Owner) -> bool:
    """Whether what was issued counts nowhere."""
    refreshed = owner.refresh()
    return (
        refreshed.status_code == 400
        and refreshed.json()["error"] == "invalid_grant"
        and owner.standing() == {"active": False}
        and owner.standing(owner.tokens["refresh_token"]) == {"active": False}
        and owner.userinfo() == 401
    )


def test_at_the_first_mark_the_owner_is_asked_once_and_the_session_goes_on(story: Story) -> None:
    """A factor at the browser, new tokens of the same session; every copy of what was issued before stays dead."""
    owner = Owner(story)
    thief = Browser(story, cookies=dict(owner.browser.cookies), peer="203.0.113.77", agent="curl")
    story.clock.advance(30)
    owner.risk(64)
    assert is_dead(owner)
    assert owner.refresh().json()["reason"] == "interaction_required"
    assert returned(owner.browser.authorize(prompt="none"))["error"] == "interaction_required"
    assert 'name="code"' in thief.authorize().text  # the copied cookie leads to the same question
    story.clock.advance(5)
    assert 'name="code"' in owner.browser.authorize().text
    again = redeem(story, returned(owner.browser.code())["code"], secret=owner.secret).json()
    told = owner.standing(again["access_token"])
    assert (told["active"], told["sid"], told["acr"]) == (True, owner.session_id, "aal2")
    assert owner.refresh(again["refresh_token"]).status_code == 200
    assert "code" in returned(owner.browser.authorize())  # asked once
    story.clock.advance(60)
    assert is_dead(owner)
    assert "current-password" in thief.authorize().text  # and the copied cookie leads nowhere any more
    assert ("session.step_up_required", "step_up") in story.audited()
    assert [notice["state"] for notice in story.notices()] == ["started", "stepped_up"]
    assert len({notice["expires_at"] for notice in story.notices()}) == 1  # the answer makes no session longer


def test_what_was_seen_before_the_owner_answered_asks_no_second_time(story: Story) -> None:
    """A signal that comes late is about what the factor has answered; one of later asks again."""
    owner = Owner(story)
    owner.risk(64)
    seen_at = story.clock.now()
    story.clock.advance(10)
    owner.browser.authorize()
    returned(owner.browser.code())
    owner.risk(66, observed_at=seen_at + 5)
    assert "code" in returned(owner.browser.authorize())
    story.clock.advance(10)
    owner.risk(67)
    assert 'name="code"' in owner.browser.authorize().text


@pytest.mark.parametrize("door", ["code", "device"])
def test_a_half_opened_door_of_before_stays_shut_when_the_session_goes_on(story: Story, door: str) -> None:
    """A code that was not redeemed and a device that was not fetched are as dead as the tokens."""
    owner = Owner(story)
    code = returned(owner.browser.authorize())["code"]
    device = story.ask("POST", f"{ISSUER}/device_authorization", data={"scope": "openid"}, auth=owner.auth).json()
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE device_grants SET state = 'approved', session_id = '{owner.session_id}'"  # noqa: S608 -- ours
        )
    story.clock.advance(6)
    owner.risk(70)
    owner.browser.authorize()
    returned(owner.browser.code())
    if door == "code":
        assert redeem(story, code, secret=owner.secret).json()["error"] == "invalid_grant"
        return
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device["device_code"]}
    assert story.ask("POST", f"{ISSUER}/token", data=form, auth=owner.auth).json()["error"] == "access_denied"


def test_who_has_no_factor_signs_in_anew(story: Story) -> None:
    """The password begins another session; the one that rests stays as it is."""
    owner = Owner(story, username="bob")
    owner.risk(70)
    assert "current-password" in owner.browser.authorize().text
    again = redeem(story, returned(owner.browser.password("bob"))["code"], secret=owner.secret).json()
    assert owner.standing(again["access_token"])["sid"] != owner.session_id
    assert is_dead(owner)


@pytest.mark.parametrize(("score", "reason"), [(80, "session_risk"), (90, "session_risk_everywhere")])
def test_from_the_second_mark_on_the_session_is_over_and_its_applications_hear_of_it(
    story: Story, party: RelyingParty, score: float, reason: str
) -> None:
    """Tokens, code and cookie are dead at once, by no door does it come back, and the application is told."""
    owner = Owner(story, backchannel_logout_uri=party.url)
    code = returned(owner.browser.authorize())["code"]
    elsewhere = redeem(story, Browser(story).sign_in()["code"], secret=owner.secret).json()
    owner.risk(score)
    assert is_dead(owner)
    assert owner.standing(elsewhere["access_token"])["active"] is (score < 90)
    assert redeem(story, code, secret=owner.secret).json()["error"] == "invalid_grant"
    assert "current-password" in owner.browser.authorize().text
    party.wait(story, notices=1 if score < 90 else 2)
    assert owner.session_id in {claims["sid"] for claims in party.ended}
    assert ("session.revoked", reason) in story.audited()
    ended = [notice for notice in story.notices() if notice["state"] == "ended"]
    assert {notice["reason"] for notice in ended} == {reason}


def test_at_the_last_mark_nobody_gets_in_until_somebody_has_looked(story: Story) -> None:
    """Everything ends, the right password is refused like a wrong one, and a review with a reason opens it again."""
    owner = Owner(story)
    owner.risk(98)
    assert is_dead(owner)
    assert 60 <= user_risk(story) <= 79  # held against the person, and no more than a factor answers
    assert story.login().status_code == 401
    assert ("user.frozen", "shield") in story.audited()
    with pytest.raises(Exception, match="somebody has looked"):
        story.gateway.accounts.unfreeze("alice")
    assert story.login().status_code == 401


def test_members_of_a_campaign_are_doubted_and_lose_nothing_below_the_marks(story: Story) -> None:
    """A signal that names a person and no session raises their risk with the reason, and ends no session."""
    owner = Owner(story)
    answer = signal(story, "", 85, source="campaign", campaign_id="cmp_1", signal_id="sig_campaign_1", reasons=[])
    assert answer.status_code == 202
    assert owner.standing()["active"] is True
    assert user_risk(story) > 50
    lines = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 10))
    raised = next(line for line in lines if line.kind == "risk.user_raised")
    assert (raised.rule, "cmp_1" in (raised.detail or "")) == ("campaign_member", True)


def test_a_session_of_json_rests_until_its_person_logs_in_again(story: Story) -> None:
    """There is no browser to ask at: the refresh says so, and the login begins another session."""
    story.scorer.score = 10.0
    allowed = story.login("bob").json()
    signal(story, allowed["session_id"], 61, user_id="id-bob")
    refused = story.refresh(allowed["tokens"]["refresh_token"])
    assert (refused.status_code, refused.json()["reason"]) == (400, "interaction_required")
    assert story.login("bob").json()["session_id"] != allowed["session_id"]
    assert all("roles" not in notice for notice in story.notices())  # no word for people here: applications have theirs
