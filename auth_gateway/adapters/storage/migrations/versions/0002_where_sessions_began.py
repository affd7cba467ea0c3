"""What a refresh or the answer to a challenge is held against: the TLS fingerprint, and whether a client vouched."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("ja4", sa.String(), nullable=True))
    for table in ("sessions", "pending_logins"):
        op.add_column(table, sa.Column("is_vouched", sa.Boolean(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    raise NotImplementedError("sessions are not made to forget where they began")
