"""The policy document in a file of the operator's, read again while the gateway runs.

Fails to the last good document: an edit that is wrong, or a file that is gone, changes nothing, is logged once and
counted. At the start there is no last good one, and the gateway does not start.
"""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import structlog

from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_document import LARGEST_DOCUMENT, BadDocument, parse
from auth_gateway.core.policy_rule import PolicyDocument

LOOK_SECONDS = 0.5
"""Between two looks at the file. What is new counts when two looks in a row find the same: half of a file that is just
being written may be a document too, with fewer rules. One without a byte is what a full disk leaves, not an edit."""

log = structlog.get_logger(__name__)

Changed = Callable[[PolicyDocument], None]


def read_document(path: Path) -> bytes:
    """The bytes of a policy document, up to one more than the largest may have.

    Raises: OSError; what is no regular file is refused, for reading a pipe may wait for ever.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        with open(number, "rb", closefd=False) as file:
            return file.read(LARGEST_DOCUMENT + 1)
    finally:
        os.close(number)


class PolicyFile:
    """The document of one file. `refused` counts the edits that were wrong; `problem` is there while the file is.

    Raises: BadDocument, OSError when it is made.
    """

    def __init__(self, path: Path, policy: Policy) -> None:
        self.path = path
        self.refused = 0
        self.problem: str | None = None
        self._policy = policy
        data = read_document(path)
        self._document = parse(data, policy)
        self._good = data
        self._seen: bytes | str = data
        self._judged: bytes | str = data

    def current(self) -> PolicyDocument:
        """The last good one."""
        return self._document

    @property
    def text(self) -> str:
        """That of the last good one."""
        return self._good.decode()

    def look(self) -> PolicyDocument | None:
        """Read the file again; the document when it is a new one and counts from now on. Slow: for a thread."""
        found = self._found()
        is_settled, self._seen = found == self._seen, found
        if not is_settled or found == self._judged:
            return None
        self._judged = found
        try:
            if isinstance(found, str):
                raise OSError(found)
            if not found:
                raise OSError("empty: a comment in it says that no rules are meant")
            document = parse(found, self._policy)
        except BadDocument as bad:
            self._refuse(f"line {bad.problems[0].line}: {bad.problems[0].message}")
        except OSError as error:
            self._refuse(str(error))
        else:
            return self._take(document, found)
        return None

    def _found(self) -> bytes | str:
        """What the file holds, or why it cannot be read."""
        try:
            return read_document(self.path)
        except OSError as error:
            return error.strerror or "it cannot be read"

    def _refuse(self, why: str) -> None:
        self.refused += 1
        self.problem = why
        log.error(
            "policy_document_refused", reason=why, refused=self.refused, effect="the last good one stays in force"
        )

    def _take(self, document: PolicyDocument, data: bytes) -> PolicyDocument | None:
        self.problem = None
        is_new = document.digest != self._document.digest
        self._document, self._good = document, data
        log.info("policy_document_read", rules=len(document.rules), digest=document.digest[:12])
        return document if is_new else None
