"""Traces by OpenTelemetry, sent over OTLP; imported only where an operator has named a collector.

The library reads the other OTEL_… variables itself: headers, sampling, batch sizes. Spans say what was done and how it
ended, never for whom.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from plumbing.tracing import TRACEPARENT, SpanKind, taken_over

EXPORT_SECONDS: Final = 5.0
"""What one parcel of spans may take; a collector that is away costs them, and nobody waits for it."""
_KINDS: Final = {
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
    "producer": trace.SpanKind.PRODUCER,
}


class OtelTracing:
    """Makes spans and sends them from a thread of its own."""

    def __init__(self, *, endpoint: str, service: str, version: str) -> None:
        """`endpoint` is the collector's base address, to which `/v1/traces` is added (OTLP/HTTP, section "Request")."""
        resource = Resource.create({"service.name": service, "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("riskgate", version)

    @contextmanager
    def span(
        self, name: str, kind: SpanKind, *, parent: str | None = None, linked: str | None = None
    ) -> Iterator["_Noted"]:
        found = _context(parent or TRACEPARENT.get())
        links = [trace.Link(each) for each in [_context(linked)] if each is not None]
        within = None if found is None else trace.set_span_in_context(trace.NonRecordingSpan(found))
        span = self._tracer.start_span(name, within, kind=_KINDS[kind], links=links)
        token = TRACEPARENT.set(_text(span.get_span_context()))
        try:
            yield _Noted(span)
        except Exception as error:  # its text may hold anything
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            TRACEPARENT.reset(token)
            span.end()

    def close(self) -> None:
        """Send what is left. Blocks."""
        self._provider.shutdown()


class _Noted:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, name: str, value: str | int) -> None:
        self._span.set_attribute(name, value)


def _text(context: trace.SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _context(traceparent: str | None) -> trace.SpanContext | None:
    if traceparent is None or taken_over(traceparent) is None:
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    return trace.SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=trace.TraceFlags(int(flags, 16))
    )
