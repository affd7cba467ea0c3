"""The tables of those who are told of events. The same rules as in `tables`; secrets are sealed under a key that is not
in the database.
"""

from sqlmodel import Field

from auth_gateway.adapters.storage.tables import EMPTY, GatewayRow


class DestinationRow(GatewayRow, table=True):
    """One who is told of events. `terms` is what else is known of it, as JSON; the previous secret signs beside the
    current one until its time, so that a rotation interrupts nobody."""

    __tablename__ = "destinations"

    destination_id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    kind: str
    url: str
    terms: str
    sealed_secret: bytes | None
    sealed_previous_secret: bytes | None
    previous_secret_until: float | None
    created_at: float
    disabled_at: float | None
    disabled_reason: str = Field(sa_column_kwargs=EMPTY)
