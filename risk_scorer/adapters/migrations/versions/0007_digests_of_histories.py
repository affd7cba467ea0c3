"""On PostgreSQL the database itself keeps a digest of each history, so that a copy of one can be told from an old one.

The server computes it whoever writes, an earlier release or a person at its console too: what a copy is held against
must not depend on anybody remembering it. What was stored before has none until it changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION digest_of_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.digest = left(encode(sha256(NEW.blob), 'hex'), 32);
  RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER digest_of_history BEFORE INSERT OR UPDATE ON user_histories
FOR EACH ROW EXECUTE FUNCTION digest_of_history()
"""


def upgrade() -> None:
    op.add_column("user_histories", sa.Column("digest", sa.Text(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FUNCTION)
        op.execute(TRIGGER)
