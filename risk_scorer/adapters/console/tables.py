"""The tables of the console's read model, for the scorer's metadata. The migration 0019 builds them."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, Table, Text, text

LONG = Integer().with_variant(BigInteger(), "postgresql")
ID = Text().with_variant(Text(collation="C"), "postgresql")
"""In the order of code points, so that ids that begin alike lie beside each other."""
RISKY = text("level <> 'low'")
DECIDED = text("decision IN ('challenge', 'deny')")
ENDED = text("outcome IN ('mfa_passed', 'mfa_failed', 'failure')")
JUDGED = text("verdict <> ''")


def sign_ins_table(metadata: MetaData) -> Table:
    """One row for each scored login; on PostgreSQL by months of `ts`, when it was scored (epoch seconds)."""
    return Table(
        "sign_ins",
        metadata,
        Column("seq", LONG, primary_key=True, autoincrement=True),
        Column("ts", Float, nullable=False),
        Column("event_id", Text, nullable=False),
        # 64 bits of a hash of the event id: an index over them is a quarter of one over the ids.
        Column("event_key", LONG, nullable=False),
        Column("user_id", ID, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("level", Text, nullable=False),
        Column("score", Float, nullable=False),
        # What the gateway said of it, and what was found out: "" as long as nobody did.
        Column("decision", Text, nullable=False),
        Column("rule", Text, nullable=False),
        Column("factor", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("verdict", Text, nullable=False),
        Column("ip", Text, nullable=False),
        # The /24 or /48 of the address; 0 where its network is unknown.
        Column("prefix", Text, nullable=False),
        Column("asn", LONG, nullable=False),
        Column("asn_name", Text, nullable=False),
        Column("country", Text, nullable=False),
        Column("region", Text, nullable=False),
        Column("city", Text, nullable=False),
        Column("device_id", Text, nullable=False),
        Column("browser", Text, nullable=False),
        Column("os", Text, nullable=False),
        Column("ja4", Text, nullable=False),
        # Codes with spaces between, and the heaviest of them.
        Column("reasons", Text, nullable=False),
        Column("model_version", Text, nullable=False),
        Column("dominant", Text, nullable=False),
        Index("sign_ins_by_time", "ts"),
        Index("sign_ins_by_event", "event_key"),
        *(Index(f"sign_ins_by_{name}", column, "ts") for name, column in BY_VALUE),
        *(
            Index(f"sign_ins_by_{column}", column, "ts", sqlite_where=where, postgresql_where=where)
            for column, where in BY_RARE_VALUE
        ),
    )


BY_VALUE = (
    ("user", "user_id"),
    ("prefix", "prefix"),
    ("device", "device_id"),
    ("ja4", "ja4"),
    ("asn", "asn"),
    ("country", "country"),
)
"""Columns that pages are looked up by, each with an index that has its rows in the order of time."""
BY_RARE_VALUE = (("level", RISKY), ("decision", DECIDED), ("outcome", ENDED), ("verdict", JUDGED))
"""Columns whose usual value is that of nearly all rows: only the others are in an index, and a usual login costs none
of it."""


def sign_in_words_table(metadata: MetaData) -> Table:
    """What was said of logins and is not in their rows yet."""
    return Table(
        "sign_in_words",
        metadata,
        Column("id", LONG, primary_key=True, autoincrement=True),
        Column("event_id", Text, nullable=False),
        Column("decision", Text, nullable=False),
        Column("rule", Text, nullable=False),
        Column("factor", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("verdict", Text, nullable=False),
        Column("said_at", Float, nullable=False),
        # When its row is looked for next.
        Column("look_at", Float, nullable=False),
        Index("sign_in_words_by_look", "look_at"),
    )


def sign_in_progress_table(metadata: MetaData) -> Table:
    """How far the log has been taken."""
    return Table(
        "sign_in_progress",
        metadata,
        Column("name", Text, primary_key=True),
        Column("log_id", LONG, nullable=False),
        # Rows before it that may still come, as JSON: [[number, when it was missed], …].
        Column("holes", Text, nullable=False),
        # One more for each time it was written, and for each erasure: who takes rows must have read the one before.
        Column("version", LONG, nullable=False),
    )
