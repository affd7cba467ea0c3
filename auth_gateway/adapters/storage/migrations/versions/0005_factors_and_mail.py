"""Passkeys, codes, trusted devices, links in mails; who froze an account, and where people are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def _text(name: str, default: str = "''") -> sa.Column[str]:
    return sa.Column(name, sa.String(), server_default=sa.text(default), nullable=False)


ADDED = {
    "users": ("frozen_reason", "language"),
    "sessions": ("place",),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, _text(column))
    op.add_column("pending_logins", _text("place"))
    op.add_column("pending_logins", _text("demand", "'any'"))
    _passkeys()
    _codes()
    _trusted_devices()
    _links()


def _passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", _LONG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("aaguid", sa.String(), nullable=False),
        sa.Column("transports", sa.String(), nullable=False),
        sa.Column("is_backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("is_backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("last_used_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"]),
        sa.PrimaryKeyConstraint("credential_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])


def _codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"]),
        sa.PrimaryKeyConstraint("user_id", "code_digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mailed_codes",
        sa.Column("challenge_digest", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("challenge_digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "guesses",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("began_at", sa.Float(), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind"),
        sqlite_with_rowid=False,
    )


def _trusted_devices() -> None:
    op.create_table(
        "trusted_devices",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.Column("ip", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("revoked_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"]),
        sa.PrimaryKeyConstraint("token_digest"),
        sa.UniqueConstraint("device_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_trusted_devices_user_id", "trusted_devices", ["user_id"])


def _links() -> None:
    op.create_table(
        "mail_links",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("token_digest"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_mail_links_user_id", "mail_links", ["user_id"])


def downgrade() -> None:
    raise NotImplementedError("people would lose what they sign in with")
