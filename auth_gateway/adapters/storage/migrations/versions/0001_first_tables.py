"""The first tables: accounts and factors, sessions and tokens, what is announced and what is written down."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")  # SQLite's integers are as long as they need to be


def upgrade() -> None:
    _create_accounts()
    _create_logins()
    _create_sessions()
    _create_keys_and_clients()
    _create_audit()
    _create_outbox()


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it")


def _text(name: str, **more: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(), **{"nullable": False, **more})


def _time(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _user() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.user_id"])


def _create_accounts() -> None:
    op.create_table(
        "users",
        _text("user_id"),
        _text("username"),
        _text("display_name"),
        _text("password_hash"),
        _text("password_scheme"),
        sa.Column("password_version", sa.Integer(), nullable=False),
        sa.Column("is_frozen", sa.Boolean(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("user_id"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "totp_factors",
        _text("factor_id"),
        _text("user_id"),
        _bytes("sealed_secret"),
        sa.Column("last_used_step", sa.Integer(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("factor_id"),
        sa.UniqueConstraint("user_id"),
        _user(),
    )
    op.create_table(
        "known_devices",
        _text("user_id"),
        _bytes("device_digest"),
        _time("first_seen_at"),
        _time("last_seen_at"),
        sa.PrimaryKeyConstraint("user_id", "device_digest"),
        _user(),
        sqlite_with_rowid=False,
    )


def _create_logins() -> None:
    op.create_table(
        "pending_logins",
        _bytes("token_digest"),
        _text("challenge_id"),
        _text("user_id"),
        _text("client_id"),
        sa.Column("password_version", sa.Integer(), nullable=False),
        _bytes("device_digest", nullable=True),
        _text("event_id"),
        _bytes("event"),
        sa.Column("risk_score", sa.Float(), nullable=True),
        _text("risk_level", nullable=True),
        _time("created_at"),
        _time("expires_at"),
        sa.Column("attempts_left", sa.Integer(), nullable=False),
        _time("consumed_at", nullable=True),
        sa.PrimaryKeyConstraint("token_digest"),
        _user(),
        sqlite_with_rowid=False,
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        _text("session_id"),
        _text("user_id"),
        _text("client_id"),
        _text("amr"),
        _text("acr"),
        sa.Column("auth_time", _LONG, nullable=False),
        _text("ip"),
        _text("user_agent"),
        _bytes("device_digest", nullable=True),
        sa.Column("risk_score", sa.Float(), nullable=True),
        _time("created_at"),
        _time("expires_at"),
        _time("revoked_at", nullable=True),
        _text("revoked_reason", nullable=True),
        sa.PrimaryKeyConstraint("session_id"),
        _user(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    _create_refresh_tokens()


def _create_refresh_tokens() -> None:
    op.create_table(
        "refresh_families",
        _text("family_id"),
        _text("session_id"),
        _text("client_id"),
        _time("created_at"),
        _time("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("family_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_refresh_families_session_id", "refresh_families", ["session_id"])
    op.create_table(
        "refresh_tokens",
        _bytes("token_digest"),
        _text("family_id"),
        _time("issued_at"),
        _time("expires_at"),
        _bytes("successor_digest", nullable=True),
        _time("used_at", nullable=True),
        sa.PrimaryKeyConstraint("token_digest"),
        sqlite_with_rowid=False,
    )


def _create_keys_and_clients() -> None:
    op.create_table(
        "signing_keys",
        _text("kid"),
        _bytes("sealed_private"),
        _text("public_jwk"),
        _time("created_at"),
        _time("activates_at"),
        _time("retired_at", nullable=True),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_table(
        "clients",
        _text("client_id"),
        _bytes("secret_digest"),
        sa.Column("may_vouch", sa.Boolean(), nullable=False),
        sa.Column("may_see_scores", sa.Boolean(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("client_id"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _LONG, nullable=False),
        _text("event_id"),
        _time("ts"),
        _text("kind"),
        _text("user_id", nullable=True),
        _text("client_id", nullable=True),
        _text("session_id", nullable=True),
        _text("ip", nullable=True),
        _text("decision", nullable=True),
        _text("rule", nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        _text("level", nullable=True),
        _text("model_version", nullable=True),
        _text("incident_id", nullable=True),
        _text("detail", nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    for name, columns, where in (
        ("ix_audit_incident_id", ["incident_id"], "incident_id IS NOT NULL"),
        ("ix_audit_user_id_ts", ["user_id", "ts"], "kind <> 'token.refreshed'"),
    ):
        op.create_index(name, "audit", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        _bytes("body"),
        _time("created_at"),
        _time("next_attempt_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _time("claimed_until"),
        _time("delivered_at", nullable=True),
        _time("dead_at", nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", "endpoint"),
    )
    waits = sa.text("delivered_at IS NULL AND dead_at IS NULL")
    columns = ["endpoint", "next_attempt_at"]
    op.create_index("outbox_waiting", "outbox", columns, sqlite_where=waits, postgresql_where=waits)
