"""How often a family was refused for its risk within the hour, so that nobody tries contexts for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column, kind in (("refusals", sa.Integer()), ("refused_since", sa.Float())):
        op.add_column("refresh_families", sa.Column(column, kind, server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    raise NotImplementedError("refusals are not forgotten")
