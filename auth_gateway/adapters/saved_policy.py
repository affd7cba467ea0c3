"""The policy document that was saved in the database, looked for while the gateway runs.

Fails to the last good document, as a file does: one that this gateway cannot read (its switches or its release are
others than those of the gateway that saved it) changes nothing here, is logged once and counted. At the start there is
no last good one, and the gateway does not start.
"""

from threading import Lock

import structlog

from auth_gateway.adapters.storage.policy_versions import StoredPolicyVersions
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_document import BadDocument, parse
from auth_gateway.core.policy_rule import NO_DOCUMENT, PolicyDocument
from auth_gateway.core.policy_version import NO_VERSION, NOTHING_SAVED, PolicyVersion
from plumbing.database import Database
from plumbing.statements import Transaction

log = structlog.get_logger(__name__)


class SavedPolicy:
    """The newest saved document that can be read. `refused` counts those that could not; `problem` is there while the
    newest is one of them.

    Raises: BadDocument, Refused `storage_unavailable` when it is made.
    """

    def __init__(self, database: Database, versions: StoredPolicyVersions, policy: Policy) -> None:
        self.refused = 0
        self.problem: str | None = None
        self._database = database
        self._versions = versions
        self._policy = policy
        self._turn = Lock()  # whoever saved looks at once, beside the look of every second
        found = self._newest(NO_VERSION)
        self._judged = NO_VERSION if found is None else found.version
        self._document = NO_DOCUMENT if found is None else parse(found.document.encode(), policy)

    def current(self) -> PolicyDocument:
        """The last good one."""
        return self._document

    def look(self) -> None:
        """Look for a newer one, which counts from now on. Slow: for a thread.

        Raises: Refused("storage_unavailable", 503); the last good one stays in force.
        """
        with self._turn:
            found = self._newest(self._judged)
            if found is not None:
                self._take(found)

    def _take(self, found: PolicyVersion) -> None:
        self._judged = found.version
        try:
            self._document = parse(found.document.encode(), self._policy)
        except BadDocument as bad:
            self._refuse(found.version, bad)
        else:
            self.problem = None
            log.info("policy_document_read", rules=found.rules, digest=found.digest[:12], version=found.version)

    def _newest(self, known: int) -> PolicyVersion | None:
        """The one in force, where it is not the one that is known."""

        def read(tx: Transaction) -> PolicyVersion | None:
            number = self._versions.newest(tx)
            # Another number, not a higher one alone: a database that was restored from a backup has fewer.
            return None if number == known else self._versions.find(tx, number) or NOTHING_SAVED

        return self._database.read(read)

    def _refuse(self, version: int, bad: BadDocument) -> None:
        self.refused += 1
        self.problem = f"version {version}, line {bad.problems[0].line}: {bad.problems[0].message}"
        log.error(
            "policy_document_refused",
            reason=self.problem,
            refused=self.refused,
            effect="the last good one stays in force",
        )
