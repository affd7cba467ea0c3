"""One event inside the scorer, without HTTP and the log: of a person with 100 logins, on one core, all parts on."""

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from benchmarks import forest, people
from benchmarks.home import KEY, MODELS, ROOT, Home
from benchmarks.report import Figure
from plumbing.clock import FixedClock
from risk_scorer.assembly import Scorer, assemble
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.assessments import assessments
from risk_scorer.core.features import FEATURES
from risk_scorer.core.history import UserHistory, encode, learn
from risk_scorer.core.lessons import taught_by
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.scoring import score_many
from risk_scorer.settings import load_settings
from risk_scorer.upkeep import COLLECT_AFTER

CORE = 0
PEOPLE, LOGINS = 200, 100
EVENTS = 1_000
BASELINE_ROWS = 100
NOW = 1_757_000_000.0  # 2025-09-04, after the sample's last login

_encode = msgspec.json.Encoder().encode
_event = msgspec.json.Decoder(LoginEvent)


@dataclass(frozen=True, slots=True)
class Inside:
    """What `/score` does between reading a body and writing the answer."""

    scorer: Scorer
    model: Model

    def observed(self, events: Sequence[LoginEvent]) -> list[Observation]:
        ids = [event.event_id or "evt_bench" for event in events]
        return self.scorer.lookups.observer.observations(events, ids, now=NOW, where=str)

    def answered(self, seen: Observation) -> bytes:
        """History, pressure, signals, score and reasons of one login, as JSON."""
        observations = [seen]
        histories = self.scorer.profiles.get_many([seen.user_id])
        scored = score_many(self.model, observations, histories, self.scorer.surroundings.around(observations))
        return _encode(assessments(self.model, observations, histories, scored, ts=NOW)[0])

    def answered_body(self, body: bytes) -> bytes:
        """The same from the event's JSON on, with the look-ups of network, browser, fingerprint and time zone."""
        return self.answered(self.observed([_event.decode(body)])[0])


def opened(home: Home) -> Inside:
    """A scorer in this process that knows the people and hears what is being tried."""
    settings = load_settings(
        risk_scorer_state=home.state / "core",
        risk_scorer_geo_cache=ROOT / "var" / "benchmarks" / "geo",
        risk_scorer_profile="demo",
        ip_overlay=str(ROOT / "demo" / "networks.toml"),
        model_dir=MODELS,
        model_public_keys=str(KEY.with_suffix(".pub")),
    )
    scorer = assemble(settings, clock=FixedClock(NOW))
    scorer.models.reload()
    model = scorer.models.current()
    if model is None:
        raise AssertionError(scorer.models.problem)
    return Inside(scorer, model)


def taught(inside: Inside) -> list[LoginEvent]:
    """The people with their history stored and in memory; `EVENTS` logins of theirs, one in ten from elsewhere."""
    careers = people.careers(PEOPLE, LOGINS, NOW)
    blobs = []
    for person, own in careers.items():
        history: UserHistory | None = None
        for seen in inside.observed(own):
            history = learn(history, seen, "success")
        assert history is not None
        blobs.append((person, encode(history)))
    inside.scorer.profiles.import_histories("core", blobs)
    inside.scorer.profiles.get_many(list(careers))
    usual = [own[-1 - turn] for turn in range(EVENTS // PEOPLE) for own in careers.values()]
    events = people.from_elsewhere(usual, NOW)
    outcomes = people.attack(events, NOW)
    failed = inside.observed([outcome.event for outcome in outcomes])
    inside.scorer.surroundings.hear([taught_by(seen, "failure") for seen in failed])
    return events


def timed_us(work: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - began) / 1000


def _percentiles(times: Sequence[float]) -> tuple[float, float]:
    p50, p95 = np.percentile(times, (50, 95))
    return float(p50), float(p95)


def measure(rounds: int) -> Iterator[Figure]:
    """Every event is timed by itself; rounds of ours and the baseline take turns."""
    rows = np.random.default_rng(0).gamma(1.5, 2.0, size=(20_000, len(FEATURES)))
    baseline = forest.fitted(rows)
    taken: dict[str, list[tuple[float, float]]] = {"core": [], "body": [], "sklearn": []}
    before = os.sched_getaffinity(0)
    with Home() as home:
        inside = opened(home)
        events = taught(inside)
        observations, bodies = inside.observed(events), [_encode(event) for event in events]
        expect_everything(inside, observations)
        for seen in observations[:PEOPLE]:  # warm
            inside.answered(seen)
        os.sched_setaffinity(0, {CORE})
        collected = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)  # as the service does
        try:
            for _ in range(rounds):
                taken["core"].append(_percentiles([timed_us(lambda o=o: inside.answered(o)) for o in observations]))  # type: ignore[misc]
                taken["body"].append(_percentiles([timed_us(lambda b=b: inside.answered_body(b)) for b in bodies]))  # type: ignore[misc]
                one_row = (rows[at : at + 1] for at in range(BASELINE_ROWS))
                taken["sklearn"].append(
                    _percentiles([timed_us(lambda r=r: baseline.decision_function(r)) for r in one_row])  # type: ignore[misc]
                )
        finally:
            gc.set_threshold(*collected)
            gc.unfreeze()
            os.sched_setaffinity(0, before)
            inside.scorer.database.close()
    for key, name, target in (("core", "core", "≤ 300 µs"), ("body", "core, from the body on", "≤ 300 µs")):
        for place, percentile in enumerate(("p50", "p95")):
            yield Figure(
                f"{name}, one event, {percentile}",
                "µs",
                f"scikit-learn decision_function of one row, {percentile}",
                [pair[place] for pair in taken[key]],
                [pair[place] for pair in taken["sklearn"]],
                target,
                more_is_better=False,
            )


def expect_everything(inside: Inside, observations: Sequence[Observation]) -> None:
    """Raises AssertionError unless histories are found, pressure is felt and rules speak: what is off costs nothing."""
    histories = inside.scorer.profiles.get_many([seen.user_id for seen in observations])
    pressures = inside.scorer.surroundings.around(observations)
    scored = score_many(inside.model, observations, histories, pressures)
    found = [history.logins for history in histories if history is not None]
    pressed = sum(pressure.network_people > 0.0 for pressure in pressures)
    answers: list[RiskScore] = assessments(inside.model, observations, histories, scored, ts=NOW)
    if found != [LOGINS] * len(observations):
        raise AssertionError("somebody has no history")
    if not pressed or not (scored.matches > 0.0).any() or not any(answer.reasons for answer in answers):
        raise AssertionError("something is switched off")
