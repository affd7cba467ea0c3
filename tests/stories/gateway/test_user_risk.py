"""What is held against a person, from what raises it to what policy makes of it, and how it ends."""

from collections.abc import Callable
from typing import Any

import pytest

from auth_gateway.core.detections import WRONG_FACTORS
from auth_gateway.core.user_risk import HALF_LIFE_SECONDS
from auth_gateway.user_risks import risk_desk, risks_now
from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from tests.stories.gateway.applications import ISSUER, Application, refused, register
from tests.stories.gateway.letters import followed, link_of, with_address
from tests.stories.gateway.story import PASSWORD, Story

SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@gateway.example"}
ELSEWHERE = "203.0.113.7"


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A provider that teaches a scorer and sends letters."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **SMTP)


def risk(story: Story, name: str = "alice") -> float:
    return risks_now(story.gateway).value_of(f"id-{name}", story.clock.now())


def soc(story: Story, *scopes: str) -> Application:
    """A program of the security team's."""
    return register(story, "soc", scopes=scopes, audience=ISSUER, grant_types=("client_credentials",), redirect_uris=())


def asked(story: Story, method: str, path: str, program: Application, **options: Any) -> Any:
    token = program.act().json()["access_token"]
    return story.ask(method, path, headers={"authorization": f"Bearer {token}"}, **options)


def say(story: Story, verdict: str, name: str = "alice") -> None:
    desk = risk_desk(story.gateway)
    desk.verdict(desk.named(name), verdict, by="mara", why="looked at it")


def high_risk_login(story: Story, name: str = "alice") -> None:
    """Somebody knows the password, and is refused for where they are."""
    story.scorer.score = 95.0
    assert story.login(name, peer=ELSEWHERE).status_code == 403
    story.scorer.score = 10.0


def test_denied_logins_make_the_next_one_show_a_factor(story: Story) -> None:
    """However well it looks; the factor takes half of it back, and then it is a login like every other."""
    high_risk_login(story)
    assert risk(story) == 50.0
    assert story.login().status_code == 200
    high_risk_login(story)
    assert risk(story) == 75.0
    challenge = story.login().json()
    assert challenge["mfa_required"]
    assert story.audited()[-1] == ("login.challenged", "user_medium")
    assert story.complete(challenge["challenge_id"]).status_code == 200
    assert risk(story) == 37.5
    assert "tokens" in story.login().json()


def test_wrong_passwords_raise_nothing_however_risky_they_look(story: Story) -> None:
    """A stranger who does not know the password cannot touch the owner: they are let in quietly, as ever."""
    story.scorer.score = 95.0
    for _ in range(8):
        story.clock.advance(120)
        assert story.login(password="wrong", peer=ELSEWHERE).status_code == 401
    story.scorer.score = 10.0
    story.clock.advance(3600)
    assert risk(story) == 0.0
    assert "tokens" in story.login().json()


def test_who_knows_the_password_costs_the_owner_a_factor_and_never_the_account(story: Story) -> None:
    """However often they are refused from afar: below high, where a code answers, and with it the owner is in."""
    for _ in range(6):
        high_risk_login(story)
        story.clock.advance(60)
        assert risk(story) < HIGH_FROM
    owner = story.login()
    assert (owner.status_code, owner.json()["mfa_required"]) == (200, True)
    assert "totp" in owner.json()["methods"]
    assert "tokens" in story.complete(owner.json()["challenge_id"]).json()
    assert risk(story) < MEDIUM_FROM
    assert "tokens" in story.login().json()


def test_it_fades(story: Story) -> None:
    """A quiet week makes it nothing to ask about."""
    for _ in range(2):
        high_risk_login(story)
    story.clock.advance(HALF_LIFE_SECONDS)
    assert risk(story) == 37.5
    assert "tokens" in story.login().json()


def test_without_a_factor_medium_is_refused(story: Story) -> None:
    """As a medium login is."""
    for _ in range(2):
        high_risk_login(story, "bob")
    assert story.login("bob").status_code == 403
    assert story.audited()[-1] == ("login.denied", "no_factor")
    assert risk(story, "bob") == 75.0


def test_the_switch_for_medium_is_the_same(story_with: Callable[..., Story]) -> None:
    """An operator who asks nobody at medium asks nobody here."""
    story = story_with(risk_api_credential="rgs_test", login_policy_medium_requires_mfa=False)
    for _ in range(2):
        high_risk_login(story, "bob")
    assert story.login("bob").status_code == 200


