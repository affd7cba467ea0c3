"""Service credentials: digests in the table, and a revocation that takes hold within seconds."""

from pathlib import Path

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from plumbing.refusals import Refused
from risk_scorer.adapters.credentials import Credentials, NameTaken
from risk_scorer.adapters.storage import open_database


@pytest.fixture
def credentials(database: Database, clock: FixedClock, randomness: SeededRandomness) -> Credentials:
    return Credentials(database, clock=clock, randomness=randomness)


def test_a_new_credential_names_its_holder_and_scopes(credentials: Credentials, clock: FixedClock) -> None:
    """What `credentials add` prints opens what it was made for."""
    text = credentials.add("auth-gateway", ["score", "outcomes"])
    caller = credentials.caller(text)
    assert caller is not None
    assert (caller.name, caller.scopes) == ("auth-gateway", {"score", "outcomes"})


@pytest.mark.parametrize("text", ["", "rgs_", "rgs_" + "A" * 43, "\ud800", "ä" * 5000])
def test_any_other_text_is_nobody(credentials: Credentials, text: str) -> None:
    """Unknown, empty and hostile texts are simply not a credential."""
    credentials.add("auth-gateway", ["score"])
    assert credentials.caller(text) is None


def test_a_new_credential_counts_at_once(credentials: Credentials, clock: FixedClock) -> None:
    """The table was read a moment ago, for another caller; within a tenth of a second it is not read again."""
    first = credentials.add("auth-gateway", ["score"])
    assert credentials.caller(first) is not None
    second = credentials.add("soc", ["read"])
    clock.advance(0.09)
    assert credentials.caller(second) is None
    clock.advance(0.02)
    assert credentials.caller(second) is not None


def test_a_revoked_credential_stops_within_five_seconds(credentials: Credentials, clock: FixedClock) -> None:
    """Revocation from another process reaches the service by its next re-read."""
    text = credentials.add("auth-gateway", ["score"])
    assert credentials.caller(text) is not None
    assert credentials.revoke("auth-gateway")
    clock.advance(2.1)
    assert credentials.caller(text) is None


def test_a_name_is_used_once(credentials: Credentials) -> None:
    """A revoked credential's name stays taken, so that an audit trail is never ambiguous."""
    credentials.add("gateway", ["score"])
    assert credentials.revoke("gateway")
    assert not credentials.revoke("gateway")
    with pytest.raises(NameTaken):
        credentials.add("gateway", ["score"])


def test_the_text_is_not_in_the_database(tmp_path: Path, clock: FixedClock, randomness: SeededRandomness) -> None:
    """A copied database file opens nothing."""
    database = open_database(f"sqlite:///{tmp_path}/scorer.db")
    text = Credentials(database, clock=clock, randomness=randomness).add("gateway", ["score"])
    database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("scorer.db*"))
    assert b"gateway" in stored
    assert text.encode() not in stored
    assert text.removeprefix("rgs_").encode() not in stored


def test_an_unreadable_table_fails_closed_after_five_seconds(
    credentials: Credentials, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    """Known credentials are honoured for a moment without storage, and then nobody is."""

    def unavailable(_job: object) -> object:
        raise Refused("storage_unavailable", "no", status=503)

    text = credentials.add("gateway", ["score"])
    assert credentials.caller(text) is not None
    monkeypatch.setattr(database, "read", unavailable)
    clock.advance(4.9)
    assert credentials.caller(text) is not None
    clock.advance(0.2)
    with pytest.raises(Refused):
        credentials.caller(text)
