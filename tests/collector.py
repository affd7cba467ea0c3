"""A collector of traces: takes OTLP over HTTP as the exporter sends it, and keeps the spans."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {2: "server", 3: "client", 4: "producer"}


@dataclass(frozen=True)
class Span:
    """One span, its ids as in a `traceparent`."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass
class Collector:
    """What was sent, decoded and as it came; `others` are the requests that came elsewhere, with their headers."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    others: list[dict[str, str]] = field(default_factory=list)

    def named(self, name: str, service: str) -> list[Span]:
        return [span for span in self.spans if (span.name, span.service) == (name, service)]

    def take(self, body: bytes) -> None:
        self.raw.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    Span(
                        service=told["service.name"],
                        name=each.name,
                        kind=KINDS.get(each.kind, ""),
                        trace_id=each.trace_id.hex(),
                        span_id=each.span_id.hex(),
                        parent_id=each.parent_span_id.hex(),
                        links=tuple(f"{link.trace_id.hex()}-{link.span_id.hex()}" for link in each.links),
                        attributes={one.key: one.value.string_value or one.value.int_value for one in each.attributes},
                    )
                    for each in scope.spans
                ]


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Up until the block ends; whatever is posted elsewhere is answered 200."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces":
                is_packed = self.headers.get("content-encoding") == "gzip"
                collector.take(gzip.decompress(body) if is_packed else body)
            else:
                collector.others.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
