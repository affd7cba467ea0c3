"""When sessions were last seen, for their owners."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("last_seen_at", sa.Float(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    raise NotImplementedError("what was seen is not forgotten")
