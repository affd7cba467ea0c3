"""Programs ask what policy would answer to a request that never was, and nothing comes of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stories.gateway.applications import ISSUER, Application, refused, register
from tests.stories.gateway.risky import PROVIDER
from tests.stories.gateway.story import Story

RULES = """
[[rule]]
name = "no-foreign-login"
then = "deny"
when = { path = ["login"], country = ["RU"], client = ["web"] }

[[rule]]
name = "watch-new-devices"
then = "challenge"
report_only = true
when = { reasons = ["new_device"] }
"""


@pytest.fixture
def story(story_with: Callable[..., Story], tmp_path: Path) -> Story:
    """A provider with rules of its own."""
    file = tmp_path / "policy.toml"
    file.write_text(RULES)
    return story_with(**PROVIDER, login_policy_file=file)


def program(story: Story, *scopes: str) -> Application:
    return register(
        story,
        f"console-{scopes[0][:4]}",
        scopes=scopes,
        audience=ISSUER,
        grant_types=("client_credentials",),
        redirect_uris=(),
    )


def tried(story: Story, asker: Application, **supposed: Any) -> Any:
    token = asker.act().json()["access_token"]
    body = {"client_id": "web", "user_id": "id-alice", **supposed}
    return story.ask("POST", "/policy/try", headers={"authorization": f"Bearer {token}"}, json=body)


ANSWERS: list[tuple[dict[str, Any], str, str]] = [
    ({"score": 12.0}, "allow", "low"),
    ({"score": 71.0}, "challenge", "medium"),
    ({"score": 93.0}, "deny", "high"),
    ({"score": None}, "challenge", "unscored"),
    ({"score": 71.0, "user_id": "id-nobody"}, "deny", "no_factor"),
    ({"score": 12.0, "country": "RU"}, "deny", "document:no-foreign-login"),
    ({"score": 12.0, "country": "RU", "client_id": "app"}, "allow", "low"),
    ({"score": 71.0, "path": "refresh", "is_same_client": True}, "allow", "medium_same_client"),
    ({"score": 71.0, "path": "refresh"}, "challenge", "medium"),
]


def test_policy_answers_as_it_would(story: Story) -> None:
    """By the switches, the document and the factors that the person has, who may be nobody."""
    asker = program(story, "policy:read")
    for supposed, decision, rule in ANSWERS:
        answer = tried(story, asker, **supposed)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (supposed, told["decision"], told["rule"]) == (supposed, decision, rule)


def test_what_only_reports_and_whom_it_is_for_is_told(story: Story) -> None:
    """With the factors it was given for; an account that nobody has is said to be unknown."""
    told = tried(story, program(story, "policy:read"), score=3.0, reasons=["new_device"]).json()
    assert [(each["rule"], each["decision"]) for each in told["reported"]] == [("watch-new-devices", "challenge")]
    assert (told["account"], told["user_level"], told["factors"]) == ("active", "none", ["totp"])


def test_a_try_leaves_the_database_as_it_was(story: Story) -> None:
    """A hundred of them; the token that asks is one of before."""
    asker = program(story, "policy:read")
    token = asker.act().json()["access_token"]

    def ask(score: float) -> int:
        body = {"client_id": "web", "user_id": "id-alice", "score": score, "reasons": ["new_device"]}
        answer = story.ask("POST", "/policy/try", headers={"authorization": f"Bearer {token}"}, json=body)
        return int(answer.status_code)

    assert ask(1.0) == 200
    story.until_told()  # of what set the story up
    before = dump(story)
    assert {ask(float(score)) for score in range(100)} == {200}
    assert dump(story) == before


def sessions_tried(story: Story, asker: Application, **body: Any) -> Any:
    headers = {"authorization": f"Bearer {asker.act().json()['access_token']}"}
    return story.ask("POST", "/policy/try-sessions", headers=headers, json=body)


def test_the_marks_of_sessions_answer_as_they_would(story_with: Callable[..., Story], tmp_path: Path) -> None:
    """Those in force, on both sides of each; and whether they only report."""
    file = tmp_path / "marks.toml"
    file.write_text('[session_marks]\nreset = 85\nfreeze = "never"\nreport_only = true\n')
    story = story_with(**PROVIDER, login_policy_file=file)
    asker = program(story, "policy:read")
    answer = sessions_tried(story, asker, scores=[59.99, 60.0, 84.99, 85.0, 89.99, 90.0, 100.0])
    assert answer.status_code == 200, answer.text
    responses = ["none", "step_up", "step_up", "reset", "reset", "logout", "logout"]
    assert answer.json() == {"responses": responses, "report_only": True}
    for wrong in ({"scores": []}, {"scores": [101.0]}, {"scores": [1.0] * 101}, {"scores": [1.0], "colour": "red"}):
        assert sessions_tried(story, asker, **wrong).status_code == 422, wrong
    assert refused(sessions_tried(story, program(story, "risk:read"), scores=[1.0])) == (403, "insufficient_scope")


def dump(story: Story) -> list[str]:
    with story.gateway.database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        return list(driver.iterdump())


def test_it_takes_the_scope_and_a_whole_question(story: Story) -> None:
    """Another scope is refused, and so is what the endpoint does not know."""
    assert refused(tried(story, program(story, "risk:read"), score=1.0)) == (403, "insufficient_scope")
    asker = program(story, "policy:read")
    for wrong in ({"score": 101.0}, {"path": "step_up"}, {"colour": "red"}):
        assert tried(story, asker, **wrong).status_code == 422, wrong
