"""How far an MFA system has come with a challenge, and what its person is shown for it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ASKED = sa.text("push <> ''")


def upgrade() -> None:
    for name in ("push", "number", "incident_id"):
        op.add_column("pending_logins", sa.Column(name, sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("pending_logins", sa.Column("polled_at", sa.Float(), nullable=True))
    op.create_index(
        "ix_pending_logins_push", "pending_logins", ["challenge_id"], sqlite_where=ASKED, postgresql_where=ASKED
    )


def downgrade() -> None:
    raise NotImplementedError("a refused login could be finished")
