"""However a session ends, the same things happen, and within five seconds: its tokens are dead wherever they are shown,
the browser must sign in again, its applications are told by a token that they can verify, and one line says why.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from auth_gateway.core.provider.client import REFRESH_TOKEN
from auth_gateway.flows.said import Said
from auth_gateway.user_risks import session_end
from tests.stories.gateway.logout_receiver import RelyingParty, relying_party, until
from tests.stories.gateway.relying_party import GRANTS, ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import Story, running_story

AWAY = "203.0.113.77"
BOBS_PASSWORD = "S3cret!xyz"  # of the demo
COMMAND = "from auth_gateway.cli import main; main()"


@dataclass
class Scene:
    """Alice is signed in at one browser, in one session, at two applications that listen on sockets."""

    story: Story
    browser: Browser
    parties: dict[str, RelyingParty]
    secrets: dict[str, str]
    tokens: dict[str, dict[str, str]]
    sid: str

    def refresh(self, client_id: str, **options: str) -> str:
        """The next refresh token, or the error."""
        token = self.tokens[client_id]["refresh_token"]
        answer = self.story.refresh(token, auth=(client_id, self.secrets[client_id]), **options).json()
        return str(answer.get("refresh_token") or answer["error"])

    def is_active(self, token: str) -> bool:
        asked = self.story.ask("POST", "/introspect", data={"token": token}, auth=("api", self.secrets["api"]))
        return bool(asked.json()["active"])

    def userinfo(self, client_id: str) -> int:
        headers = {"authorization": f"Bearer {self.tokens[client_id]['access_token']}"}
        return self.story.ask("GET", "/userinfo", headers=headers).status_code


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """In the demo profile, since applications of these tests listen on this machine."""
    state = tmp_path / "state"
    given = {"jwt_issuer": ISSUER, "risk_api_credential": "rgs_test", "auth_gateway_profile": "demo"}
    with ExitStack() as stack:
        story = stack.enter_context(running_story(state, **given))
        names = {"app": "ES256", "other": "RS256"}
        parties = {
            name: stack.enter_context(relying_party(story, ISSUER, name, algorithm=algorithm))
            for name, algorithm in names.items()
        }
        secrets = {
            name: registered(
                story,
                name,
                backchannel_logout_uri=parties[name].url,
                id_token_signed_response_alg=algorithm,
                application_type="native",
            )
            for name, algorithm in names.items()
        }
        secrets["api"] = registered(story, "api", may_introspect=True)
        browser = Browser(story)
        code = browser.sign_in()["code"]
        tokens = {"app": redeem(story, code, secret=secrets["app"]).json()}
        code = returned(browser.authorize("other"))["code"]
        tokens["other"] = redeem(story, code, client_id="other", secret=secrets["other"]).json()
        sid = str(story.claims(tokens["app"]["access_token"])["sid"])
        yield Scene(story, browser, parties, secrets, tokens, sid)


def by_logout(scene: Scene) -> str:
    hint = scene.tokens["app"]["id_token"]
    assert "signed out" in scene.browser.ask("GET", f"{ISSUER}/logout", params={"id_token_hint": hint}).text
    return "logout"


def by_refresh_token(scene: Scene) -> str:
    data = {"token": scene.tokens["other"]["refresh_token"]}
    scene.story.ask("POST", "/revoke", data=data, auth=("other", scene.secrets["other"]))
    return "revocation_endpoint"


def by_access_token(scene: Scene) -> str:
    data = {"token": scene.tokens["other"]["access_token"]}
    scene.story.ask("POST", "/revoke", data=data, auth=("other", scene.secrets["other"]))
    return "revocation_endpoint"


def by_command(scene: Scene) -> str:
    """The operator's own command, in another process that can wake nobody here."""
    settings = scene.story.gateway.settings
    environment = {
        **os.environ,
        "AUTH_GATEWAY_STATE": str(settings.auth_gateway_state),
        "AUTH_GATEWAY_PROFILE": "demo",
        "JWT_ISSUER": ISSUER,
    }
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "sessions", "revoke", scene.sid],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "ended\n"
    return "operator"


