"""Sessions are listed by their risk."""

import sqlalchemy as sa
from alembic import op

from plumbing.schema_steps import add_index

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    risky = sa.text("score > 0")
    by_risk = ["score", "session_id"]
    add_index(op, "session_risk_by_score", "session_risk", by_risk, sqlite_where=risky, postgresql_where=risky)
