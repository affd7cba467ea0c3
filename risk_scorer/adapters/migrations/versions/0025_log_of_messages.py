"""Messages to one receiver, the newest first, for the console."""

from alembic import op

from plumbing.schema_steps import add_index

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index(op, "outbox_log", "outbox", ["endpoint", "created_at", "message_id"])