def by_operator_for_a_person(scene: Scene) -> str:
    assert scene.story.gateway.revoke.all_of("alice", reason="operator") == 1
    return "operator"


def by_a_reviewer(scene: Scene) -> str:
    word = Said(by="mara", why="not her browser", client_id="soc")
    assert session_end(scene.story.gateway)("alice", scene.sid, word)
    return "ended_by_review"


def by_freezing(scene: Scene) -> str:
    assert scene.story.gateway.accounts.freeze("alice")
    return "account_frozen"


def by_another_password(scene: Scene) -> str:
    assert scene.story.gateway.accounts.set_password("alice", "Another-word-9") == 1
    return "password_set"


def by_reuse(scene: Scene) -> str:
    scene.refresh("app")
    scene.story.clock.advance(11)
    assert scene.refresh("app") == "invalid_grant"
    return "refresh_token_reused"


def by_high_risk_of_a_refresh(scene: Scene) -> str:
    scene.story.scorer.score = 95.0
    assert scene.refresh("app", peer=AWAY) == "invalid_grant"
    return "high_risk"


def by_high_risk_of_a_return(scene: Scene) -> str:
    scene.story.scorer.score = 95.0
    scene.browser.peer = AWAY
    assert scene.browser.authorize().status_code == 403
    scene.story.scorer.score = 10.0
    return "high_risk"


def by_repeated_risk(scene: Scene) -> str:
    scene.story.scorer.score = 70.0
    for _ in range(10):
        assert scene.refresh("app", peer=AWAY) == "invalid_grant"
        scene.story.clock.advance(61)
    scene.story.scorer.score = 10.0
    return "repeated_risk"


def by_removal_of_the_first_application(scene: Scene) -> str:
    assert scene.story.gateway.registrations.remove("app") == 1
    return "client_removed"


def by_another_person(scene: Scene) -> str:
    scene.story.clock.advance(1)
    scene.browser.authorize(prompt="login")
    assert "code" in returned(scene.browser.password("bob", BOBS_PASSWORD))
    return "another_person"


