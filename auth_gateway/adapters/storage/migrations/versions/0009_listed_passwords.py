"""Which version of a password was found on a list, so that its owner is told once and asked until it is another."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("listed_version", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("who is asked for another password would be asked no more")
