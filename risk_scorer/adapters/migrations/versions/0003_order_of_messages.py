"""Messages that go one after the other, messages that stand for several, and the old ones found without a search."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WAITS = "delivered_at IS NULL AND dead_at IS NULL"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("order_key", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("fold_key", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("folded", sa.Integer(), server_default=sa.text("0"), nullable=False))
    for name, columns, condition in (
        ("outbox_order", ["endpoint", "order_key", "created_at", "message_id"], f"{WAITS} AND order_key IS NOT NULL"),
        ("outbox_fold", ["endpoint", "fold_key", "created_at"], f"{WAITS} AND fold_key IS NOT NULL"),
        ("outbox_delivered", ["delivered_at"], "delivered_at IS NOT NULL"),
    ):
        op.create_index(name, "outbox", columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
