"""The overview counts what was found in the risky sessions of a day, along an index that has those alone."""

import sqlalchemy as sa
from alembic import op

from plumbing.schema_steps import add_index

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    risky = sa.text("score >= 60")
    add_index(op, "session_risk_risky", "session_risk", ["updated_at"], sqlite_where=risky, postgresql_where=risky)