def test_a_stranger_shuts_nobody_out(story: Story) -> None:
    """Thirty guesses from ten networks raise nothing; the owner is let in as ever."""
    for number in range(30):
        story.clock.advance(60)
        story.login("bob", "wrong", peer=f"203.0.{number % 10}.7")
    assert risk(story, "bob") == 0.0
    story.clock.advance(3600)
    assert story.login("bob").status_code == 200


def test_wrong_codes_raise_it_from_the_third_on(story: Story) -> None:
    """Somebody has the password and guesses."""
    story.scorer.score = 65.0
    challenge = story.login().json()["challenge_id"]
    for number in range(WRONG_FACTORS):
        assert risk(story) == 0.0
        assert story.complete(challenge, f"00000{number}").status_code == 401
    assert risk(story) == 25.0


def high(story: Story, name: str = "alice") -> None:
    """Two sessions of that person are stolen."""
    tokens = [story.login(name).json()["tokens"]["refresh_token"] for _ in range(2)]
    for token in tokens:
        assert story.refresh(token).status_code == 200
    story.clock.advance(11)
    for token in tokens:
        assert story.refresh(token).status_code == 400
    assert risk(story, name) > 90


def test_stolen_tokens_take_a_person_to_high_and_a_code_is_not_enough(story: Story) -> None:
    """The owner gets back in by a new password, and that makes it nothing."""
    high(story)
    assert story.login().status_code == 403
    assert story.audited()[-1] == ("login.denied", "password_reset_needed")
    assert risk(story) < 92  # refusing the person raised it no further
    story.gateway.accounts.set_password("alice", "another-long-password-7")
    assert risk(story) == 0.0
    assert story.login("alice", "another-long-password-7").status_code == 200


def test_at_high_a_passkey_is_asked_for_where_there_is_one(story: Story) -> None:
    """And nothing else is."""
    story.add_passkey("alice")
    high(story)
    challenge = story.login().json()
    assert challenge["methods"] == ["passkey"]
    assert story.audited()[-1] == ("login.challenged", "user_high")
    assert story.complete(challenge["challenge_id"]).status_code == 401


def test_sessions_that_run_need_a_new_login_at_high(story: Story) -> None:
    """From the same place too; what asks is not spent, and goes on once the risk is gone."""
    running = story.login().json()["tokens"]["refresh_token"]
    high(story)
    answer = story.refresh(running)
    assert (answer.status_code, answer.json()["reason"]) == (400, "step_up_required")
    say(story, "dismissed")
    assert story.refresh(running).status_code == 200


def test_the_owners_word_is_held_until_a_new_password(story: Story) -> None:
    """No time and no factor takes it back; the recovery does."""
    with_address(story, "id-bob", "bob@example.com")
    story.scorer.new = ("device",)
    story.login("bob")
    followed(story, link_of(story, "new_sign_in"), answer="no")
    story.clock.advance(5 * HALF_LIFE_SECONDS)
    assert risk(story, "bob") == 95.0
    story.gateway.accounts.set_password("bob", "another-long-password-7")
    assert risk(story, "bob") == 0.0


def taught(story: Story) -> list[tuple[str, str]]:
    told = [message["body"] for message in story.announced() if message["endpoint"] == "scorer-feedback"]
    return [(body["verdict"], body["event_id"]) for body in told]


@pytest.mark.parametrize(
    ("verdict", "words"), [("safe", "confirmed_safe"), ("dismissed", ""), ("compromised", "confirmed_compromised")]
)
def test_the_three_verdicts_teach_differently(story: Story, verdict: str, words: str) -> None:
    """Safe and compromised tell the scorer of what it scored, dismissed tells nobody; each is written down."""
    high_risk_login(story)
    say(story, verdict)
    scored = story.scorer.events[0]["event_id"]
    assert taught(story) == ([(words, scored)] if words else [])
    desk = risk_desk(story.gateway)
    shown = desk.show(desk.named("alice"))
    change = shown.history[0].change
    assert (change.source, change.reason, change.by, change.why) == ("analyst", verdict, "mara", "looked at it")
    assert (shown.value, shown.is_held) == ((100.0, True) if verdict == "compromised" else (0.0, False))
    kind = "risk.user_raised" if verdict == "compromised" else "risk.user_lowered"
    assert story.audited(with_risk=True)[-1] == (kind, verdict)


def test_a_verdict_teaches_only_what_is_new(story: Story) -> None:
    """What an analyst has spoken about is not spoken about again."""
    high_risk_login(story)
    say(story, "dismissed")
    high_risk_login(story)
    say(story, "safe")
    assert taught(story) == [("confirmed_safe", story.scorer.events[1]["event_id"])]


