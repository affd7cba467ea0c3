"""What is counted and measured while a service runs, as Prometheus reads it; which metrics there are is the service's.

Every application has registries of its own, so that two in one process never add up. Where several processes share one
PROMETHEUS_MULTIPROC_DIR, whichever is asked adds up what all of them counted.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Source: prometheus.io/docs/instrumenting/exposition_formats."""
MOST_VALUES: Final = 200
"""Children of one metric: however labels come about, a metric never grows without end."""
OTHER: Final = "other"
SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Buckets of durations: from a look-up in memory to a login that nobody waits for any more."""

disable_created_metrics()  # type: ignore[no-untyped-call]

T = TypeVar("T", bound=Counter | Histogram)
Reading = tuple[tuple[str, ...], float]
"""The values of the labels, and what was read."""


class Children(Generic[T]):
    """A metric's children, each bound once, so that a hot path pays a look-up; past `most` the rest are `other`."""

    def __init__(self, metric: T, most: int = MOST_VALUES) -> None:
        self._metric = metric
        self._most = most
        self._bound: dict[tuple[str, ...], T] = {}

    def __call__(self, *values: str) -> T:
        """The child with these values of the labels, in their order."""
        return self._bound.get(values) or self._bind(values)

    def _bind(self, values: tuple[str, ...]) -> T:
        if not values:
            return self._metric  # without labels there is one of it
        is_room = len(self._bound) < self._most
        child = cast(T, self._metric.labels(*(values if is_room else [OTHER] * len(values))))
        if is_room:
            self._bound[values] = child
        return child


class Meters:
    """The metrics of one application."""

    def __init__(self, *, is_one_of_many: bool = False) -> None:
        """`is_one_of_many`: PROMETHEUS_MULTIPROC_DIR names a directory, which the library itself reads when it is
        imported. What is known of this process alone would then be said in the name of all, and is left out."""
        self._is_one_of_many = is_one_of_many
        self._counted = CollectorRegistry(auto_describe=True)
        self._looked_at = CollectorRegistry(auto_describe=False)
        if not is_one_of_many:
            ProcessCollector(registry=self._looked_at)
            PlatformCollector(registry=self._looked_at)

    def counter(self, name: str, text: str, labels: Sequence[str], *, most: int = MOST_VALUES) -> Children[Counter]:
        """How often something happened."""
        return Children(Counter(name, text, labels, registry=self._counted), most)

    def histogram(
        self,
        name: str,
        text: str,
        labels: Sequence[str],
        *,
        buckets: Sequence[float] = SECONDS,
        most: int = MOST_VALUES,
    ) -> Children[Histogram]:
        """How long something took, or how much it was."""
        return Children(Histogram(name, text, labels, buckets=buckets, registry=self._counted), most)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        """What goes up and down; of several processes the sum."""
        return Gauge(name, text, labels, registry=self._counted, multiprocess_mode="livesum")

    def look(self, name: str, text: str, labels: Sequence[str], read: Callable[[], Iterable[Reading]]) -> None:
        """Ask `read` at each exposition, on the event loop: it must be in memory already. What it does not name is not
        there, so a version or a receiver that is gone leaves nothing behind. A name that ends in `_total` is a
        counter's."""
        self._looked_at.register(_Looked(name, text, tuple(labels), read))

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format."""
        counted = self._counted
        if self._is_one_of_many:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        return generate_latest(counted) + generate_latest(self._looked_at)


class _Looked(Collector):
    def __init__(self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Iterable[Reading]]) -> None:
        self._name, self._text, self._labels, self._read = name, text, labels, read

    def collect(self) -> Iterator[Metric]:
        made = CounterMetricFamily if self._name.endswith("_total") else GaugeMetricFamily
        family = made(self._name, self._text, labels=self._labels)
        for values, reading in self._read():
            family.add_metric(values, reading)
        yield family
