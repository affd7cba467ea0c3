"""What an operator may say about the stream, and what of it is refused before anything starts."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from plumbing.kafka_properties import BadKafkaConfig, properties_of, usable_properties_of
from risk_scorer.adapters.kafka_config import KafkaSettings, consumer_config
from risk_scorer.settings import Settings


def test_nothing_is_read_without_a_broker() -> None:
    """Everything but the broker has a default."""
    settings = Settings()
    assert settings.kafka_broker is None
    assert (settings.kafka_topic_out, settings.kafka_topic_dead) == ("login-scores", "login-events-dead")
    assert settings.kafka_topic_outcomes is None


@pytest.mark.parametrize("name", ["kafka_topic_out", "kafka_topic_dead", "kafka_topic_outcomes"])
def test_results_never_go_where_events_come_from(name: str) -> None:
    """They would be read again for ever."""
    with pytest.raises(ValidationError, match="different topics"):
        Settings(**{name: "login-events"})


@pytest.mark.parametrize("topic", ["", "a b", "a/b", "ä", "x" * 250])
def test_a_name_that_no_topic_can_have_is_refused(topic: str) -> None:
    """Kafka takes letters, digits, dot, dash and underscore, up to 249 of them."""
    with pytest.raises(ValidationError):
        Settings(kafka_topic_in=topic)
    assert Settings(kafka_topic_in="x" * 249).kafka_topic_in == "x" * 249


@pytest.mark.parametrize("batch", [0, 5001])
def test_a_batch_is_bounded(batch: int) -> None:
    """Memory is, too."""
    with pytest.raises(ValidationError):
        Settings(kafka_batch=batch)
    assert (Settings(kafka_batch=1).kafka_batch, Settings(kafka_batch=5000).kafka_batch) == (1, 5000)


def test_a_file_adds_properties_and_delivery_stays_ours(tmp_path: Path) -> None:
    """TLS and SASL are the cluster's business; what is acknowledged when is not."""
    file = tmp_path / "kafka.properties"
    file.write_text("# how we are known\nsecurity.protocol = SASL_SSL\n\nsasl.password=a=b\n")
    found = properties_of(file)
    assert found == {"security.protocol": "SASL_SSL", "sasl.password": "a=b"}
    told = consumer_config(KafkaSettings(broker="b:1", group="g", topics=("t",), batch=1, properties=found))
    assert (told["sasl.password"], told["enable.auto.commit"]) == ("a=b", False)


@pytest.mark.parametrize("line", ["enable.auto.commit=true", "acks=0", "no sign", "=value"])
def test_a_line_that_cannot_be_is_refused_without_its_value(tmp_path: Path, line: str) -> None:
    """The text is for the operator's terminal."""
    file = tmp_path / "kafka.properties"
    file.write_text(f"sasl.password=hidden\n{line}\n")
    with pytest.raises(BadKafkaConfig) as caught:
        properties_of(file)
    assert "hidden" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A cluster that asks for credentials would refuse us later, and nobody would know why."""
    with pytest.raises(BadKafkaConfig):
        properties_of(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("sasl.passwrd=hidden", "sasl.passwrd"),
        ("security.protocol=hidden", "security.protocol"),
        ("session.timeout.ms=hidden", "session.timeout.ms"),
        ("ssl.ca.location=/hidden\nsecurity.protocol=ssl", "ssl.ca.location"),
        ("group.protocol=consumer", ""),
        ("retries=0", ""),
        ("on_commit=hidden", ""),
    ],
)
def test_what_the_client_refuses_stops_the_start(tmp_path: Path, line: str, name: str) -> None:
    """It would never connect; the line names the property and shows no value."""
    file = tmp_path / "kafka.properties"
    file.write_text(f"{line}\n")
    with pytest.raises(BadKafkaConfig) as caught:
        usable_properties_of(file)
    assert name in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_what_a_client_takes_is_usable(tmp_path: Path) -> None:
    """A consumer's and a producer's properties may stand in one file."""
    file = tmp_path / "kafka.properties"
    known = "security.protocol=sasl_ssl\nsasl.mechanism=PLAIN\nsasl.username=u\nsasl.password=p\n"
    file.write_text(f"session.timeout.ms=6000\nlinger.ms=20\n{known}")
    assert len(usable_properties_of(file)) == 6
    assert usable_properties_of(None) == {}


@pytest.mark.parametrize("listed", ["kafka:9092", "a:1,b:2", "PLAINTEXT://kafka-0.kafka:9092", "[::1]:9092", "kafka"])
def test_brokers_are_addresses(listed: str) -> None:
    """One or more, as a client of Kafka reads them."""
    assert Settings(kafka_broker=listed).kafka_broker == listed


@pytest.mark.parametrize("listed", ["", "user:hunter2@kafka:9092", "a:1,,b:2", "http://x/y", "a\nb"])
def test_what_a_client_would_repeat_in_its_log_is_refused(listed: str) -> None:
    """A name and a password among it; the refusal repeats nothing."""
    with pytest.raises(ValueError, match="KAFKA_CONFIG") as refused:
        Settings(kafka_broker=listed)
    assert "hunter2" not in str(refused.value.errors(include_input=False))  # type: ignore[attr-defined]
