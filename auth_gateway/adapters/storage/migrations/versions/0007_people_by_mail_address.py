"""People by their mail address, for recovery: a stranger's question must not read the whole table."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    given = sa.text("email <> ''")
    op.create_index("ix_users_email", "users", ["email"], sqlite_where=given, postgresql_where=given)


def downgrade() -> None:
    raise NotImplementedError("recovery looks people up by it")
