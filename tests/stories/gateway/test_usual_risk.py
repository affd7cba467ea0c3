"""Somebody whose life is noisy is asked less, by a little, on their own device; nobody else gains anything by it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auth_gateway.core.audit import AuditEvent
from auth_gateway.user_risks import risk_desk
from tests.stories.gateway.story import PASSWORD, Story
from tests.stories.gateway.test_backtest import replay

DAY = 86_400.0
Headers = dict[str, str]


def device(number: int) -> Headers:
    """The cookie of one browser."""
    return {"cookie": f"device={number:043d}"}


OWN, OTHER = device(1), device(2)


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that writes down what it decides by."""
    return story_with(risk_api_credential="rgs_test")


def line(story: Story) -> AuditEvent:
    """The latest one that is no consequence."""
    recent = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 20))
    return next(line for line in recent if not line.kind.startswith("risk.user_"))


def leeway(story: Story) -> float | None:
    """What is kept of alice's answers; None where nothing is."""
    with story.gateway.database.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT passed FROM leeway WHERE user_id = 'id-alice'").scalar()


def answer(story: Story, headers: Headers = OWN, score: float = 62.0) -> None:
    """A day later alice logs in at that score, is asked if she is, and answers."""
    story.clock.advance(DAY)
    story.scorer.score = score
    said = story.login(headers=headers).json()
    if said.get("mfa_required"):
        assert story.complete(said["challenge_id"], headers=headers).status_code == 200
    story.scorer.score = 10.0


def a_noisy_life(story: Story, days: int = 4, score: float = 62.0) -> None:
    """Alice's device is known, and she is asked and answers for so many days."""
    assert story.login(headers=OWN).status_code == 200
    for _ in range(days):
        answer(story, score=score)


def is_asked(story: Story, score: float = 62.0, headers: Headers = OWN) -> bool:
    story.clock.advance(60)
    story.scorer.score = score
    return bool(story.login(headers=headers).json().get("mfa_required"))


def test_who_always_answers_is_let_in_at_their_usual_risk(story: Story) -> None:
    """From the fourth day on, and the line says why and by how much."""
    a_noisy_life(story)
    assert not is_asked(story)
    allowed = line(story)
    assert (allowed.kind, allowed.rule, allowed.level) == ("login.allowed", "medium_usual", "medium")
    assert "usual_risk" in (allowed.detail or "")
    assert allowed.facts is not None
    assert 2.0 < allowed.facts.leeway <= 4.0


def test_two_answers_are_not_enough(story: Story) -> None:
    """Everybody is asked now and then."""
    a_noisy_life(story, 2)
    assert is_asked(story)


def test_a_thief_with_the_password_gains_nothing(story: Story) -> None:
    """On a device that is new to the account the mark is where it always was, whatever its owner has earned."""
    a_noisy_life(story)
    assert is_asked(story, headers=OTHER)
    assert is_asked(story, headers={})


def test_only_the_step_up_mark_moves(story: Story) -> None:
    """However long the life is noisy: 65 is asked, 76 wants a passkey, 85 is refused."""
    a_noisy_life(story, 9, score=66.0)
    assert not is_asked(story, 64.9)
    assert is_asked(story, 65.0)
    story.scorer.score = 76.0
    assert story.login(headers=OWN).status_code == 403
    assert line(story).rule == "no_phishing_resistant_factor"
    story.scorer.score = 85.0
    assert story.login(headers=OWN).status_code == 403


def test_answers_from_devices_that_are_new_earn_nothing(story: Story) -> None:
    """Whoever relays codes sits at a machine of their own; each day another one."""
    for number in range(6):
        answer(story, device(10 + number))
    assert leeway(story) is None


def test_a_quiet_life_earns_nothing(story: Story) -> None:
    """Logins that nobody was asked at are no answers."""
    for _ in range(5):
        answer(story, score=10.0)
    assert leeway(story) is None


def test_it_fades(story: Story) -> None:
    """Two months at home, and the first trip is asked about again."""
    a_noisy_life(story, 8)
    assert not is_asked(story)
    story.clock.advance(60 * DAY)
    assert is_asked(story)


def test_a_refused_login_from_afar_takes_it_away(story: Story) -> None:
    """Somebody has the password: the owner is asked as everybody is."""
    a_noisy_life(story)
    story.scorer.score = 95.0
    assert story.login(headers=OTHER).status_code == 403
    assert leeway(story) is None
    assert is_asked(story)


@pytest.mark.parametrize("word", ["compromised", "safe"])
def test_an_analysts_word_against_the_person_takes_it_away(story: Story, word: Any) -> None:
    """One for them does not."""
    a_noisy_life(story)
    desk = risk_desk(story.gateway)
    desk.verdict(desk.named("alice"), word, by="mara", why="looked at it")
    assert (leeway(story) is None) is (word == "compromised")


def test_another_password_takes_it_away(story: Story) -> None:
    """Whoever set it may be somebody else."""
    a_noisy_life(story)
    story.gateway.accounts.set_password("alice", "another-" + PASSWORD)
    assert leeway(story) is None


def test_the_operator_may_give_none(story_with: Callable[..., Story]) -> None:
    """LOGIN_POLICY_LEEWAY_POINTS=0: the mark is everybody's."""
    story = story_with(risk_api_credential="rgs_test", login_policy_leeway_points=0)
    a_noisy_life(story, 6)
    assert is_asked(story)


def test_it_is_decided_again_as_it_was(story: Story) -> None:
    """A backtest knows what was earned then."""
    a_noisy_life(story, 5)
    assert not is_asked(story)
    tally = replay(story)
    assert tally.differing == 0
    assert tally.rules["candidate", "medium_usual"] >= 1


def test_own_marks_of_an_application_at_work(story_with: Callable[..., Story], tmp_path: Path) -> None:
    """The bank asks from 45 on and denies from 70 on, also when it is decided again; the others as ever."""
    file = tmp_path / "policy.toml"
    file.write_text("[[marks]]\nclient = 'bank'\nstep_up = 45\ndeny = 70\nmodel = 'stub-1'\n")
    story = story_with(login_policy_file=file, risk_api_credential="rgs_test", refresh_score_reuse_seconds=0)
    bank = story.client("bank", may_vouch=True)
    story.scorer.score = 50.0
    assert story.login().json().get("tokens")
    assert story.login(auth=bank, context={"ip": "203.0.113.5", "user_agent": "x"}).json().get("mfa_required")
    story.scorer.score = 72.0
    assert story.login(auth=bank, context={"ip": "203.0.113.5", "user_agent": "x"}).status_code == 403
    assert line(story).rule == "high"
    tally = replay(story, file.read_text())
    assert tally.rules["candidate", "high"] == tally.rules["candidate", "medium"] == 1
    assert tally.rules["present", "high"] == 0
