"""The last incident of a key is found though it is closed."""

from alembic import op

from plumbing.schema_steps import add_index

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index(op, "incidents_by_key", "incidents", ["key", "updated_at"])
