"""The tables of what is held against people. The same rules as in `tables`."""

from sqlalchemy import Index

from auth_gateway.adapters.storage.rows import column
from auth_gateway.adapters.storage.tables import LONG, NO_ROWID, GatewayRow


class UserRiskRow(GatewayRow, table=True):
    """A person's risk as it was at `at`; nobody that nothing was ever seen of has a row."""

    __tablename__ = "user_risk"
    __table_args__ = (NO_ROWID,)

    user_id: str = column(primary_key=True, foreign_key="users.user_id")
    value: float
    at: float
    is_held: bool


class LeewayRow(GatewayRow, table=True):
    """How many challenges a person answered, as it was at `at`; nobody who never did has a row.

    It goes with the person: a gateway of an older release, which may still serve, erases people and knows of none.
    """

    __tablename__ = "leeway"
    __table_args__ = (NO_ROWID,)

    user_id: str = column(primary_key=True, foreign_key="users.user_id", goes_with_it=True)
    passed: float
    at: float


class SessionSignalRow(GatewayRow, table=True):
    """What the scorer signalled of a session or a person, and what was done; the key makes each count once. `reasons`
    is JSON."""

    __tablename__ = "session_signals"
    __table_args__ = (
        Index("ix_session_signals_user_id", "user_id", "received_at"),
        Index("ix_session_signals_received_at", "received_at"),
        NO_ROWID,
    )

    signal_id: str = column(primary_key=True)
    session_id: str
    user_id: str
    score: float
    recommended: str
    response: str
    effect: str
    source: str
    campaign_id: str | None
    reasons: bytes
    observed_at: float
    received_at: float


class UserRiskHistoryRow(GatewayRow, table=True):
    """One change of a person's risk, in order."""

    __tablename__ = "user_risk_history"
    __table_args__ = (Index("ix_user_risk_history_user_id_seq", "user_id", "seq"),)

    seq: int | None = column(primary_key=True, sa_type=LONG)
    user_id: str = column(foreign_key="users.user_id")
    ts: float
    source: str
    reason: str
    before: float
    after: float
    event_id: str
    scored_as: str
    by: str
    why: str
