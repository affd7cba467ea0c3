"""The tables of campaigns, for the scorer's metadata. The migration 0018 builds them."""

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text


def campaigns_table(metadata: MetaData) -> Table:
    """Campaigns, open ones and those that ended."""
    return Table(
        "campaigns",
        metadata,
        Column("campaign_id", Text, primary_key=True),
        # open or closed.
        Column("state", Text, nullable=False),
        Column("score", Float, nullable=False),
        # How many members it ever had, and how often it was written.
        Column("members", Integer, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("first_seen", Float, nullable=False),
        Column("last_seen", Float, nullable=False),
        Column("opened_at", Float, nullable=False),
        Column("updated_at", Float, nullable=False),
        Column("closed_at", Float),
        # What speaks for abuse, as JSON; of nobody by name.
        Column("evidence", LargeBinary, nullable=False),
        Index("campaigns_by_age", "opened_at", "campaign_id"),
        Index("campaigns_by_state", "state", "opened_at", "campaign_id"),
    )


def campaign_members_table(metadata: MetaData) -> Table:
    """Who was ever in a campaign."""
    return Table(
        "campaign_members",
        metadata,
        Column("campaign_id", Text, primary_key=True),
        Column("user_id", Text, primary_key=True),
        # What speaks against the account there: names, with commas between them.
        Column("marks", Text, nullable=False),
        Column("first_seen", Float, nullable=False),
        Column("last_seen", Float, nullable=False),
        # Which level the gateway was told of: 0 none, 1 medium, 2 high.
        Column("told", Integer, nullable=False),
        Index("campaign_members_by_user", "user_id"),
    )


def campaign_signals_table(metadata: MetaData) -> Table:
    """What the members of a campaign share, as the last look saw it."""
    return Table(
        "campaign_signals",
        metadata,
        Column("campaign_id", Text, primary_key=True),
        Column("kind", Text, primary_key=True),
        Column("value", Text, primary_key=True),
        Column("accounts", Integer, nullable=False),
    )


def account_scores_table(metadata: MetaData) -> Table:
    """The most unusual accounts of the last look."""
    return Table(
        "account_scores",
        metadata,
        Column("user_id", Text, primary_key=True),
        Column("score", Float, nullable=False),
        Column("z_score", Float, nullable=False),
        Column("isolation", Float, nullable=False),
        # The measures that lie out furthest: names, with commas between them.
        Column("furthest", Text, nullable=False),
        Column("updated_at", Float, nullable=False),
    )


def campaign_looks_table(metadata: MetaData) -> Table:
    """The last look: one row, which whoever writes what was found holds."""
    return Table(
        "campaign_looks",
        metadata,
        Column("name", Text, primary_key=True),
        Column("looks", Integer, nullable=False),
        # One more for each person who was erased: who has them in memory forgets it all and reads anew.
        Column("erasures", Integer, nullable=False),
        Column("looked_at", Float, nullable=False),
        Column("events", Integer, nullable=False),
        Column("accounts", Integer, nullable=False),
        Column("seconds", Float, nullable=False),
    )
