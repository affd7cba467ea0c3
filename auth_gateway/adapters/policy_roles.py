"""What the operator's policy document calls people: the names of its groups and roles that they are in."""

from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.flows.ports import NoDocument, PolicyDocuments
from plumbing.statements import Transaction


class PolicyRoles:
    """The roles of people by the document in force. Until a document is there, nobody has any, and nobody is looked
    up."""

    def __init__(self, users: StoredUsers) -> None:
        self.documents: PolicyDocuments = NoDocument()
        self._users = users

    def of(self, tx: Transaction, user_id: str) -> tuple[str, ...]:
        document = self.documents.current()
        return document.roles_of(self._users.username(tx, user_id)) if document.people else ()
