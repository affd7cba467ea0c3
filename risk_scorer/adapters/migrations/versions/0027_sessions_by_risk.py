"""Sessions are listed by their risk."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    risky = sa.text("score > 0")
    op.create_index(
        "session_risk_by_score", "session_risk", ["score", "session_id"], sqlite_where=risky, postgresql_where=risky
    )
