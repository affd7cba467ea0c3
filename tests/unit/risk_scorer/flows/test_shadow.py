"""A shadow scores what was answered, with what was known then; it drops, fails and forgets without anybody noticing."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.shadow import ShadowScore
from risk_scorer.core.assessments import assessments
from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.facts import Pressure
from risk_scorer.core.history import UserHistory
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.scoring import score_many
from risk_scorer.flows import shadow as flow
from risk_scorer.flows.shadow import FAILING, TOO_SLOW, Shadow, scores_of
from tests.unit.risk_scorer.core.small import STRANGE, known, model, seen

pytestmark = pytest.mark.anyio
SCALE = ScoreMap(evidence=np.array([-14.0, -3.0, 2.0, 11.0]), score=np.array([5.0, 40.0, 60.0, 80.0]))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def not_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever else uses this machine makes no test longer."""
    monkeypatch.setattr(flow, "BUSY_SECONDS", 0.0)


class Kept:
    """A log that is a list, and may be told to have been asked to forget."""

    def __init__(self) -> None:
        self.scores: list[ShadowScore] = []
        self.forgotten: list[str] = []

    def keep(self, scores: Sequence[ShadowScore]) -> None:
        self.scores += scores

    def forget_person(self, user_id: str) -> None:
        self.forgotten.append(user_id)


class Named:
    """Whichever model a test wants."""

    def __init__(self, wanted: Model | None) -> None:
        self.wanted = wanted

    def current(self) -> Model | None:
        return self.wanted


Logins = tuple[list[Observation], list[UserHistory | None], list[Pressure]]


def logins(count: int = 40) -> Logins:
    """Alice at home, strangers, people without a history, under some pressure: none like another."""
    observations = [
        (seen if number % 3 else lambda **each: type(STRANGE)(**{**_fields(STRANGE), **each}))(
            event_id=f"e{number}", user_id=f"u{number % 7}", ip_rep=float(number), ts=1_598_961_600.0 + 977.0 * number
        )
        for number in range(count)
    ]
    histories = [known(1 + number) if number % 4 else None for number in range(count)]
    around = [Pressure(network_failures=float(number % 5), device_people=float(number % 2)) for number in range(count)]
    return observations, histories, around


def _fields(observation: Observation) -> dict[str, Any]:
    return {name: getattr(observation, name) for name in observation.__struct_fields__}


def answers_of(by: Model, given: Logins) -> list[RiskScore]:
    """What the model answers when it decides."""
    observations, histories, around = given
    return assessments(by, observations, histories, score_many(by, observations, histories, around), ts=1.0)


def candidate(version: str = "candidate") -> Model:
    return model(version=version, score_map=SCALE)


async def ran(shadow: Shadow, until: Any) -> None:
    """Let it work until something is so."""
    task = asyncio.create_task(shadow.run())
    try:
        async with asyncio.timeout(20):
            while not until():  # noqa: ASYNC110 - what is looked for happens on another thread too
                await asyncio.sleep(0.005)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("together", [1, 3, 16, 1000])
