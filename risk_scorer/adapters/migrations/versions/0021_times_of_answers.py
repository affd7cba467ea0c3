"""When an event was that has been answered: with its person and its id that finds its row."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activity_answers", sa.Column("ts", sa.Float))
