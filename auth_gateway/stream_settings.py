"""What an operator may say about Apache Kafka; part of the settings."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, StringConstraints, model_validator
from pydantic_settings import BaseSettings

from plumbing.kafka_properties import brokers, properties_of, usable_properties_of

Topic = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
"""Source: org.apache.kafka.common.internals.Topic, LEGAL_CHARS and MAX_NAME_LENGTH."""


class StreamSettings(BaseSettings):
    """Where outcomes go instead of the scorer's own address: both, or neither."""

    kafka_broker: Annotated[str, AfterValidator(brokers)] | None = None
    kafka_topic_outcomes: Topic | None = None
    kafka_config: Path | None = None

    @model_validator(mode="after")
    def _can_reach_kafka(self) -> Self:
        if (self.kafka_broker is None) != (self.kafka_topic_outcomes is None):
            raise ValueError("KAFKA_BROKER and KAFKA_TOPIC_OUTCOMES are set together or not at all")
        if self.kafka_broker is not None and find_spec("confluent_kafka") is None:
            raise ValueError("KAFKA_BROKER is set, which needs the extra: pip install 'riskgate[kafka]'")
        (properties_of if self.kafka_broker is None else usable_properties_of)(self.kafka_config)
        return self
