"""One line of the log for each decision, and for whatever else stands in the audit trail: what log shippers read.

The names of its fields are documented in docs/observability.md and stay. They hold ids, circumstances and reasons: no
name that somebody typed, and nothing that opens anything.
"""

import logging
from typing import Final

import structlog

from auth_gateway.core.audit import AuditEvent, Kind

QUIET: Final[frozenset[Kind]] = frozenset({"token.refreshed", "token.retried", "token.issued"})
"""What happens all day without anybody's doing: told at the level "debug"."""
_FIELDS: Final = (
    "event_id",
    "kind",
    "user_id",
    "client_id",
    "ip",
    "decision",
    "rule",
    "score",
    "model_version",
    "incident_id",
)

_NAME: Final = "auth_gateway.decisions"
_log = structlog.get_logger(_NAME)
_level = logging.getLogger(_NAME)


def write_line(line: AuditEvent) -> None:
    """The line in the log; what is not known of it is left out."""
    is_quiet = line.kind in QUIET
    if is_quiet and not _level.isEnabledFor(logging.DEBUG):  # the hottest path, past the making of a line
        return
    fields = {name: value for name in _FIELDS if (value := getattr(line, name)) is not None}
    if line.level is not None:
        fields["risk_level"] = line.level  # "level" is the log's own
    if line.facts is not None and line.facts.path is not None:
        fields["path"] = line.facts.path
    if line.facts is not None and line.facts.unscored:
        fields["unscored"] = line.facts.unscored
    if is_quiet:
        _log.debug("decision", **fields)
    else:
        _log.info("decision" if line.decision is not None else "recorded", **fields)