async def test_a_version_gives_the_same_score_as_shadow_and_when_it_decides(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, whatever is scored together with it; and of each login it says who decided, and what."""
    monkeypatch.setattr(flow, "TOGETHER", together)
    given, kept = logins(), Kept()
    decided, would = answers_of(model(), given), answers_of(candidate(), given)
    shadow = Shadow(models=Named(candidate()), log=kept)
    shadow.offer(*given, decided)
    await ran(shadow, lambda: len(kept.scores) == len(decided))
    assert [each.score for each in kept.scores] == [each.risk_score for each in would]
    assert [each.active_score for each in kept.scores] == [each.risk_score for each in decided]
    assert [each.event_id for each in kept.scores] == [each.event_id for each in decided]
    assert {(each.active_version, each.version) for each in kept.scores} == {("small", "candidate")}
    assert len({each.score for each in kept.scores}) > 20


async def test_what_finds_no_room_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offering takes no longer for it, and what was there before is scored."""
    monkeypatch.setattr(flow, "MOST_WAITING", 10)
    given, kept = logins(8), Kept()
    shadow = Shadow(models=Named(candidate()), log=kept)
    for _ in range(3):
        shadow.offer(*given, answers_of(model(), given))
    assert (shadow.waiting, shadow.counts["dropped"]) == (10, 14)
    await ran(shadow, lambda: shadow.counts["scored"] == 10)
    assert [each.event_id for each in kept.scores] == [*(f"e{place}" for place in range(8)), "e0", "e1"]


async def test_without_a_model_nothing_waits() -> None:
    """Nobody pays for a shadow that is not there."""
    given = logins(4)
    shadow = Shadow(models=Named(None), log=Kept())
    shadow.offer(*given, answers_of(model(), given))
    assert (shadow.waiting, shadow.counts["dropped"]) == (0, 0)


@pytest.mark.parametrize("how", ["raises", "not_a_number"])
async def test_a_model_that_fails_again_and_again_is_shut_off_until_another_comes(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three pieces in a row; the next version is believed again."""
    monkeypatch.setattr(flow, "TOGETHER", 2)
    bad = replace(candidate("bad"), score_map=ScoreMap(evidence=SCALE.evidence, score=np.full(4, np.nan)))
    if how == "raises":
        bad = replace(bad, pairs=None)
    given, kept, models = logins(12), Kept(), Named(bad)
    shadow = Shadow(models=models, log=kept)
    shadow.offer(*given, answers_of(model(), given))
    await ran(shadow, lambda: shadow.problem is not None)
    assert (shadow.problem, shadow.counts["failed"], shadow.waiting, kept.scores) == (FAILING, 6, 0, [])
    shadow.offer(*given, answers_of(model(), given))
    assert shadow.waiting == 0
    models.wanted = candidate("better")
    assert shadow.problem is None
    shadow.offer(*given, answers_of(model(), given))
    assert shadow.waiting == 12


async def test_a_model_that_takes_too_long_is_shut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it scored until then is kept; the rest is not asked of it."""
    monkeypatch.setattr(flow, "TOGETHER", 2)
    monkeypatch.setattr(flow, "SLOW_SECONDS", 0.0)
    given, kept = logins(12), Kept()
    shadow = Shadow(models=Named(candidate()), log=kept)
    shadow.offer(*given, answers_of(model(), given))
    await ran(shadow, lambda: shadow.problem is not None)
    assert (shadow.problem, shadow.waiting, len(kept.scores)) == (TOO_SLOW, 0, 6)


async def test_a_model_that_fails_now_and_then_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two failures, then a success: the count begins anew."""
    monkeypatch.setattr(flow, "TOGETHER", 2)
    fails = iter([True, True, False, True, True, False])

    def sometimes(by: Model, some: Any) -> list[ShadowScore]:
        if next(fails):
            raise FloatingPointError
        return scores_of(by, some)

    monkeypatch.setattr(flow, "scores_of", sometimes)
    given, kept = logins(12), Kept()
    shadow = Shadow(models=Named(candidate()), log=kept)
    shadow.offer(*given, answers_of(model(), given))
    await ran(shadow, lambda: shadow.counts["failed"] == 8 and len(kept.scores) == 4)
    assert shadow.problem is None


async def test_who_was_erased_is_neither_scored_nor_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who wait are forgotten, and those who are being scored at that moment."""
    entered, go_on = threading.Event(), threading.Event()

    def held(by: Model, some: Any) -> list[ShadowScore]:
        entered.set()
        assert go_on.wait(10)
        return scores_of(by, some)

    monkeypatch.setattr(flow, "scores_of", held)
    given, kept = logins(32), Kept()
    shadow = Shadow(models=Named(candidate()), log=kept)
    shadow.offer(*given, answers_of(model(), given))

    def erased() -> bool:
        if entered.is_set() and not go_on.is_set():
            shadow.forget_person("u3")
            go_on.set()
        return bool(kept.forgotten) and shadow.waiting == 0 and len(kept.scores) >= 27

    await ran(shadow, erased)
    assert kept.forgotten == ["u3"]
    assert {each.user_id for each in kept.scores} == {f"u{number}" for number in (0, 1, 2, 4, 5, 6)}


@pytest.mark.parametrize(
    ("took", "late", "rests"),
    [(0.5, 0.0, 1.0), (0.5, 9.0, 1.0), (0.0, 0.005, 0.0), (0.0, 0.006, 0.1), (0.01, 0.006, 0.1)],
)
def test_a_shadow_rests_longer_where_others_want_the_processor(
    took: float, late: float, rests: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice as long as it worked, and a tenth of a second at least when it was woken late."""
    monkeypatch.setattr(flow, "BUSY_SECONDS", 0.1)
    assert flow.rest_seconds(took, late) == rests


async def test_scoring_never_runs_on_the_event_loops_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """And never many logins in one go."""
    threads, sizes = set(), set()

    def watched(by: Model, some: Any) -> list[ShadowScore]:
        threads.add(threading.get_ident())
        sizes.add(len(some))
        return scores_of(by, some)

    monkeypatch.setattr(flow, "scores_of", watched)
    given, kept = logins(40), Kept()
    shadow = Shadow(models=Named(candidate()), log=kept)
    shadow.offer(*given, answers_of(model(), given))
    await ran(shadow, lambda: len(kept.scores) == 40)
    assert threading.get_ident() not in threads
    assert max(sizes) == flow.TOGETHER
