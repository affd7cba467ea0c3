"""One line of JSON for each thing that happened, ours and our libraries' alike."""

import logging
import sys
from typing import Any, Final, Literal

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

TALKATIVE: Final = ("httpx2", "alembic")
"""Libraries that tell of each request or step at "info": what they do is in our own lines already."""


LogFormat = Literal["auto", "json", "human"]
"""For programs, for people, or for people where standard error is a terminal."""


def is_for_people(log_format: LogFormat) -> bool:
    """Whether lines are to be read as they are."""
    return log_format == "human" or (log_format == "auto" and sys.stderr.isatty())


def configure_logging(level: str = "INFO", *, pretty: bool = False) -> None:
    """Send all logging to standard error: JSON lines, or coloured lines for a person when `pretty`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _without_control_codes,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(pretty)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for talkative in TALKATIVE:
        logging.getLogger(talkative).setLevel(max(root.level, logging.WARNING))


def _rendering(pretty: bool) -> list[Processor]:
    if pretty:
        # The default shows the local variables of a crash, and those hold people's passwords.
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_as_json)]


def _as_json(event: EventDict, **_options: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode("utf-8")


def _without_control_codes(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Text from outside must not be able to forge a line, nor to paint the operator's terminal."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[name] = "".join(
                sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in value
            )
    return event
