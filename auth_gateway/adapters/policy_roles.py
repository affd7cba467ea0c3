"""What the operator's policy document calls people: the names of its groups and roles that they are in."""

from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.flows.ports import NoDocument, PolicyDocuments
from plumbing.statements import Transaction


class PolicyRoles:
    """The roles of people by the document in force. One without groups and roles says nothing about anybody, and nobody
    is looked up for it."""

    def __init__(self, users: StoredUsers) -> None:
        self.documents: PolicyDocuments = NoDocument()
        self._users = users

    def of(self, tx: Transaction, user_id: str) -> tuple[str, ...] | None:
        document = self.documents.current()
        return document.roles_of(self._users.username(tx, user_id)) if document.people else None
