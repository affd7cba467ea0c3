"""The scorer's tables, as the repositories see them.

The migrations build them; rows never leave the adapters, values do.
"""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text

from risk_scorer.adapters.activity import campaign_tables as campaign
from risk_scorer.adapters.activity import table_shapes as activity
from risk_scorer.adapters.console import desk_tables as desk
from risk_scorer.adapters.console import tables as console
from webhooks.outbox import outbox_table

metadata = MetaData()
# More than the four bytes of an integer on PostgreSQL.
LONG = Integer().with_variant(BigInteger(), "postgresql")

user_histories = Table(
    "user_histories",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("blob", LargeBinary, nullable=False),
    # 0 for a history that a model brought along, then one more for each batch of outcomes learned here.
    Column("version", Integer, nullable=False),
    Column("updated_at", Float, nullable=False),
    # What PostgreSQL itself says of the blob; NULL in a file, and for what was stored before it did.
    Column("digest", Text),
    sqlite_with_rowid=False,
)

imported_models = Table(
    "imported_models",
    metadata,
    Column("histories_sha256", Text, primary_key=True),
    Column("users", Integer, nullable=False),
    Column("imported_at", Float, nullable=False),
)

seen_outcomes = Table(
    "seen_outcomes",
    metadata,
    # "own:" or "failed:" and the id of the outcome.
    Column("event_id", Text, primary_key=True),
    Column("seen_at", Float, nullable=False),
    # The id that the login was scored with, where that is not the outcome's own and something was taught.
    Column("login_id", Text),
    # What it taught, so that a verdict can take it out again; NULL for what was learned before these were kept.
    Column("lesson", LargeBinary),
    Index("seen_outcomes_by_age", "seen_at"),
    Index(
        "seen_outcomes_by_login",
        "login_id",
        sqlite_where=text("login_id IS NOT NULL"),
        postgresql_where=text("login_id IS NOT NULL"),
    ),
)

verdicts = Table(
    "verdicts",
    metadata,
    # The id that the login was scored with.
    Column("event_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ts", Float, nullable=False),
    Column("recorded_at", Float, nullable=False),
    # The login and its score as JSON (NULL when the score is not known), kept for training.
    Column("event", LargeBinary, nullable=False),
    Column("score", LargeBinary),
    # What the login would teach, and the list of what its outcomes taught or would have taught.
    Column("context", LargeBinary, nullable=False),
    Column("own", LargeBinary, nullable=False),
    Index("verdicts_by_user", "user_id", "recorded_at"),
)

verdict_words = Table(
    "verdict_words",
    metadata,
    # In the order in which they came: what each of them said of a login, so that training can see it as of any day.
    Column("id", LONG, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("ts", Float, nullable=False),
    Column("recorded_at", Float, nullable=False),
    Index("verdict_words_by_event", "event_id", "id"),
    Index("verdict_words_by_user", "user_id"),
)

scored_events = Table(
    "scored_events",
    metadata,
    Column("id", LONG, primary_key=True, autoincrement=True),
    # How many events are in the body, and when the last of them was scored.
    Column("events", Integer, nullable=False),
    Column("ts_scored", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

event_places = Table(
    "event_places",
    metadata,
    # 64 bits of a hash of the event id, and the row of `scored_events` with its newest score.
    Column("event_key", LONG, primary_key=True, autoincrement=False),
    Column("row_id", LONG, nullable=False),
)

shadow_scores = Table(
    "shadow_scores",
    metadata,
    # The model that shadows, and the login that another one, `active_version`, decided.
    Column("version", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    # 1 where the login was reported with the right password.
    Column("success", Integer, nullable=False),
    Column("ts_scored", Float, nullable=False),
    Column("active_version", Text, nullable=False),
    Column("active_score", Float, nullable=False),
    Column("score", Float, nullable=False),
    # low, medium or high: which of the marks each score reaches.
    Column("active_level", Text, nullable=False),
    Column("level", Text, nullable=False),
    Index("shadow_scores_by_age", "ts_scored"),
    Index("shadow_scores_by_user", "user_id"),
    # A day of two models is counted from it alone.
    Index("shadow_scores_by_pair", "version", "active_version", "ts_scored", "active_level", "level"),
    sqlite_with_rowid=False,
)

stream_offsets = Table(
    "stream_offsets",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    # The offset after the last record of it whose event is in the log.
    Column("next_offset", LONG, nullable=False),
    Column("updated_at", Float, nullable=False),
    sqlite_with_rowid=False,
)

drift_counts = Table(
    "drift_counts",
    metadata,
    Column("model_version", Text, primary_key=True),
    # Days since 1970, UTC.
    Column("day", Integer, primary_key=True, autoincrement=False),
    # A list of whole numbers, whose meaning the model's reference says.
    Column("counts", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

drift_looks = Table(
    "drift_looks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("looked_at", Float, nullable=False),
    # How often an alarm was raised or cleared.
    Column("changes", Integer, nullable=False),
    Column("report", LargeBinary),
    sqlite_with_rowid=False,
)

credentials = Table(
    "credentials",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("revoked_at", Float),
)

operator_links = desk.operator_links_table(metadata)
operator_sessions = desk.operator_sessions_table(metadata)
operator_roles = desk.operator_roles_table(metadata)
console_audit = desk.console_audit_table(metadata)
console_drafts = desk.console_drafts_table(metadata)

outbox = outbox_table(metadata)
# The console reads the newest messages to one receiver, or its dead ones.
Index("outbox_log", outbox.c.endpoint, outbox.c.created_at, outbox.c.message_id)
Index(
    "outbox_dead",
    *(outbox.c.endpoint, outbox.c.created_at, outbox.c.message_id),
    sqlite_where=outbox.c.dead_at.is_not(None),
    postgresql_where=outbox.c.dead_at.is_not(None),
)

known_sessions = activity.known_sessions_table(metadata)
activity_memory = activity.activity_memory_table(metadata)
activity_events = activity.activity_events_table(metadata)
activity_answers = activity.activity_answers_table(metadata)
session_risk = activity.session_risk_table(metadata)
activity_tasks = activity.activity_tasks_table(metadata)
incidents = activity.incidents_table(metadata)
incident_members = activity.incident_members_table(metadata)

campaigns = campaign.campaigns_table(metadata)
campaign_members = campaign.campaign_members_table(metadata)
campaign_signals = campaign.campaign_signals_table(metadata)
account_scores = campaign.account_scores_table(metadata)
campaign_looks = campaign.campaign_looks_table(metadata)

sign_ins = console.sign_ins_table(metadata)
sign_in_words = console.sign_in_words_table(metadata)
sign_in_progress = console.sign_in_progress_table(metadata)
