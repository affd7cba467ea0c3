"""Joins the stream's parts; without a broker there is none. No rule lives here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from plumbing.kafka_properties import BadKafkaConfig, usable_properties_of
from risk_scorer.acting import Acting
from risk_scorer.adapters.kafka_config import KafkaSettings
from risk_scorer.adapters.stream_log import StreamLog
from risk_scorer.assembly import CannotStart, Scorer
from risk_scorer.contract.stream import StreamHealth
from risk_scorer.flows.assess import Assess
from risk_scorer.flows.learn import Learn
from risk_scorer.flows.stream import Stream, StreamTopics
from risk_scorer.settings import Settings

if TYPE_CHECKING:
    from risk_scorer.adapters.kafka import KafkaStream

BESIDE_HTTP = 100
"""Events of a backlog between two breaths of the event loop while people wait for their logins."""
DRIVER_MISSING = "KAFKA_BROKER is set, which needs the extra: pip install 'riskgate[kafka]'"


@dataclass(frozen=True)
class Streaming:
    """The stream of a scorer: what takes its records, what brings them, and what judges those of sessions."""

    stream: Stream
    kafka: KafkaStream
    acting: Acting

    def health(self) -> StreamHealth:
        """How it stands, with its counts."""
        return msgspec.structs.replace(self.kafka.health, **self.stream.counts)


def assess_of(scorer: Scorer) -> Assess:
    """What scores, with this scorer's parts; one for all ways in which events come."""
    settings = scorer.settings
    return Assess(
        models=scorer.models,
        observer=scorer.lookups.observer,
        histories=scorer.profiles,
        surroundings=scorer.surroundings,
        log=scorer.log,
        clock=scorer.clock,
        randomness=scorer.randomness,
        tenant=settings.mfa_tenant,
        announce_from=settings.webhook_risk_threshold if settings.announce_url else None,
        looking_up=scorer.metrics.looking_up,
        told=scorer.metrics.scored,
        beside=scorer.shadowing.shadow.offer,
        watched=scorer.live_counts.take,
    )


def learn_of(scorer: Scorer) -> Learn:
    """What learns, with this scorer's parts."""
    return Learn(observer=scorer.lookups.observer, histories=scorer.profiles, clock=scorer.clock)


def topics_of(settings: Settings) -> StreamTopics:
    """The topics that the settings name."""
    return StreamTopics(
        events=settings.kafka_topic_in,
        outcomes=settings.kafka_topic_outcomes,
        scores=settings.kafka_topic_out,
        dead=settings.kafka_topic_dead,
    )


def stream_of(
    scorer: Scorer, assess: Assess, learn: Learn, acting: Acting | None = None, *, together: int = BESIDE_HTTP
) -> Stream:
    """What takes records, with this scorer's parts."""
    return Stream(
        assess=assess,
        learn=learn,
        log=StreamLog(scorer.database, scorer.log, clock=scorer.clock),
        events=scorer.log,
        topics=topics_of(scorer.settings),
        announce=scorer.settings.kafka_announce,
        together=together,
        activity=None if acting is None else acting.assess,
    )


def opened_stream(
    scorer: Scorer, assess: Assess, learn: Learn, acting: Acting, *, together: int = BESIDE_HTTP
) -> Streaming | None:
    """The stream that the settings name, None without a broker; nothing runs yet. Raises: CannotStart."""
    settings = scorer.settings
    if settings.kafka_broker is None:
        return None
    if find_spec("confluent_kafka") is None:
        raise CannotStart(DRIVER_MISSING)
    from risk_scorer.adapters.kafka import KafkaStream

    try:
        properties = usable_properties_of(settings.kafka_config)
    except BadKafkaConfig as error:
        raise CannotStart(str(error)) from error
    stream = stream_of(scorer, assess, learn, acting, together=together)
    kafka = KafkaStream(
        KafkaSettings(
            broker=settings.kafka_broker,
            group=settings.kafka_group,
            topics=tuple(topics_of(settings).read),
            batch=settings.kafka_batch,
            properties=properties,
        ),
        stream,
        clock=scorer.clock,
    )
    return Streaming(stream, kafka, acting)


def health_of(streaming: Streaming | None) -> Callable[[], StreamHealth | None]:
    """What `/health` asks."""
    return lambda: None if streaming is None else streaming.health()
