"""Activity while the database is held, and by a stream: nothing is lost, and nothing counts twice."""

from pathlib import Path

import jwt
import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from risk_scorer.flows.ports import StreamRecord
from risk_scorer.streaming import assess_of, learn_of, stream_of
from tests.integration.risk_scorer.service import running
from tests.integration.risk_scorer.test_activity import NOTICE, NOW, event, rows
from tests.postgresql import lock

pytestmark = pytest.mark.anyio
UNCHECKED = jwt.encode({}, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "k1", "typ": "at+jwt"})
"""Whose key would have to be asked for."""


async def test_what_a_held_database_did_not_take_may_be_sent_again(tmp_path: Path, postgresql_url: str) -> None:
    """503 with when to come again, nothing was learned of it, and then it counts once."""
    clock = FixedClock(NOW)
    async with running(tmp_path, with_model=False, clock=clock, risk_scorer_database=postgresql_url) as service:
        await service.client.post("/sessions", json=NOTICE)
        with psycopg.connect(postgresql_url) as holder:
            lock(holder, "activity_events")
            held = await service.client.post("/assess", json=event(event_id="e1"))
            assert (held.status_code, held.json()["error"]) == (503, "storage_unavailable")
            assert int(held.headers["retry-after"]) > 0
            holder.rollback()
        clock.advance(5.0)
        again = await service.client.post("/assess", json=event(event_id="e1"))
        assert again.status_code == 200
        assert (await service.client.post("/score-session", json={"session_id": "ses-1"})).json()["events"] == 1
        assert rows(service, "SELECT count(*) FROM activity_events") == [(1,)]


async def test_a_streams_records_are_judged_once_and_those_refused_go_aside(tmp_path: Path) -> None:
    """A record that comes again has its answer published again; the topic's word is enough for whose it is."""
    ended = {**NOTICE, "state": "ended", "at": NOW - 100_000}
    values = [event(0), event(1, session_id="s-2", user_id="bob"), event(2, event_id="e2"), event(3, event_id="e2")]
    values.append(event(4, session_id="s-2"))
    records = [
        StreamRecord("login-events", 0, place, int(NOW * 1000), b"key", msgspec.json.encode(value))
        for place, value in enumerate(values)
    ]
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW)) as service:
        await service.client.post("/sessions", json=[{**NOTICE, "session_id": "s-3"}, {**ended, "session_id": "s-3"}])
        scorer = service.scorer
        stream = stream_of(scorer, assess_of(scorer), learn_of(scorer), service.app.state.acting)
        late = StreamRecord("login-events", 0, 9, 0, b"key", msgspec.json.encode(event(5, session_id="s-3")))
        first = await stream.take(stream.read(records[:3]))
        again = await stream.take(stream.read([*records, late]))
        told = [msgspec.json.decode(each.value or b"")["assessment"] for each in first]
        assert [each["identity"] for each in told] == ["vouched"] * 3
        assert [each.value for each in again[:3]] == [each.value for each in first]
        assert again[3].value == again[2].value
        dead = [dict(each.headers)["reason"] for each in again if each.headers]
        assert dead == [b"identity_mismatch", b"session_ended"]
        assert rows(service, "SELECT count(*) FROM activity_events") == [(3,)]


async def test_a_stream_waits_for_the_keys_of_tokens(tmp_path: Path) -> None:
    """While the gateway is away, a record with a token is no dead one: it is taken again, with all of its batch."""
    values = [event(0), event(1, session_id="", token=UNCHECKED)]
    records = [
        StreamRecord("login-events", 0, place, int(NOW * 1000), b"key", msgspec.json.encode(value))
        for place, value in enumerate(values)
    ]
    async with running(
        tmp_path, with_model=False, clock=FixedClock(NOW), gateway_issuer="http://127.0.0.1:9"
    ) as service:
        scorer = service.scorer
        stream = stream_of(scorer, assess_of(scorer), learn_of(scorer), service.app.state.acting)
        with pytest.raises(Refused, match="cannot be said now"):
            await stream.take(stream.read(records))
        bulk = (await service.client.post("/assess/bulk", json=[*values[1:], event(0, session_id="ses-9")])).json()
        assert [each["error"] for each in bulk] == ["keys_unavailable", "unknown_session"]
