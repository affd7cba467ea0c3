"""The tables of what happens within sessions, for the scorer's metadata. The migrations 0014, 0015,
0027 and 0031 build them."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text

LONG = Integer().with_variant(BigInteger(), "postgresql")


def known_sessions_table(metadata: MetaData) -> Table:
    """Sessions as the gateway told of them, or as a credential that may vouch described them."""
    return Table(
        "known_sessions",
        metadata,
        Column("session_id", Text, primary_key=True),
        Column("user_id", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        # started, stepped_up, ended, or vouched: then nobody but its reporter knows of it.
        Column("state", Text, nullable=False),
        # What it began with and what its person may do, as MessagePack.
        Column("facts", LargeBinary, nullable=False),
        Column("started_at", Float, nullable=False),
        # When the newest notice that changed something was made, and when the session ended.
        Column("changed_at", Float, nullable=False),
        Column("ended_at", Float),
        Index("known_sessions_by_user", "user_id", "started_at"),
        Index("known_sessions_by_age", "changed_at"),
    )


def activity_memory_table(metadata: MetaData) -> Table:
    """What the detectors remember, one row for each person, session, role, service and trace."""
    return Table(
        "activity_memory",
        metadata,
        # person, session, peers, service, world or trace; and which of them.
        Column("scope", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("packed", LargeBinary, nullable=False),
        # One more for each time it was written: who writes must have read the one before.
        Column("version", Integer, nullable=False),
        Column("updated_at", Float, nullable=False),
        Index("activity_memory_by_age", "scope", "updated_at"),
    )


def activity_events_table(metadata: MetaData) -> Table:
    """The event store; on PostgreSQL by months of `ts`, when the event happened (epoch seconds)."""
    return Table(
        "activity_events",
        metadata,
        Column("id", LONG, primary_key=True, autoincrement=True),
        Column("event_id", Text, nullable=False),
        Column("ts", Float, nullable=False),
        Column("user_id", Text, nullable=False),
        Column("session_id", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("ip", Text, nullable=False),
        # The /24 or /48 of the address; 0 where its network is unknown.
        Column("prefix", Text, nullable=False),
        Column("asn", LONG, nullable=False),
        Column("country", Text, nullable=False),
        Column("device_id", Text, nullable=False),
        Column("ja4", Text, nullable=False),
        Column("user_agent", Text, nullable=False),
        Column("browser", Text, nullable=False),
        # As a template, such as /orders/{id}.
        Column("endpoint", Text, nullable=False),
        Column("method", Text, nullable=False),
        # 0 and NULL are unknown.
        Column("status", Integer, nullable=False),
        Column("latency_ms", Float),
        Column("bytes_in", LONG, nullable=False),
        Column("bytes_out", LONG, nullable=False),
        Column("service", Text, nullable=False),
        Column("trace_id", Text, nullable=False),
        Column("event_type", Text, nullable=False),
        # The session's risk after it, 0-100, and the signals behind that as a JSON list.
        Column("score", Float, nullable=False),
        Column("signals", Text, nullable=False),
        # What else was answered, as MessagePack, where the event came with an id.
        Column("answered", LargeBinary),
        # What else was seen, as MessagePack: roles, privileges, a change of them, the id in the endpoint.
        Column("said", LargeBinary),
        Index("activity_events_by_time", "ts"),
        Index("activity_events_by_user", "user_id", "ts"),
    )


def activity_answers_table(metadata: MetaData) -> Table:
    """The events that came with an id of their own: a repeated one gets the same answer again."""
    return Table(
        "activity_answers",
        metadata,
        # A hash of whose event it is and of its id. It goes with its event.
        Column("event_key", LONG, primary_key=True, autoincrement=False),
        # Empty: the answer is in the row of the event, which happened at `ts`.
        Column("answer", LargeBinary, nullable=False),
        Column("ts", Float),
    )


def session_risk_table(metadata: MetaData) -> Table:
    """The risk of each session that was ever more than nothing, written before anybody gets the answer."""
    return Table(
        "session_risk",
        metadata,
        Column("session_id", Text, primary_key=True),
        Column("user_id", Text, nullable=False),
        Column("score", Float, nullable=False),
        Column("nats", Float, nullable=False),
        # The signals of the last answer as JSON.
        Column("signals", LargeBinary, nullable=False),
        Column("attack_likelihood", Float),
        Column("model_version", Text, nullable=False),
        # How strong a response the gateway was told of: 0 none, 1 step_up, 2 reset_session, 3 logout, 4 freeze.
        Column("told", Integer, nullable=False),
        Column("peak", Float, nullable=False),
        Column("events", LONG, nullable=False),
        Column("started_at", Float, nullable=False),
        Column("updated_at", Float, nullable=False),
        Index("session_risk_by_user", "user_id", "updated_at"),
        Index("session_risk_by_age", "updated_at"),
        # The riskiest first, for pages; most sessions come back to nothing.
        Index(
            "session_risk_by_score",
            "score",
            "session_id",
            sqlite_where=text("score > 0"),
            postgresql_where=text("score > 0"),
        ),
        # The newest of those that are not low, for figures.
        Index(
            "session_risk_risky",
            "updated_at",
            sqlite_where=text("score >= 60"),
            postgresql_where=text("score >= 60"),
        ),
    )


def activity_tasks_table(metadata: MetaData) -> Table:
    """Assessments that nobody waits for: the queue and its answers."""
    return Table(
        "activity_tasks",
        metadata,
        Column("task_id", Text, primary_key=True),
        # pending, running, done or failed.
        Column("state", Text, nullable=False),
        # Whose it is, and whether that credential may vouch.
        Column("caller", Text, nullable=False),
        Column("vouches", Integer, nullable=False),
        Column("user_id", Text, nullable=False),
        # What was asked, as JSON; what was answered, or the code of why not.
        Column("body", LargeBinary, nullable=False),
        Column("result", LargeBinary),
        Column("problem", Text),
        Column("claimed_until", Float, nullable=False),
        Column("claims", Integer, nullable=False),
        Column("created_at", Float, nullable=False),
        Column("finished_at", Float),
        Index(
            "activity_tasks_open",
            "created_at",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index("activity_tasks_finished", "finished_at"),
        Index("activity_tasks_by_user", "user_id"),
    )


def incidents_table(metadata: MetaData) -> Table:
    """Incidents of people and campaigns; of one key all are closed but one at most."""
    return Table(
        "incidents",
        metadata,
        Column("incident_id", Text, primary_key=True),
        # user: or campaign: and whose it is.
        Column("key", Text, nullable=False),
        # open, acknowledged or closed; whose it is to work on, "" for nobody's.
        Column("state", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("score", Float, nullable=False),
        Column("opened_at", Float, nullable=False),
        Column("updated_at", Float, nullable=False),
        # The whole of it as JSON, and one more for each change.
        Column("body", LargeBinary, nullable=False),
        Column("version", Integer, nullable=False),
        # When it is told next, NULL for not at all; when it was last told.
        Column("due_at", Float),
        Column("announced_at", Float),
        Index(
            "incidents_open_by_key",
            "key",
            unique=True,
            sqlite_where=text("state <> 'closed'"),
            postgresql_where=text("state <> 'closed'"),
        ),
        Index("incidents_by_key", "key", "updated_at"),
        Index("incidents_by_age", "updated_at", "incident_id"),
        Index("incidents_by_state", "state", "updated_at", "incident_id"),
        Index("incidents_by_owner", "owner", "updated_at", "incident_id"),
        # Those that nobody has taken, the oldest first.
        Index("incidents_by_work", "owner", "state", "opened_at"),
        Index(
            "incidents_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )


def incident_members_table(metadata: MetaData) -> Table:
    """The people that an incident is about."""
    return Table(
        "incident_members",
        metadata,
        Column("incident_id", Text, primary_key=True),
        Column("user_id", Text, primary_key=True),
        Index("incident_members_by_user", "user_id"),
        sqlite_with_rowid=False,
    )
