"""On PostgreSQL the audit trail is kept by months; its lines stay where they are, as the first partition."""

from alembic import op

from plumbing.partitions import convert

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        convert(connection, "audit", column="ts", key="seq")


def downgrade() -> None:
    raise NotImplementedError("months that have gone do not come back")
