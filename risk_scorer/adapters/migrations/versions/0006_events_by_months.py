"""On PostgreSQL the log of scored events is kept by months; its rows stay where they are, as the first partition."""

from alembic import op

from plumbing.partitions import convert

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        convert(connection, "scored_events", column="ts_scored", key="id")
