"""Dead messages to one receiver, for the console."""

import sqlalchemy as sa
from alembic import op

from plumbing.schema_steps import add_index

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    dead = sa.text("dead_at IS NOT NULL")
    add_index(
        op, "outbox_dead", "outbox", ["endpoint", "created_at", "message_id"], sqlite_where=dead, postgresql_where=dead
    )
