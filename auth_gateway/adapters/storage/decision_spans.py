"""The newest decisions of the audit trail, by the index of times: those of late, and where a span of them begins."""

from typing import Final

import msgspec
from sqlalchemy import bindparam, select

from auth_gateway.adapters.storage.decision_log import is_decided
from auth_gateway.adapters.storage.tables import AuditRow, table_of
from auth_gateway.core.policy_counts import Recorded
from auth_gateway.flows.ports.decisions import Start
from plumbing.statements import Statement, Transaction

_audit = table_of(AuditRow)
# The condition is the index's own.
_is_indexed = _audit.c.kind != "token.refreshed"

OUT_OF_ORDER: Final = 1_000
"""Places before the span that are looked at too: several gateways write a little out of the order of their times."""
LATEST = Statement(
    select(_audit.c.ts, _audit.c.decision, _audit.c.rule, _audit.c.facts)
    .where(_is_indexed, _audit.c.ts >= bindparam("since"), _audit.c.decision.is_not(None), _audit.c.rule.is_not(None))
    .order_by(_audit.c.ts.desc(), _audit.c.seq.desc())
    .limit(bindparam("most"))
)
LAST_BEFORE = Statement(
    select(_audit.c.seq)
    .where(_is_indexed, _audit.c.ts < bindparam("since"))
    .order_by(_audit.c.ts.desc(), _audit.c.seq.desc())
    .limit(1)
)
BEYOND = Statement(
    select(_audit.c.seq)
    .where(
        _audit.c.seq > bindparam("after"),
        _audit.c.ts >= bindparam("since"),
        _audit.c.ts < bindparam("until"),
        is_decided(),
    )
    .order_by(_audit.c.seq.desc())
    .limit(1)
    .offset(bindparam("most"))
)


class _Would(msgspec.Struct):
    """What a rule that only reports would have answered."""

    rule: str = ""
    decision: str = ""


class _Circumstances(msgspec.Struct):
    """Of a line's circumstances, what is counted."""

    report_only: tuple[_Would, ...] = ()


_circumstances = msgspec.json.Decoder(_Circumstances)


class StoredDecisionSpans:
    """They, in the database."""

    def latest(self, tx: Transaction, *, since: float, most: int) -> list[Recorded]:
        """The newest first; without refreshes that went through, which are too many to look at."""
        return [
            Recorded(ts, decision, rule, _reported(facts))
            for ts, decision, rule, facts in tx.all(LATEST, since=since, most=most)
        ]

    def start(self, tx: Transaction, *, since: float, until: float, most: int) -> Start:
        """The place after which the last `most` decisions of that span stand."""
        last = tx.one(LAST_BEFORE, since=since)
        after = 0 if last is None else max(0, int(last[0]) - OUT_OF_ORDER)
        beyond = tx.one(BEYOND, after=after, since=since, until=until, most=most)
        return Start(after, is_whole=True) if beyond is None else Start(int(beyond[0]), is_whole=False)


def _reported(facts: bytes | None) -> tuple[tuple[str, str], ...]:
    if not facts or b'"report_only"' not in facts:
        return ()
    return tuple((would.rule, would.decision) for would in _circumstances.decode(facts).report_only)
