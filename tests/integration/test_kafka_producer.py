"""scripts/kafka_producer.py: a file as a stream of events that the scorer takes."""

import importlib.util
import io
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from risk_scorer.contract.stream import StreamedLogin
from tests.integration.risk_scorer.brokers import EVENTS, mock_broker


@pytest.fixture(scope="module")
def script(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("kafka_producer", root / "scripts" / "kafka_producer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sample_becomes_events_that_the_scorer_takes(script: ModuleType, root: Path) -> None:
    """Every row is an event with an id of its own, the same at each reading; the label stays behind."""
    with open(root / "data" / "sample_logins.csv", encoding="utf-8") as log:
        lines = "".join(log.readline() for _ in range(201))
    first, again = list(script.events(io.StringIO(lines))), list(script.events(io.StringIO(lines)))
    assert first == again
    assert len({each["event_id"] for each in first}) == 200
    assert not any("label" in each for each in first)
    taken = [msgspec.convert(each, StreamedLogin) for each in first]
    assert {each.success for each in taken} == {True, False}
    assert taken[0].asn == 5089


def test_the_rba_data_set_is_taken_too(script: ModuleType, root: Path) -> None:
    """Its columns have other names, and a dash is nothing."""
    with open(root / "tests" / "data" / "rba_minutes_only.csv", encoding="utf-8") as log:
        first = next(script.events(log))
    assert (first["ip"], first["country"], first["success"], first["asn"]) == ("10.0.65.171", "NO", False, 29695)
    assert "region" not in first


def test_one_persons_events_stay_in_one_partition_in_order(
    script: ModuleType, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key is the person; --limit stops."""
    with mock_broker() as broker:
        given = ["--csv", str(root / "data" / "sample_logins.csv"), "--topic", EVENTS, "--broker", broker.address]
        script.main([*given, "--limit", "60", "--rate", "5000"])
        assert capsys.readouterr().out == "60 events to login-events\n"
        found = broker.received(EVENTS, 60)
    assert len(found) == 60
    by_user: dict[bytes, list[tuple[int, str]]] = {}
    for message in found:
        event = msgspec.json.decode(message.value() or b"")
        assert message.key() == event["user_id"].encode()
        by_user.setdefault(event["user_id"], []).append((message.partition(), event["timestamp"]))
    for rows in by_user.values():
        assert len({partition for partition, _ in rows}) == 1
        assert [moment for _, moment in rows] == sorted(moment for _, moment in rows)


def test_a_file_that_is_no_log_is_refused(script: ModuleType, tmp_path: Path) -> None:
    """One line, before anything is sent."""
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SystemExit, match="kafka_producer"):
        script.main(["--csv", str(tmp_path / "no.csv"), "--broker", "127.0.0.1:1"])


@pytest.mark.parametrize(
    ("bad", "told"), [(b"\xff", "is not UTF-8"), (b"x" * 200_000, "field limit")], ids=["latin-1", "huge"]
)
def test_a_row_that_cannot_be_read_ends_it_in_one_line(
    script: ModuleType, tmp_path: Path, bad: bytes, told: str
) -> None:
    """What came before it has arrived, and is counted; a byte order mark is no part of a column's name."""
    rows = b"".join(b"2024-01-01,user%d,192.0.2.1\n" % number for number in range(2000))
    (tmp_path / "log.csv").write_bytes(
        b"\xef\xbb\xbftimestamp,user_id,ip\n" + rows + b"2024-01-01," + bad + b",192.0.2.1\n"
    )
    with mock_broker() as broker:
        with pytest.raises(SystemExit, match=told) as caught:
            script.main(["--csv", str(tmp_path / "log.csv"), "--topic", EVENTS, "--broker", broker.address])
        count = int(str(caught.value).rpartition("; ")[2].split()[0])
        assert len(broker.received(EVENTS, count)) == count > 1000


def test_an_interrupted_run_says_what_arrived(script: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two events: those before it are at the broker."""

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    with mock_broker() as broker:
        monkeypatch.setattr(script.time, "sleep", interrupted)
        given = ["--csv", str(root / "data" / "sample_logins.csv"), "--topic", EVENTS, "--broker", broker.address]
        with pytest.raises(SystemExit, match="interrupted; 0 events arrived"):
            script.main([*given, "--rate", "1"])


@pytest.mark.parametrize("wrong", [["--limit", "-3"], ["--limit", "0"], ["--rate", "-1"], ["--rate", "inf"]])
def test_a_number_that_makes_no_sense_is_wrong_usage(
    script: ModuleType, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is read or sent."""
    with pytest.raises(SystemExit) as ended:
        script.main(["--csv", "nowhere.csv", *wrong])
    assert ended.value.code == 2
    assert f"invalid {wrong[0][2:]} value" in capsys.readouterr().err
