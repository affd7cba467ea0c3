"""The policy document as people change it: what is in force, another text looked at for faults, saved and brought back.
Each change has a name and a reason, and is of a version that somebody looked at.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import OPERATOR, Facts
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_difference import DifferenceLine, difference
from auth_gateway.core.policy_document import BadDocument, Problem, parse
from auth_gateway.core.policy_edit import CannotEdit, Edits, edited
from auth_gateway.core.policy_rule import NO_DOCUMENT, PolicyDocument
from auth_gateway.core.policy_version import LARGEST_SAVED, NO_VERSION, NOTHING_SAVED, PolicyVersion
from auth_gateway.flows.ports import AuditTrail, Clock, PolicyVersions, Randomness
from auth_gateway.flows.said import Said
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

MOST_SHOWN: Final = 50
MOST_PROBLEMS: Final = 50


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A text that may be saved, what it means, and how it differs from the one in force."""

    text: str
    document: PolicyDocument
    difference: tuple[DifferenceLine, ...]


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force: the version, its text and what it means. `is_file`: the text is a file's, and nothing is saved
    here. `problem`: the text cannot be read, and `document` is the last good one."""

    version: PolicyVersion
    document: PolicyDocument
    is_file: bool
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDesk:
    """Keeps the policy document. Blocks: for a thread, or a command line. `present` decides now; `file_text` is the
    text of LOGIN_POLICY_FILE as it decides, None where there is none; `taken` is called when another document was
    saved, so that it counts here at once."""

    database: Database
    clock: Clock
    randomness: Randomness
    versions: PolicyVersions
    audit: AuditTrail
    policy: Policy
    present: Callable[[], PolicyDocument]
    file_text: Callable[[], str | None]
    taken: Callable[[], object]

    def in_force(self) -> InForce:
        """What decides now, and its text."""
        text = self.file_text()
        if text is not None:
            return InForce(version=PolicyVersion(document=text), document=self.present(), is_file=True)
        version = self._newest()
        if version.version == NO_VERSION:
            return InForce(version=version, document=NO_DOCUMENT, is_file=False)
        try:
            document = parse(version.document.encode(), self.policy)
        except BadDocument as bad:
            problem = f"line {bad.problems[0].line}: {bad.problems[0].message}"
            return InForce(version=version, document=self.present(), is_file=False, problem=problem)
        return InForce(version=version, document=document, is_file=False)

    def draft(self, text: str, edits: Edits) -> Draft:
        """The text with these edits, if it may be saved.

        Raises: Refused `invalid_policy`, `cannot_edit` (422).
        """
        document = self._read(text)
        try:
            made = edited(text, document, edits)
        except CannotEdit as error:
            raise Refused("cannot_edit", f"Edit the text itself: {error}.", status=422) from None
        document = document if made == text else self._read(made)
        return Draft(text=made, document=document, difference=difference(self._text_in_force(), made))

    def save(self, text: str, said: Said, *, expected_version: int) -> PolicyVersion:
        """The version that it is from now on; what is in force already gets no other number.

        Raises: Refused `policy_from_file` (409), `policy_changed` (412), `invalid_policy` (422).
        """
        return self._save(text, said, expected_version=expected_version, restored=NO_VERSION)

    def restore(self, version: int, said: Said, *, expected_version: int) -> PolicyVersion:
        """An earlier text again, as a new version.

        Raises: Refused `unknown_version` (404), and as `save`.
        """
        text = "" if version == NO_VERSION else self.version(version).document
        return self._save(text, said, expected_version=expected_version, restored=version)

    def history(self, before: int, limit: int) -> list[PolicyVersion]:
        """Saved versions, the newest first."""
        return self.database.read(lambda tx: self.versions.before(tx, before, min(limit, MOST_SHOWN)))

    def version(self, number: int) -> PolicyVersion:
        """A saved version. Raises: Refused("unknown_version", 404)."""
        if number == NO_VERSION:
            return NOTHING_SAVED
        found = self.database.read(lambda tx: self.versions.find(tx, number))
        if found is None:
            raise Refused("unknown_version", "No policy document of this number was saved.", status=404)
        return found

    def between(self, earlier: int, later: int) -> tuple[DifferenceLine, ...]:
        """How two versions differ. Raises: Refused("unknown_version", 404)."""
        return difference(self.version(earlier).document, self.version(later).document)

    def _save(self, text: str, said: Said, *, expected_version: int, restored: int) -> PolicyVersion:
        if self.file_text() is not None:
            words = (
                "The policy is a file of the operator's (LOGIN_POLICY_FILE): change it there, or unset that setting."
            )
            raise Refused("policy_from_file", words, status=409)
        document = self._read(text)
        made = PolicyVersion(
            version=expected_version + 1,
            at=self.clock.now(),
            digest=document.digest,
            document=text,
            rules=len(document.rules),
            by=said.by,
            why=said.why,
            client_id=said.client_id or "",
            restored=restored,
        )
        line = self._line(made, said)

        def job(tx: Transaction) -> PolicyVersion:
            newest = self.versions.newest(tx)
            if newest != expected_version:
                _refuse_changed(newest)
            present = self.versions.find(tx, newest)
            if present is not None and present.document == text:
                return present
            if not self.versions.add(tx, made):  # somebody else's, committed since this transaction looked
                _refuse_changed(made.version)
            self.audit.record(tx, line)
            return made

        saved = self.database.write_sync(job)
        with suppress(Refused):  # it is saved, and the next look is within a second
            self.taken()
        return saved

    def _line(self, made: PolicyVersion, said: Said) -> AuditEvent:
        what = f"{made.digest} {made.rules} rules, version {made.version}"
        back = f", that of version {made.restored} again" if made.restored else ""
        return AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=made.at,
            kind="policy.changed",
            client_id=said.client_id,
            detail=said.beside(what + back),
            facts=Facts(by=said.client_id or OPERATOR),
        )

    def _newest(self) -> PolicyVersion:
        def read(tx: Transaction) -> PolicyVersion:
            return self.versions.find(tx, self.versions.newest(tx)) or NOTHING_SAVED

        return self.database.read(read)

    def _text_in_force(self) -> str:
        text = self.file_text()
        return self._newest().document if text is None else text

    def _read(self, text: str) -> PolicyDocument:
        data = text.encode()
        if len(data) > LARGEST_SAVED:
            refuse((Problem(1, f"the document is larger than {LARGEST_SAVED} bytes"),))
        try:
            return parse(data, self.policy)
        except BadDocument as bad:
            refuse(bad.problems)


def refuse(problems: tuple[Problem, ...]) -> NoReturn:
    """Say what is wrong, each with its line."""
    told = [{"line": each.line, "message": each.message} for each in problems[:MOST_PROBLEMS]]
    words = f"Line {problems[0].line}: the document is wrong, and nothing was changed."
    raise Refused("invalid_policy", words, status=422, evidence={"problems": told, "count": len(problems)})


def _refuse_changed(newest: int) -> NoReturn:
    words = "Somebody saved another version since: nothing was changed. Look at it, and save again."
    raise Refused("policy_changed", words, status=412, evidence={"version": newest})
