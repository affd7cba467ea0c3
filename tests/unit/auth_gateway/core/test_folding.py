"""A message that stands for more than its own event says so, and loses nothing of its own."""

import jsonschema
import msgspec
import pytest

from auth_gateway.core.event import Event
from auth_gateway.core.event_reference import schema_document
from auth_gateway.core.folding import MOST_IDS, grown
from auth_gateway.core.told import told
from webhooks.announcement import announcement

EVENT = Event(event_id="evt_0", type="login.failed", ts=100.0, user_id="ann", ip_prefix="198.51.100.0/24", rule="wrong")
BODY = announcement(EVENT.type, at=EVENT.ts, data=told(EVENT))


def test_212_more_of_the_same() -> None:
    """The count, from when to when in whatever order they came, the first ids; all else stays as it was."""
    body = BODY
    for number in range(1, 213):
        body = grown(body, count=number, event_id=f"evt_{number}", ts=100.0 + (number * 7) % 213)
    message = msgspec.json.decode(body)
    folded = message["data"].pop("folded")
    assert message == msgspec.json.decode(BODY)
    assert (folded["count"], folded["first_ts"], folded["last_ts"]) == (212, 101.0, 312.0)
    assert folded["event_ids"] == [f"evt_{number}" for number in range(1, MOST_IDS + 1)]


def test_a_folded_message_has_the_published_shape() -> None:
    """What is grown is still what the schema of its type says."""
    message = msgspec.json.decode(grown(BODY, count=1, event_id="evt_1", ts=101.0))
    schema = schema_document()["events"]["login.failed"]
    jsonschema.validate(message, schema)
    message["data"]["folded"]["count"] = "many"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(message, schema)
