"""The tables of who works at the console and what they did, for the scorer's metadata. Migrations build them."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

LONG = Integer().with_variant(BigInteger(), "postgresql")


def operator_links_table(metadata: MetaData) -> Table:
    """One-time links, by the digest of their token. Without a role they are a reader's."""
    return Table(
        "operator_links",
        metadata,
        Column("digest", LargeBinary, primary_key=True),
        Column("expires_at", Float, nullable=False),
        Column("used_at", Float),
        Column("role", Text),
        # For whom it was made, as the audit has it.
        Column("name", Text),
    )


def operator_sessions_table(metadata: MetaData) -> Table:
    """Sessions at the console, by the digest of their token. One without a way was opened by a link of a reader's."""
    return Table(
        "operator_sessions",
        metadata,
        Column("digest", LargeBinary, primary_key=True),
        Column("started_at", Float, nullable=False),
        Column("expires_at", Float, nullable=False),
        # link or gateway; whose it is, as the audit has it.
        Column("way", Text),
        Column("name", Text),
        # A link's own; somebody whom the gateway vouched for has the role that operator_roles says now.
        Column("role", Text),
        Column("subject", Text),
        # When and how strongly the person proved who they are; the gateway's session, and the token that names it.
        Column("proved_at", Float),
        Column("level", Text),
        Column("gateway_session", Text),
        Column("id_token", Text),
        # 1 where addresses are veiled.
        Column("masked", Integer),
    )


def operator_roles_table(metadata: MetaData) -> Table:
    """Who may open the console, by the subject or the user name at the issuer."""
    return Table(
        "operator_roles",
        metadata,
        Column("name", Text, primary_key=True),
        Column("role", Text, nullable=False),
        Column("added_at", Float, nullable=False),
    )


def console_audit_table(metadata: MetaData) -> Table:
    """What people did at the console, written before it is done."""
    return Table(
        "console_audit",
        metadata,
        Column("id", LONG, primary_key=True, autoincrement=True),
        Column("at", Float, nullable=False),
        Column("operator", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("action", Text, nullable=False),
        # What it was done to, such as a user's id.
        Column("subject", Text, nullable=False),
        Column("reason", Text, nullable=False),
        # begun, done, or the code of why not.
        Column("result", Text, nullable=False),
        Column("request_id", Text, nullable=False),
        Column("ended_at", Float),
        Index("console_audit_by_age", "at"),
        Index("console_audit_by_subject", "subject", "id"),
        Index("console_audit_by_operator", "operator", "id"),
    )


def console_drafts_table(metadata: MetaData) -> Table:
    """Texts that wait until their authors come back, one for each operator; few, and not for long."""
    return Table(
        "console_drafts",
        metadata,
        Column("operator", Text, primary_key=True),
        Column("kept_at", Float, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
