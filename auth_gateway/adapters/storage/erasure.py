"""One person's rows, deleted from every table that can name them, and the audit trail without them.

Every table is either in `ERASED` or in `NOBODYS`; a test refuses one that is in neither.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import BindParameter, Select, Table, bindparam, delete, or_, select, update

from auth_gateway.adapters.storage import tables as _first
from auth_gateway.adapters.storage import tables_factors as _factors
from auth_gateway.adapters.storage import tables_provider as _provider
from auth_gateway.adapters.storage.tables import outbox, table_of
from auth_gateway.adapters.storage.tables_events import StreamSubjectRow
from auth_gateway.adapters.storage.tables_risk import LeewayRow, SessionSignalRow, UserRiskHistoryRow, UserRiskRow
from auth_gateway.flows.ports.erasure import Traces
from plumbing.statements import Statement, Transaction

_users, _sessions = table_of(_first.UserRow), table_of(_first.SessionRow)
_families, _tokens = table_of(_first.RefreshFamilyRow), table_of(_first.RefreshTokenRow)
_pending, _audit = table_of(_first.PendingLoginRow), table_of(_first.AuditRow)
_mailed, _interactions = table_of(_factors.MailedCodeRow), table_of(_provider.InteractionRow)
_pushed, _subjects = table_of(_provider.PushedRequestRow), table_of(StreamSubjectRow)
_of_person: BindParameter[str] = bindparam("person")


def _sessions_of() -> Select[tuple[str]]:
    return select(_sessions.c.session_id).where(_sessions.c.user_id == _of_person)


def _in_sessions(table: Table) -> Statement:
    return Statement(delete(table).where(table.c.session_id.in_(_sessions_of())))


def _of_user(table: Table) -> Statement:
    return Statement(delete(table).where(table.c.user_id == _of_person))


_families_of = select(_families.c.family_id).where(_families.c.session_id.in_(_sessions_of()))
_challenges_of = select(_pending.c.token_digest).where(_pending.c.user_id == _of_person)

# Whatever begins for the person meanwhile waits here, and then finds nobody.
HOLD = Statement(select(_users.c.user_id).where(_users.c.user_id == _of_person).with_for_update())
SKELETON = Statement(
    update(_audit)
    .where(or_(_audit.c.user_id == _of_person, _audit.c.session_id.in_(_sessions_of())))
    .values(
        user_id=bindparam("tombstone"),
        session_id=None,
        ip=None,
        incident_id=None,
        detail=None,
        facts=None,
        waits=None,
    )
)
UNWAIT = Statement(update(_audit).where(_audit.c.event_id == bindparam("of_event")).values(waits=None))
EVENT_IDS = Statement(
    select(_audit.c.event_id).where(or_(_audit.c.user_id == _of_person, _audit.c.session_id.in_(_sessions_of())))
)
DELETED: Final[Sequence[tuple[Table, Statement]]] = (
    (_tokens, Statement(delete(_tokens).where(_tokens.c.family_id.in_(_families_of)))),
    (_families, _in_sessions(_families)),
    (_mailed, Statement(delete(_mailed).where(_mailed.c.challenge_digest.in_(_challenges_of)))),
    *(
        (table_of(row), _in_sessions(table_of(row)))
        for row in (
            _provider.SessionClientRow,
            _provider.AuthorizationCodeRow,
            _provider.InteractionRow,
            _provider.DeviceGrantRow,
        )
    ),
    *(
        (table_of(row), _of_user(table_of(row)))
        for row in (
            _provider.BrowserSessionRow,
            _provider.ConsentRow,
            _first.PendingLoginRow,
            _first.TotpFactorRow,
            _first.KnownDeviceRow,
            _factors.PasskeyRow,
            _factors.RecoveryCodeRow,
            _factors.GuessRow,
            _factors.TrustedDeviceRow,
            _factors.MailLinkRow,
            UserRiskHistoryRow,
            UserRiskRow,
            LeewayRow,
            SessionSignalRow,
            _first.SessionRow,
            _first.UserRow,
        )
    ),
)
"""In an order that no foreign key minds."""
_SEARCHED: Final = (
    (_interactions, _interactions.c.interaction_id, _interactions.c.request),
    (_pushed, _pushed.c.request_digest, _pushed.c.request),
)
SEARCHED: Final = tuple(
    (Statement(select(key, text)), Statement(delete(table).where(key == bindparam("of_key"))))
    for table, key, text in _SEARCHED
)
FORGET_SUBJECTS = Statement(delete(_subjects).where(_subjects.c.covered == bindparam("who")))
MESSAGES = Statement(select(outbox.c.message_id, outbox.c.endpoint, outbox.c.body))
UNTELL = Statement(
    delete(outbox).where(outbox.c.message_id == bindparam("of_id"), outbox.c.endpoint == bindparam("to"))
)
ERASED: Final = frozenset(
    {"audit", "outbox", "stream_subjects", "pushed_requests", *(table.name for table, _ in DELETED)}
)
"""Every table in which a person is looked for."""
NOBODYS: Final = frozenset(
    {
        "clients", "signing_keys", "sealing_keys", "destinations", "replays", "streams", "transmitters",
        "seen_once", "revoked_tokens", "policy_versions",
    }
)  # fmt: skip
"""Tables of the gateway and its applications, or of identifiers that name nobody and end by age."""


class StoredErasure:
    """A person's traces in the database."""

    def hold(self, tx: Transaction, user_id: str) -> bool:
        return tx.one(HOLD, person=user_id) is not None

    def untell(self, tx: Transaction, user_id: str, is_about: Callable[[str, str, bytes], bool]) -> int:
        """It walks through the outbox."""
        ids = {row[0] for row in tx.all(EVENT_IDS, person=user_id)}
        theirs = [
            {"of_id": message_id, "to": endpoint}
            for message_id, endpoint, body in tx.all(MESSAGES)
            if _event_of(message_id) in ids or is_about(message_id, endpoint, bytes(body))
        ]
        return tx.many(UNTELL, theirs) if theirs else 0

    def erase(self, tx: Transaction, traces: Traces) -> int:
        rows = tx.run(SKELETON, person=traces.user_id, tombstone=traces.tombstone)
        for look, remove in SEARCHED:
            theirs = [{"of_key": key} for key, text in tx.all(look) if traces.is_named_in(bytes(text))]
            rows += tx.many(remove, theirs) if theirs else 0
        for who in traces.covered:
            rows += tx.run(FORGET_SUBJECTS, who=who)
        return rows + sum(tx.run(statement, person=traces.user_id) for _, statement in DELETED)

    def keep_untold(self, tx: Transaction, event_id: str) -> None:
        tx.run(UNWAIT, of_event=event_id)


def _event_of(message_id: str) -> str:
    """The event that a message of that id tells, whatever more it says of which part."""
    return message_id.partition("_")[2].partition(".")[0]
