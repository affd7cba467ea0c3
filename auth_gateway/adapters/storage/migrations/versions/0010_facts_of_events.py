"""What is known about an event beside its line, and whether the event still waits to be told to those who listen."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("facts", sa.LargeBinary(), nullable=True))
    op.add_column("audit", sa.Column("waits", sa.Boolean(), nullable=True))
    waits = sa.text("waits IS NOT NULL")
    op.create_index("ix_audit_waits", "audit", ["seq"], sqlite_where=waits, postgresql_where=waits)


def downgrade() -> None:
    raise NotImplementedError("what nobody has been told yet would never be told")
