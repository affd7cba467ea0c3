"""A gateway is copied while people log in, and the copy is put up elsewhere: who was in at the copy stays in."""

import threading
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from auth_gateway.cli import commands
from auth_gateway.settings import Settings
from tests.stories.gateway.story import running_story


def run(name: str, place: Path) -> None:
    done = CliRunner().invoke(commands([name]), [name, str(place)])
    assert done.exit_code == 0, done.output


def test_people_log_in_and_stay_logged_in_at_a_restored_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens of before the copy work once; those of after it are refused; no two access tokens are the same."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(tmp_path / "state"))
    given: list[str] = []
    with running_story(tmp_path / "state", risk_api_credential="rgs_test") as story:
        known = [story.login("bob").json()["tokens"] for _ in range(5)]
        story.gateway.resealing()  # a second key belongs to the copy
        copying = threading.Thread(target=run, args=("backup", tmp_path / "copy"))
        copying.start()
        while copying.is_alive():
            given.append(story.login("bob").json()["tokens"]["access_token"])
        copying.join()
        late = story.login("bob").json()["tokens"]
        spent = story.refresh(known[0]["refresh_token"]).json()
        published = {key["kid"] for key in story.ask("GET", "/.well-known/jwks.json").json()["keys"]}
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(tmp_path / "restored"))
    run("restore", tmp_path / "copy")
    with running_story(tmp_path / "restored", risk_api_credential="rgs_test") as restored:
        assert {key["kid"] for key in restored.ask("GET", "/.well-known/jwks.json").json()["keys"]} == published
        answers = [restored.refresh(each["refresh_token"]) for each in known]
        assert [answer.status_code for answer in answers] == [200] * len(known)
        for gone in (late["refresh_token"], "nobody's"):
            answer = restored.refresh(gone)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        fresh = restored.login("bob").json()["tokens"]
        given += [each["access_token"] for each in [*known, late, spent, fresh, *(one.json() for one in answers)]]
        ids = [jwt.decode(token, options={"verify_signature": False})["jti"] for token in given]
        assert len(set(ids)) == len(ids)
        assert restored.claims(known[1]["access_token"])["sub"] == "id-bob"