DOORS = [
    by_logout,
    by_refresh_token,
    by_access_token,
    by_command,
    by_operator_for_a_person,
    by_a_reviewer,
    by_freezing,
    by_another_password,
    by_reuse,
    by_high_risk_of_a_refresh,
    by_high_risk_of_a_return,
    by_repeated_risk,
    by_removal_of_the_first_application,
    by_another_person,
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_a_session_ends_alike_through_every_door(scene: Scene, door: Callable[[Scene], str]) -> None:
    """Each effect, at each application, for each token."""
    story = scene.story
    assert all(scene.is_active(tokens["access_token"]) for tokens in scene.tokens.values())
    reason = door(scene)
    for client_id, party in scene.parties.items():
        party.wait(story)
        (claims,) = party.ended
        assert (claims["sid"], claims["aud"], claims["iss"]) == (scene.sid, client_id, ISSUER)
        assert claims["sub"] == story.claims(scene.tokens[client_id]["access_token"])["sub"]
        assert claims["iat"] == int(story.clock.now())
        assert scene.userinfo(client_id) == 401
        assert not scene.is_active(scene.tokens[client_id]["access_token"])
        assert not scene.is_active(scene.tokens[client_id]["refresh_token"])
    assert scene.refresh("other") == "invalid_grant"
    assert story.audited().count(("session.revoked", reason)) == 1
    session = story.gateway.database.read(lambda tx: story.gateway.sessions.find(tx, scene.sid))
    assert session is not None
    assert session.revoked_reason == reason
    if door is not by_another_person:
        assert returned(scene.browser.authorize("other", prompt="none"))["error"] == "login_required"


def test_a_code_used_twice_ends_one_application_s_part(scene: Scene) -> None:
    """Its tokens die; the session, the browser and the other application go on, and nobody is signed out."""
    story = scene.story
    code = returned(scene.browser.authorize("other"))["code"]
    fresh = redeem(story, code, client_id="other", secret=scene.secrets["other"]).json()
    assert redeem(story, code, client_id="other", secret=scene.secrets["other"]).status_code == 400
    assert not scene.is_active(fresh["access_token"])
    assert not scene.is_active(fresh["refresh_token"])
    assert scene.is_active(scene.tokens["app"]["access_token"])
    assert scene.refresh("app") != "invalid_grant"
    assert [party.attempts for party in scene.parties.values()] == [0, 0]


def test_an_application_whose_code_was_used_twice_hears_of_the_end_too(scene: Scene) -> None:
    """Its tokens are dead, but the person may be signed in there by the first of them still."""
    story, secret = scene.story, scene.secrets["other"]
    code = returned(scene.browser.authorize("other"))["code"]
    assert [redeem(story, code, client_id="other", secret=secret).status_code for _ in range(2)] == [200, 400]
    by_logout(scene)
    for party in scene.parties.values():
        party.wait(story)
        assert [claims["sid"] for claims in party.ended] == [scene.sid]


def test_a_receiver_that_was_away_gets_a_token_of_its_own_time(scene: Scene) -> None:
    """Five minutes later the first token would be dead; the one that is sent then is not, and has another id."""
    story, party = scene.story, scene.parties["app"]
    party.refuse_first = 1
    by_logout(scene)
    scene.parties["other"].wait(story)
    until(story, lambda: "status_503" in dict(_fates(story)))
    story.clock.advance(300)
    party.wait(story)
    (claims,) = party.ended
    assert claims["iat"] == int(story.clock.now())
    assert party.attempts == 2
    assert claims["jti"] != scene.parties["other"].ended[0]["jti"]


def test_an_application_is_told_once_for_each_session(scene: Scene) -> None:
    """Two sessions of one person, ended by one command: two notices, one audit line each."""
    story = scene.story
    elsewhere = Browser(story)
    redeem(story, elsewhere.sign_in()["code"], secret=scene.secrets["app"])
    assert story.gateway.revoke.all_of("alice", reason="operator") == 2
    scene.parties["app"].wait(story, notices=2)
    scene.parties["other"].wait(story)
    assert len({claims["sid"] for claims in scene.parties["app"].ended}) == 2
    assert len({claims["jti"] for claims in scene.parties["app"].ended}) == 2


def test_a_client_of_the_json_login_is_told_as_well(scene: Scene) -> None:
    """It has no ID token; the session id of its login is the one it hears of."""
    story = scene.story
    party = scene.parties["app"]
    secret = registered(
        story,
        "backend",
        may_log_in=True,
        grant_types=(REFRESH_TOKEN,),
        redirect_uris=(),
        backchannel_logout_uri=party.url,
    )
    party.client_id = "backend"
    session_id = story.login("bob", BOBS_PASSWORD, auth=("backend", secret)).json()["session_id"]
    assert story.gateway.revoke.session(session_id, reason="operator")
    party.wait(story)
    assert party.ended[0]["sid"] == session_id


def test_outside_the_demo_nothing_is_sent_inside(tmp_path: Path) -> None:
    """An address in our own network is never connected to; the notice is given up and says why."""
    with (
        running_story(tmp_path / "state", jwt_issuer=ISSUER, risk_api_credential="rgs_test") as story,
        relying_party(story, ISSUER, "app") as party,
    ):
        secret = registered(story, "app", backchannel_logout_uri=party.url, grant_types=GRANTS)
        redeem(story, Browser(story).sign_in()["code"], secret=secret)
        assert story.gateway.revoke.all_of("alice", reason="operator") == 1
        until(story, lambda: _fates(story) == [("target_not_https", None)])
        assert party.attempts == 0


def _fates(story: Story) -> list[tuple[str | None, float | None]]:
    with story.gateway.database.engine.connect() as connection:
        sql = "SELECT last_error, delivered_at FROM outbox WHERE event_type = 'session.logout'"
        return [(row[0], row[1]) for row in connection.exec_driver_sql(sql)]