def test_a_compromised_account_is_empty_and_stays_so(story: Story) -> None:
    """Sessions end; the right password and code open nothing until the password is another one."""
    running = story.login().json()["tokens"]["refresh_token"]
    say(story, "compromised")
    assert story.refresh(running).status_code == 400
    story.clock.advance(5 * HALF_LIFE_SECONDS)
    assert story.login().status_code == 403
    assert ("session.revoked", "compromised") in story.audited()


def test_programs_read_it_with_its_history(story: Story) -> None:
    """Page by page, with the scope for it."""
    high_risk_login(story)
    high_risk_login(story)
    program = soc(story, "risk:read")
    page = asked(story, "GET", "/users/id-alice/risk?limit=1", program).json()
    assert (page["risk"], page["level"], page["is_held"]) == (75.0, "medium", False)
    (newest,) = page["history"]
    assert (newest["source"], newest["reason"]) == ("login", "high_risk_login")
    assert (newest["before"], newest["after"]) == (50.0, 75.0)
    assert newest["event_id"] == story.scorer.events[1]["event_id"]
    rest = asked(story, "GET", f"/users/id-alice/risk?before={page['next']}", program).json()
    assert [each["after"] for each in rest["history"]] == [50.0]
    assert "next" not in rest
    nothing = asked(story, "GET", "/users/id-bob/risk", program).json()
    assert nothing == {
        "user_id": "id-bob",
        "risk": 0.0,
        "level": "none",
        "is_held": False,
        "changed_at": None,
        "history": [],
    }


def test_programs_say_what_it_was(story: Story) -> None:
    """With a scope of its own; the trail says which program, and who."""
    body = {"verdict": "compromised", "by": "mara@soc.example", "why": "their password is for sale"}
    reader = soc(story, "risk:read")
    assert refused(asked(story, "POST", "/users/id-bob/risk/verdict", reader, json=body)) == (403, "insufficient_scope")
    story.gateway.registrations.remove("soc")
    program = soc(story, "risk:write")
    answer = asked(story, "POST", "/users/id-bob/risk/verdict", program, json=body).json()
    assert (answer["risk"], answer["level"], answer["is_held"]) == (100.0, "high", True)
    assert answer["history"][0]["by"] == "mara@soc.example"
    line = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 1))[0]
    assert (line.kind, line.client_id) == ("risk.user_raised", "soc")


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("/users/nobody/risk/verdict", {"verdict": "safe", "by": "m", "why": "w"}, (404, "unknown_user")),
        ("/users/id-bob/risk/verdict", {"verdict": "guilty", "by": "m", "why": "w"}, (422, "invalid_verdict")),
        ("/users/id-bob/risk/verdict", {"verdict": "safe", "by": " ", "why": "w"}, (422, "invalid_verdict")),
        ("/users/id-bob/risk/verdict", {"verdict": "safe", "by": "m", "why": "a\nb"}, (422, "invalid_verdict")),
        ("/users/id-bob/risk/verdict", {"verdict": "safe", "by": "m", "why": "w" * 501}, (422, "invalid_request")),
        ("/users/id-bob/risk/verdict", {"verdict": "safe"}, (422, "invalid_request")),
        (f"/users/{'x' * 300}/risk/verdict", {"verdict": "safe", "by": "m", "why": "w"}, (404, "unknown_user")),
        ("/users/%00/risk/verdict", {"verdict": "safe", "by": "m", "why": "w"}, (422, "invalid_request")),
    ],
)
def test_a_bad_verdict_is_refused(story: Story, path: str, body: dict[str, str], answer: tuple[int, str]) -> None:
    """And changes nothing."""
    assert refused(asked(story, "POST", path, soc(story, "risk:write"), json=body)) == answer
    assert risk(story, "bob") == 0.0


@pytest.mark.parametrize(
    "query", ["before=x", "before=0", "before=-1", f"before={10**30}", "limit=0", "limit=%00", "limit=1&limit=2"]
)
def test_a_bad_page_is_refused(story: Story, query: str) -> None:
    """422, and the field."""
    answer = asked(story, "GET", f"/users/id-alice/risk?{query}", soc(story, "risk:read"))
    assert refused(answer) == (422, "invalid_request")


def test_nobody_reads_it_without_a_token(story: Story) -> None:
    """Not a person's own either."""
    assert refused(story.ask("GET", "/users/id-alice/risk")) == (401, "unauthorized")
    assert refused(story.ask("POST", "/users/id-alice/risk/verdict", json={})) == (401, "unauthorized")
    assert story.login("alice", PASSWORD).status_code == 200
