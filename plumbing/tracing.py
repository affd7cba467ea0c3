"""Where a piece of work stands in its trace: the W3C `traceparent` of the span under way, handed on to whoever is asked
and to what is announced. Nothing here needs a tracing library; without one there is never a span.

Source: W3C Trace Context, section 3.2.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from importlib.metadata import version
from typing import Final, Literal, Protocol

TRACEPARENT: Final[ContextVar[str | None]] = ContextVar("traceparent", default=None)
"""Of the span under way; None where nothing is traced."""
HEADER: Final = "traceparent"

_FORM: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

SpanKind = Literal["server", "client", "producer"]


class Span(Protocol):
    """A piece of work under way."""

    def note(self, name: str, value: str | int) -> None:
        """Say something of it: a status or a kind, never who or where."""
        ...


class Tracing(Protocol):
    """Makes spans."""

    def span(
        self, name: str, kind: SpanKind, *, parent: str | None = None, linked: str | None = None
    ) -> AbstractContextManager[Span]:
        """A piece of work, within the one under way, or within `parent`; `linked` is another that led to it."""
        ...


class _Nothing:
    def note(self, name: str, value: str | int) -> None:
        pass


_NOTHING: Final = nullcontext(_Nothing())


class Untraced:
    """Nobody wants to know."""

    def span(
        self, name: str, kind: SpanKind, *, parent: str | None = None, linked: str | None = None
    ) -> AbstractContextManager[Span]:
        return _NOTHING


UNTRACED: Final = Untraced()


def handed_on() -> Mapping[str, str]:
    """The header that lets whoever is asked join the trace."""
    traceparent = TRACEPARENT.get()
    return {} if traceparent is None else {HEADER: traceparent}


def taken_over(value: str) -> str | None:
    """The traceparent that a header holds, None when it is none."""
    return value if _FORM.fullmatch(value) else None


class SpanLibraryMissing(Exception):
    """Traces are wanted, and what sends them is not installed."""


def opened_tracing(endpoint: str | None, *, service: str) -> tuple[Tracing, Callable[[], None]]:
    """What makes spans, and what sends the last of them at the end; without an endpoint nothing is imported.

    Raises: SpanLibraryMissing.
    """
    if endpoint is None:
        return UNTRACED, lambda: None
    try:
        from plumbing.otel import OtelTracing
    except ImportError as error:
        raise SpanLibraryMissing(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, which needs the extra: pip install 'riskgate[telemetry]'"
        ) from error
    tracing = OtelTracing(endpoint=endpoint, service=service, version=version("riskgate"))
    return tracing, tracing.close
