"""Joins the session model to the engine: where it comes from, as settings say, and who asks it. No rule lives here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from risk_scorer.adapters.activity.session_models import (
    NoSource,
    SessionModelFolder,
    SessionModelRegistry,
    SessionModels,
    SessionModelSource,
)
from risk_scorer.adapters.registry_places import BadPlace, place_at
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.adapters.seen_pointers import SeenPointers
from risk_scorer.assembly import CannotStart
from risk_scorer.contract.prediction import Anomaly, BehaviourRow
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.memory import Around, Memory
from risk_scorer.core.activity.scale import SHIPPED
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.registry import SESSION
from risk_scorer.core.session_model.joining import scale_with, with_learned
from risk_scorer.core.session_model.model import WINDOW_NAME, SessionModel, attack_likelihood
from risk_scorer.core.session_model.window import Habits, Row
from risk_scorer.flows.activity.ports import Place
from risk_scorer.settings import Settings


class Memories(Protocol):
    """What is remembered of people."""

    def at(self, places: Iterable[Place]) -> Mapping[Place, Memory]:
        """What is remembered there. Raises: Refused."""
        ...


class SessionModelling:
    """The engine in use, with the session model in use: another model is another engine, whole and at once."""

    def __init__(self, source: SessionModelSource) -> None:
        """Where no place of models is named, the learned detectors take no part: they would never know anything."""
        self.models = SessionModels(source, in_use=self._take)
        self._engine = Engine(ALL if isinstance(source, NoSource) else with_learned(ALL, lambda: None))

    def engine(self) -> Engine:
        """The engine that judges the next event."""
        return self._engine

    def likelihood(self, _seen: Seen, around: Around) -> float | None:
        """How likely the session is an attack, as the model learned from invented ones; None without a model."""
        return self.likelihood_now(around.session)

    def likelihood_now(self, session: Memory) -> float | None:
        """The same of a session that nothing has just happened in."""
        return attack_likelihood(self.models.current(), session)

    def predict(self, rows: Sequence[BehaviourRow], memories: Memories) -> Sequence[Anomaly] | None:
        """How unusual each window is, held against what we remember of the person. Raises: Refused."""
        model = self.models.current()
        if model is None:
            return None
        asked = [_row(each) for each in rows]
        people: list[Place] = [("person", each.user_id) for each in asked]
        known = memories.at(people)

        def habits(user_id: str) -> Habits | None:
            found = known["person", user_id].get(WINDOW_NAME)
            return found if isinstance(found, Habits) and found.sessions else None

        return model.predict(asked, habits)

    async def follow(self) -> None:
        """Take the model that is published, and each that is published later, for ever."""
        await self.models.start()
        await self.models.watch()

    def _take(self, model: SessionModel) -> None:
        self._engine = Engine(with_learned(ALL, lambda: model), scale_with(model, SHIPPED))


def session_modelling_of(settings: Settings) -> SessionModelling:
    """The session model as the settings name it; nothing is read yet. Raises: CannotStart."""
    return SessionModelling(_source(settings))


def _source(settings: Settings) -> SessionModelSource:
    keys = settings.public_key_sources
    if not settings.session_model_registry:
        return (
            NoSource() if settings.session_model_dir is None else SessionModelFolder(settings.session_model_dir, keys)
        )
    try:
        place = place_at(settings.session_model_registry)
    except BadPlace as error:
        raise CannotStart(f"SESSION_MODEL_REGISTRY: {error}") from error
    seen = SeenPointers(settings.risk_scorer_state / "seen-session-pointers.json")
    source = RegistrySource(place, keys, address=settings.session_model_registry, seen=seen, pointer=SESSION)
    return SessionModelRegistry(source, keys)


def _row(told: BehaviourRow) -> Row:
    return Row(
        user_id=str(told.user_id),
        event_type=told.event_type,
        session_duration_sec=told.session_duration_sec,
        events_in_session=told.events_in_session,
        hour_of_day=told.hour_of_day,
        day_of_week=told.day_of_week,
        device_type=told.device_type,
    )
