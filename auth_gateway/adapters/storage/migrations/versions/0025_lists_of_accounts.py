"""Accounts are listed by name and by mail address, in the order of their bytes, and the frozen ones among them."""

import sqlalchemy as sa
from alembic import op

from plumbing.schema_steps import add_index

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen = sa.text("is_frozen")
    add_index(op, "ix_users_frozen", "users", ["username"], sqlite_where=frozen, postgresql_where=frozen)
    if op.get_bind().dialect.name != "postgresql":
        return  # texts are in the order of their bytes there
    name = sa.text('username COLLATE "C"')
    mail = sa.text('lower(email) COLLATE "C"')
    owner = sa.text('user_id COLLATE "C"')
    add_index(op, "ix_users_frozen_bytes", "users", [name], postgresql_where=frozen)
    add_index(op, "ix_users_name_bytes", "users", [name])
    add_index(op, "ix_users_mail_bytes", "users", [mail, owner], postgresql_where=sa.text("email <> ''"))


def downgrade() -> None:
    raise NotImplementedError("accounts are listed by them")
