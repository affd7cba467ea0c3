"""Pages of the console read incidents, campaigns, what operators did and a shadow's day along an index of their own."""

from alembic import op

from plumbing.schema_steps import add_index

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index(op, "incidents_by_state", "incidents", ["state", "updated_at", "incident_id"])
    add_index(op, "incidents_by_owner", "incidents", ["owner", "updated_at", "incident_id"])
    add_index(op, "incidents_by_work", "incidents", ["owner", "state", "opened_at"])
    add_index(op, "campaigns_by_state", "campaigns", ["state", "opened_at", "campaign_id"])
    add_index(op, "console_audit_by_operator", "console_audit", ["operator", "id"])
    of_pair = ["version", "active_version", "ts_scored", "active_level", "level"]
    add_index(op, "shadow_scores_by_pair", "shadow_scores", of_pair)
