"""What the OpenID provider keeps: registrations, browsers, requests, codes, devices, consents."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_EMPTY = sa.text("''")
_LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

ADDED = {
    "users": (
        sa.Column("email", sa.String(), server_default=_EMPTY, nullable=False),
        sa.Column("email_verified", sa.Boolean(), server_default=sa.false(), nullable=False),
    ),
    "clients": (
        sa.Column("registration", sa.String(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("previous_secret_digest", sa.LargeBinary(), nullable=True),
        sa.Column("previous_secret_until", sa.Float(), nullable=True),
    ),
    "sessions": (sa.Column("browser_id", sa.String(), nullable=True),),
    "pending_logins": (sa.Column("recognised_at", _LONG, nullable=True),),
    "refresh_families": (
        sa.Column("kind", sa.String(), server_default=sa.text("'login'"), nullable=False),
        sa.Column("scope", sa.String(), server_default=sa.text("'openid profile email'"), nullable=False),
        sa.Column("audience", sa.String(), server_default=_EMPTY, nullable=False),
        sa.Column("jkt", sa.String(), nullable=True),
        sa.Column("claims", sa.String(), nullable=True),
        sa.Column("first_ip", sa.String(), nullable=True),
        sa.Column("first_user_agent", sa.String(), nullable=True),
        sa.Column("first_device_digest", sa.LargeBinary(), nullable=True),
        sa.Column("first_ja4", sa.String(), nullable=True),
    ),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(
        "ix_sessions_browser_id",
        "sessions",
        ["browser_id"],
        sqlite_where=sa.text("browser_id IS NOT NULL"),
        postgresql_where=sa.text("browser_id IS NOT NULL"),
    )
    _browsers()
    _requests()
    _devices_and_consents()
    _once()


def _browsers() -> None:
    op.create_table(
        "browser_sessions",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("browser_id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("token_digest"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_browser_sessions_browser_id", "browser_sessions", ["browser_id"])
    op.create_table(
        "session_clients",
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("session_id", "client_id"),
        sqlite_with_rowid=False,
    )


def _requests() -> None:
    op.create_table(
        "pushed_requests",
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("request_digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "interactions",
        sa.Column("interaction_id", sa.String(), nullable=False),
        sa.Column("binding_digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=True),
        sa.Column("challenge", sa.LargeBinary(), nullable=True),
        sa.Column("incident_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("interaction_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "authorization_codes",
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("redirect_uri", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("code_challenge", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=True),
        sa.Column("claims", sa.String(), nullable=True),
        sa.Column("dpop_jkt", sa.String(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("code_digest"),
        sqlite_with_rowid=False,
    )


def _devices_and_consents() -> None:
    op.create_table(
        "device_grants",
        sa.Column("device_digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_code", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("acr_values", sa.String(), nullable=False),
        sa.Column("ip", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=True),
        sa.Column("interval_seconds", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("device_digest"),
        sa.UniqueConstraint("user_code"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consents",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("granted_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"]),
        sa.PrimaryKeyConstraint("user_id", "client_id"),
        sqlite_with_rowid=False,
    )


def _once() -> None:
    op.create_table(
        "seen_once",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revoked_tokens",
        sa.Column("jti", sa.String(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("jti"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("sessions and registrations are not thrown away")
