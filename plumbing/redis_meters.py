"""How Redis fares, as metrics; the same names in both services."""

from plumbing.metrics import Meters


class RedisMeters:
    """Hears from a client of Redis. Uses and causes are words of ours."""

    def __init__(self, meters: Meters) -> None:
        self._away = meters.gauge("riskgate_redis_away", "Whether Redis is not asked now.")
        self._seconds = meters.histogram("riskgate_redis_seconds", "How long Redis took to answer.", ["use"])
        self._fallbacks = meters.counter(
            "riskgate_redis_fallbacks_total", "What was done without Redis, by use and cause.", ["use", "cause"]
        )

    def answered(self, use: str, seconds: float) -> None:
        """Measures one answer."""
        self._seconds(use).observe(seconds)

    def fell_back(self, use: str, cause: str) -> None:
        """Counts what had to do without."""
        self._fallbacks(use, cause).inc()

    def changed(self, problem: str | None) -> None:
        """Redis is away, or back."""
        self._away.set(0.0 if problem is None else 1.0)
