"""`auth-gateway streams`: what the operator sees of receivers, and may end."""

import json
from pathlib import Path

import pytest

from auth_gateway.adapters.storage.streams import StoredStreams
from auth_gateway.core.ssf.stream import PUSH, Stream
from tests.migrated import migrated_storage
from tests.unit.auth_gateway.cli.conftest import Run

STREAM = Stream(
    stream_id="ssf_one",
    client_id="siem",
    method=PUSH,
    endpoint_url="https://siem.example/in",
    events_requested=("https://schemas.openid.net/secevent/caep/event-type/session-revoked",),
    status="paused",
    reason="maintenance",
    created_at=1_700_000_000.0,
)


@pytest.fixture
def with_stream(run: Run, tmp_path: Path) -> Run:
    """A state in which one application has a stream."""
    assert run("clients", "add", "siem", "--grant", "client_credentials", "--scope", "streams:manage")[0] == 0
    database = migrated_storage(tmp_path / "state" / "gateway.db")
    database.write_sync(lambda tx: StoredStreams().add(tx, STREAM, b"sealed"))
    database.close()
    return run


def test_streams_are_listed_shown_and_removed(with_stream: Run) -> None:
    """By their ids; what its endpoint asks for is shown to nobody."""
    status, listed, _ = with_stream("streams", "list")
    assert (status, listed.split()[:4]) == (0, ["ssf_one", "siem", "paused", "push"])
    shown = json.loads(with_stream("streams", "show", "ssf_one")[1])
    assert (shown["status"], shown["reason"], shown["delivery"]["endpoint_url"]) == (
        "paused",
        "maintenance",
        "https://siem.example/in",
    )
    assert "sealed" not in str(shown)
    assert with_stream("streams", "remove", "ssf_one")[:2] == (0, "removed\n")
    assert with_stream("streams", "list")[1] == ""


@pytest.mark.parametrize("command", ["show", "remove"])
def test_a_stream_that_is_not_there_is_one_line_and_wrong_input(run: Run, command: str) -> None:
    """It names what to do."""
    status, output, errors = run("streams", command, "ssf_none")
    assert (status, output, errors.count("\n")) == (2, "", 1)
