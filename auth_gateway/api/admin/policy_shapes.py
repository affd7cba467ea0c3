"""What `/policy` takes and answers. Times are epoch seconds."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from auth_gateway.core.policy_difference import DifferenceLine
from auth_gateway.core.policy_edit import Edits
from auth_gateway.core.policy_rule import PolicyDocument, Rule
from auth_gateway.core.policy_session_marks import NEVER
from auth_gateway.core.policy_version import PolicyVersion
from auth_gateway.flows.policy_desk import Draft, InForce
from auth_gateway.flows.said import LONGEST_NAME, LONGEST_WHY

By = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
Why = Annotated[str, Meta(min_length=1, max_length=LONGEST_WHY)]
Mark = float | Literal["never"]


class SaveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`PUT /policy`: the whole document, who saves it, and why."""

    document: str
    by: By
    why: Why


class RestoreBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /policy/restore`: the version whose text is brought back; 0 is the empty one before the first."""

    version: Annotated[int, Meta(ge=0, le=999_999_999)]
    by: By
    why: Why


class CheckBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /policy/check`: a document, and what is to be set otherwise in its text."""

    document: str
    edits: Edits = Edits()


class ShownRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, by its number from 1; `asks` are its conditions as they were written, `line` is where it begins."""

    number: int
    name: str
    then: str
    demand: str | None
    paths: tuple[str, ...]
    asks: str
    report_only: bool
    line: int


class ShownMarks(msgspec.Struct, frozen=True, kw_only=True):
    """Marks of an application, a group or a role, by their number from 1."""

    number: int
    meant: str
    step_up: float
    deny: float
    model: str


class ShownSessionMarks(msgspec.Struct, frozen=True, kw_only=True):
    """From which risk of a session on it is answered how."""

    step_up: float
    reset: Mark
    logout: Mark
    freeze: Mark
    report_only: bool


class ShownPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force. `source` is `file` where LOGIN_POLICY_FILE is set, and then nothing can be saved; `built_in`
    where nothing was ever saved. `problem` is there while this gateway cannot read the newest document: the last good
    one decides, and its rules are told."""

    source: Literal["saved", "file", "built_in"]
    version: int
    digest: str
    at: float | None
    by: str
    why: str
    restored: int | None
    problem: str | None
    document: str
    rules: list[ShownRule]
    marks: list[ShownMarks]
    session_marks: ShownSessionMarks


class ShownDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A document that may be saved: its text with what was set, what it means, how it differs from what is in force."""

    document: str
    rules: list[ShownRule]
    marks: list[ShownMarks]
    session_marks: ShownSessionMarks
    difference: tuple[DifferenceLine, ...]


class SavedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A saved version without its text. `restored` is the version whose text it brought back."""

    version: int
    at: float
    digest: str
    rules: int
    by: str
    why: str
    client_id: str
    restored: int | None


class ShownVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A saved version with its text."""

    saved: SavedVersion
    document: str


class PolicyHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Saved versions, the newest first; `next` goes on, as `cursor`."""

    versions: list[SavedVersion]
    next: int | None


class PolicyDifference(msgspec.Struct, frozen=True, kw_only=True):
    """How two versions differ."""

    before: int = msgspec.field(name="from")
    after: int = msgspec.field(name="to")
    lines: tuple[DifferenceLine, ...]


SHAPES = (
    SaveBody,
    RestoreBody,
    CheckBody,
    ShownPolicy,
    ShownDraft,
    ShownVersion,
    PolicyHistory,
    PolicyDifference,
)


def shown_policy(found: InForce) -> ShownPolicy:
    """As programs are told of it."""
    version = found.version
    source: Any = "file" if found.is_file else "saved" if version.version else "built_in"
    return ShownPolicy(
        source=source,
        version=version.version,
        digest=found.document.digest,
        at=version.at or None,
        by=version.by,
        why=version.why,
        restored=version.restored or None,
        problem=found.problem,
        document=version.document,
        **_meaning(found.document),
    )


def shown_draft(draft: Draft) -> ShownDraft:
    """As programs are told of it."""
    return ShownDraft(document=draft.text, difference=draft.difference, **_meaning(draft.document))


def saved_version(found: PolicyVersion) -> SavedVersion:
    """As programs are told of it."""
    return SavedVersion(
        version=found.version,
        at=found.at,
        digest=found.digest,
        rules=found.rules,
        by=found.by,
        why=found.why,
        client_id=found.client_id,
        restored=found.restored or None,
    )


def _meaning(document: PolicyDocument) -> dict[str, Any]:
    of_sessions = document.session_marks
    never: dict[str, Any] = {
        name: NEVER if (mark := getattr(of_sessions, name)) is None else mark for name in _MAY_BE_NEVER
    }
    return {
        "rules": [_rule(number, rule) for number, rule in enumerate(document.rules, 1)],
        "marks": [
            ShownMarks(number=number, meant=own.meant, step_up=own.marks.step_up, deny=own.marks.deny, model=own.model)
            for number, own in enumerate(document.marks, 1)
        ],
        "session_marks": ShownSessionMarks(step_up=of_sessions.step_up, report_only=of_sessions.report_only, **never),
    }


_MAY_BE_NEVER = ("reset", "logout", "freeze")


def _rule(number: int, rule: Rule) -> ShownRule:
    return ShownRule(
        number=number,
        name=rule.name,
        then=rule.then,
        demand=rule.demand if rule.then == "challenge" else None,
        paths=rule.paths,
        asks=rule.asks,
        report_only=rule.report_only,
        line=rule.line,
    )
