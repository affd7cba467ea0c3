"""What policy is made of: the operator's switches and document become what flows decide by. No rules."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from auth_gateway.adapters.policy_file import LOOK_SECONDS, PolicyFile
from auth_gateway.adapters.saved_policy import SavedPolicy
from auth_gateway.adapters.storage.policy_versions import StoredPolicyVersions
from auth_gateway.api.answers import PolicyState
from auth_gateway.assembly import Gateway
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.facts import GATEWAY, OPERATOR, Facts
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_document import BadDocument
from auth_gateway.core.policy_rule import PolicyDocument
from auth_gateway.flows.policy_in_force import PolicyInForce
from auth_gateway.mailing import has_mail
from auth_gateway.opening import CannotStart
from auth_gateway.settings import Settings
from auth_gateway.upkeep import repeat
from auth_gateway.user_risks import risks_now
from plumbing.refusals import Refused

LOOK_SAVED_SECONDS = 1.0
"""Between two looks at what is saved: each is a look-up of one number, and an edit counts everywhere soon after."""

log = structlog.get_logger(__name__)


def switches(settings: Settings) -> Policy:
    """The operator's switches; where no letter arrives, no code goes by mail."""
    return Policy(
        high_deny=settings.login_policy_high_deny,
        medium_requires_mfa=settings.login_policy_medium_requires_mfa,
        phishing_resistant_from=settings.login_policy_phishing_resistant_from,
        email_code=settings.login_policy_email_code and has_mail(settings),
        push=settings.mfa_push,
        leeway_points=settings.login_policy_leeway_points,
        user_risk_half_life_seconds=settings.user_risk_half_life_seconds,
    )


def opened_document(settings: Settings) -> PolicyFile | None:
    """The policy document that the settings name.

    Raises: CannotStart for one that cannot be read or is wrong: somebody believes in rules that nobody would apply.
    """
    path = settings.login_policy_file
    if path is None:
        return None
    try:
        return PolicyFile(path, switches(settings))
    except OSError as error:
        raise CannotStart(
            f"LOGIN_POLICY_FILE cannot be read: {error.strerror}; name a file that this user may read, or unset it"
        ) from error
    except BadDocument as bad:
        first = bad.problems[0]
        raise CannotStart(
            f"LOGIN_POLICY_FILE, line {first.line}: {first.message}; `auth-gateway policy check FILE` shows all"
        ) from bad


def opened_versions(gateway: Gateway) -> SavedPolicy:
    """The policy document that was saved in the database.

    Raises: CannotStart for one that this gateway cannot read, as for a file; Refused("storage_unavailable", 503).
    """
    try:
        return SavedPolicy(gateway.database, StoredPolicyVersions(), switches(gateway.settings))
    except BadDocument as bad:
        first = bad.problems[0]
        raise CannotStart(
            f"the saved policy document, line {first.line}: {first.message}; "
            "`auth-gateway policy save FILE` puts another one in its place"
        ) from bad


class Policing:
    """The document of a serving gateway, a file's or a saved one, and what keeps it up to date."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.documents: PolicyFile | SavedPolicy = opened_document(gateway.settings) or opened_versions(gateway)
        gateway.roles.documents = self.documents

    @property
    def in_force(self) -> PolicyInForce:
        """What flows ask."""
        return PolicyInForce(documents=self.documents, user_risks=risks_now(self._gateway), username_of=self._username)

    def state(self) -> PolicyState:
        """What answers, for those who watch the service."""
        if self.documents.problem is not None:
            return "last_good_document"
        return "document" if self.documents.current().digest else "built_in"

    def background(self) -> list[Coroutine[Any, Any, None]]:
        """What looks for edits."""
        pause_seconds = LOOK_SECONDS if isinstance(self.documents, PolicyFile) else LOOK_SAVED_SECONDS
        return [repeat(pause_seconds, self.look)]

    async def look(self) -> None:
        """Look once; a file's new document is written down, as a saved one was when it was saved; and so is one that is
        refused, without its text.

        Raises: Refused("storage_unavailable", 503); the document is in force all the same.
        """
        refused = self.documents.refused
        document = await self._looked()
        if document is not None:
            await self._write_down("policy.changed", OPERATOR, f"{document.digest} {len(document.rules)} rules")
        elif self.documents.refused != refused:
            await self._write_down("policy.refused", GATEWAY, None)

    async def _looked(self) -> PolicyDocument | None:
        """What a file has that nobody has written down yet."""
        if isinstance(self.documents, PolicyFile):
            return await asyncio.to_thread(self.documents.look)
        try:
            await asyncio.to_thread(self.documents.look)
        except Refused as refused:  # while the storage is away nobody is let in; the next look is soon
            log.debug("policy_not_looked_for", reason=refused.code)
        return None

    async def _write_down(self, kind: Kind, by: str, detail: str | None) -> None:
        gateway = self._gateway
        event_id, now = gateway.randomness.event_id("evt"), gateway.clock.now()
        line = AuditEvent(event_id=event_id, ts=now, kind=kind, detail=detail, facts=Facts(by=by))
        await gateway.database.write(lambda tx: gateway.audit.record(tx, line))

    def _username(self, user_id: str) -> str:
        gateway = self._gateway
        return gateway.database.read(lambda tx: gateway.users.username(tx, user_id))
