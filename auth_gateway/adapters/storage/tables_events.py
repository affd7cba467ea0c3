"""The tables of those who are told of events. The same rules as in `tables`; secrets are sealed under a key that is not
in the database.
"""

from sqlalchemy import Index, false, text

from auth_gateway.adapters.storage.rows import column
from auth_gateway.adapters.storage.tables import EMPTY, LONG, NO_ROWID, NONE_YET, GatewayRow, outbox

_c = outbox.c
# Whoever reads the log of deliveries reads the newest of one destination, or its dead ones.
Index("outbox_log", _c.endpoint, _c.created_at, _c.message_id)
Index(
    "outbox_dead",
    *(_c.endpoint, _c.created_at, _c.message_id),
    sqlite_where=_c.dead_at.is_not(None),
    postgresql_where=_c.dead_at.is_not(None),
)


class DestinationRow(GatewayRow, table=True):
    """One who is told of events. `terms` is what else is known of it, as JSON; the previous secret signs beside the
    current one until its time, so that a rotation interrupts nobody."""

    __tablename__ = "destinations"

    destination_id: str = column(primary_key=True)
    name: str = column(unique=True)
    kind: str
    url: str
    terms: str
    sealed_secret: bytes | None
    sealed_previous_secret: bytes | None
    previous_secret_until: float | None
    created_at: float
    disabled_at: float | None
    disabled_reason: str = column(server_default=EMPTY)


_RUNS = text("ended_at IS NULL")


class ReplayRow(GatewayRow, table=True):
    """A span of the audit trail that a destination is told again, and how far that has come; one of each at a time."""

    __tablename__ = "replays"
    __table_args__ = (
        Index("ix_replays_running", "destination_id", unique=True, sqlite_where=_RUNS, postgresql_where=_RUNS),
    )

    replay_id: str = column(primary_key=True)
    destination_id: str = column(index=True)
    since: float
    until: float
    types: str
    at_ts: float
    at_seq: int = column(sa_type=LONG)
    messages: int = column(sa_type=LONG, server_default=NONE_YET)
    asked_at: float
    ended_at: float | None
    is_stopped: bool = column(server_default=false())


class StreamRow(GatewayRow, table=True):
    """One Shared Signals stream of one receiver, whose id is a client's. `terms` is what it asked for, as JSON."""

    __tablename__ = "streams"

    stream_id: str = column(primary_key=True)
    client_id: str = column(index=True)
    method: str
    endpoint_url: str
    terms: str
    sealed_authorization: bytes | None
    status: str
    reason: str = column(server_default=EMPTY)
    default_subjects: str
    created_at: float
    verified_at: float


class TransmitterRow(GatewayRow, table=True):
    """Another provider whose events we take. `terms` is how its tokens are recognised and what they do, as JSON; the
    rest is what has come of it."""

    __tablename__ = "transmitters"

    transmitter_id: str = column(primary_key=True)
    name: str = column(unique=True)
    issuer: str
    terms: str
    bearer_digest: bytes | None
    sealed_poll_token: bytes | None
    created_at: float
    disabled_at: float | None
    taken: int = column(sa_type=LONG, server_default=NONE_YET)
    unknown_subject: int = column(sa_type=LONG, server_default=NONE_YET)
    not_understood: int = column(sa_type=LONG, server_default=NONE_YET)
    repeated: int = column(sa_type=LONG, server_default=NONE_YET)
    last_taken_at: float = column(server_default=NONE_YET)
    verified_at: float = column(server_default=NONE_YET)
    verified_state: str = column(server_default=EMPTY)
    stream_status: str = column(server_default=EMPTY)
    stream_reason: str = column(server_default=EMPTY)
    polled_at: float = column(server_default=NONE_YET)
    poll_problem: str = column(server_default=EMPTY)


class StreamSubjectRow(GatewayRow, table=True):
    """A subject that a stream names beside its default, as a keyed hash."""

    __tablename__ = "stream_subjects"
    __table_args__ = (NO_ROWID,)

    stream_id: str = column(primary_key=True)
    covered: str = column(primary_key=True)
