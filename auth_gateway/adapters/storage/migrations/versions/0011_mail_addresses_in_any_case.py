"""People are found by their mail address however it was written when it was given, and still by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    given = sa.text("email <> ''")
    op.drop_index("ix_users_email", "users")
    op.create_index("ix_users_email", "users", [sa.text("lower(email)")], sqlite_where=given, postgresql_where=given)


def downgrade() -> None:
    raise NotImplementedError("recovery looks people up by it")
