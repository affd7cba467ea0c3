"""What an event's person might do and what it was about, in the event's row: models of sessions are trained on it."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activity_events", sa.Column("said", sa.LargeBinary))
