"""Links that open the console for a role, under a name."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operator_links", sa.Column("role", sa.Text))
    op.add_column("operator_links", sa.Column("name", sa.Text))
