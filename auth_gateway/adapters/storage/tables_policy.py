"""The table of policy documents that were saved. The same rules as in `tables`."""

from auth_gateway.adapters.storage.rows import column
from auth_gateway.adapters.storage.tables import LONG, NO_ROWID, GatewayRow


class PolicyVersionRow(GatewayRow, table=True):
    """One saved document, whole; the one with the highest number is in force. Rows are added and never changed, so that
    whoever reads one has all of it."""

    __tablename__ = "policy_versions"
    __table_args__ = (NO_ROWID,)

    version: int = column(primary_key=True, sa_type=LONG, autoincrement=False)
    at: float
    digest: str
    document: str
    rules: int
    by: str
    why: str
    client_id: str
    restored: int
