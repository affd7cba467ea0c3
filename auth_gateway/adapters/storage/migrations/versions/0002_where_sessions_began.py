"""What somebody who comes back is held against: TLS fingerprint, country, and whether a client vouched for it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("ja4", sa.String(), nullable=True))
    for table in ("sessions", "pending_logins"):
        op.add_column(table, sa.Column("is_vouched", sa.Boolean(), server_default=sa.false(), nullable=False))
        op.add_column(table, sa.Column("country", sa.String(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    raise NotImplementedError("sessions are not made to forget where they began")
