"""What an operator may say about the stream of events; part of the settings."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_settings import BaseSettings

from plumbing.kafka_properties import brokers

Topic = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
"""Source: org.apache.kafka.common.internals.Topic, LEGAL_CHARS and MAX_NAME_LENGTH."""


class StreamSettings(BaseSettings):
    """Where events come from and results go to; nothing is read while there is no broker."""

    kafka_broker: Annotated[str, AfterValidator(brokers)] | None = None
    kafka_topic_in: Topic = "login-events"
    kafka_topic_out: Topic = "login-scores"
    kafka_topic_dead: Topic = "login-events-dead"
    kafka_topic_outcomes: Topic | None = None
    kafka_group: str = Field(default="risk-scorer", min_length=1, max_length=128)
    kafka_batch: int = Field(default=1000, ge=1, le=5000)
    kafka_announce: bool = True
    kafka_config: Path | None = None

    @model_validator(mode="after")
    def _topics_differ(self) -> Self:
        """A result that is read again as an event would go round for ever."""
        topics = [self.kafka_topic_in, self.kafka_topic_out, self.kafka_topic_dead]
        if self.kafka_topic_outcomes is not None:
            topics.append(self.kafka_topic_outcomes)
        if len(set(topics)) != len(topics):
            raise ValueError("the KAFKA_TOPIC_… settings must name different topics")
        return self
