"""What is counted and measured while a service runs, as Prometheus reads it; which metrics there are is the service's.

Every application has registries of its own, so that two in one process never add up. Where several processes share one
PROMETHEUS_MULTIPROC_DIR, whichever is asked adds up what all of them counted.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, Literal, TypeVar, cast

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
Scope = Literal["all", "process", "worst"]
"""Whom a reading is about: "all" is the same whichever process is asked, such as what waits in the database; of a
"process" it is its own, and the sum counts; "worst" is the least of them."""


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
        self._mirrors: list[_Mirror] = []
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

    def look(
        self,
        name: str,
        text: str,
        labels: Sequence[str],
        read: Callable[[], Iterable[Reading]],
        *,
        of: Scope = "all",
    ) -> None:
        """Ask `read` at each exposition, on the event loop: it must be in memory already. What it does not name is not
        there, so a version or a receiver that is gone leaves nothing behind. A name that ends in `_total` is a
        counter's. `of` says whom the readings are about, where several processes answer for each other."""
        if not self._is_one_of_many or of == "all":
            self._looked_at.register(_Looked(name, text, tuple(labels), read))
        elif name.endswith("_total"):
            self._mirrors.append(_Mirror(read, Counter(name, text, labels, registry=self._counted)))
        else:
            mode: Literal["livesum", "livemin"] = "livesum" if of == "process" else "livemin"
            gauge = Gauge(name, text, labels, registry=self._counted, multiprocess_mode=mode)
            self._mirrors.append(_Mirror(read, gauge))

    def share(self) -> None:
        """Let the other processes see what was read here; each does so every few seconds."""
        for mirror in self._mirrors:
            mirror.follow()

    def buckets(self, histogram: str, **labels: str) -> dict[float, float]:
        """Of a histogram's children with these labels together: upper bound → how many were no more, in this process
        alone."""
        found: dict[float, float] = {}
        for family in self._counted.restricted_registry([f"{histogram}_bucket"]).collect():
            for sample in family.samples:
                if labels.items() <= sample.labels.items() and "le" in sample.labels:
                    bound = float(sample.labels["le"])
                    found[bound] = found.get(bound, 0.0) + sample.value
        return found

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format."""
        counted = self._counted
        if self._is_one_of_many:
            self.share()
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        return generate_latest(counted) + generate_latest(self._looked_at)


class _Mirror:
    """What was read in this process, kept where the others see it. What is no longer named is nought there."""

    def __init__(self, read: Callable[[], Iterable[Reading]], metric: Counter | Gauge) -> None:
        self._read, self._metric = read, metric
        self._told: dict[tuple[str, ...], float] = {}

    def follow(self) -> None:
        now = dict(self._read())
        for values in {**self._told, **now}:
            by = now.get(values, 0.0) - self._told.get(values, 0.0)
            if by or values not in self._told:
                (self._metric.labels(*values) if values else self._metric).inc(by)
        self._told = {**dict.fromkeys(self._told, 0.0), **now}


class _Looked(Collector):
    def __init__(self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Iterable[Reading]]) -> None:
        self._name, self._text, self._labels, self._read = name, text, labels, read

    def collect(self) -> Iterator[Metric]:
        made = CounterMetricFamily if self._name.endswith("_total") else GaugeMetricFamily
        family = made(self._name, self._text, labels=self._labels)
        for values, reading in self._read():
            family.add_metric(values, reading)
        yield family
