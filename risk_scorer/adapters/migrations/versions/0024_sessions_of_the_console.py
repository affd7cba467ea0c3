"""Sessions at the console that the gateway vouches for, and what they show."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COLUMNS = (
    ("way", sa.Text),
    ("name", sa.Text),
    ("role", sa.Text),
    ("subject", sa.Text),
    ("proved_at", sa.Float),
    ("level", sa.Text),
    ("gateway_session", sa.Text),
    ("id_token", sa.Text),
    ("masked", sa.Integer),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("operator_sessions", sa.Column(name, kind))
