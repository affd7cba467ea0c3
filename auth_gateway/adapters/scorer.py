"""Asks the risk scorer for one score, within one deadline, and believes nothing that is not exactly in shape.

Fails to "no score", which policy turns into a challenge: a scorer that is down, slow or taken over can make logins
harder, never easier, and never makes one fail with a 500.
"""

import asyncio
import json
import math
import ssl
from contextlib import AbstractContextManager
from typing import Protocol

import httpx2
import msgspec
import structlog

from auth_gateway.adapters.breaker import CircuitBreaker
from auth_gateway.flows.ports import UNSCORED, Clock
from plumbing.timing import untimed
from plumbing.tracing import UNTRACED, Tracing, handed_on
from risk_scorer.contract.assessment import MEDIUM_FROM, RiskScore, risk_level
from risk_scorer.contract.events import LoginEvent

# A score is about 2 KiB; a scorer that sends more than this is not ours.
MOST_ANSWER_BYTES = 65_536
MOST_CONNECTIONS = 64
# Longer than the usual pause between two logins, shorter than the scorer's own idle limit would surprise us with.
KEEP_ALIVE_SECONDS = 4.0
# A deadline that rings later than this rang late because our own event loop was busy: that says nothing of the scorer.
LATE_SECONDS = 0.05

_log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RiskScore)


class Unusable(Exception):
    """The scorer did answer, but not with a score that may be used."""


class RefusedEvent(Exception):
    """The scorer answered that this very event cannot be scored. It is well; the event is not."""


# What a scorer says to an event it will not take: no outage, so it must not hold back other people's logins.
EVENT_REFUSED = frozenset({400, 413, 422})


class Breaker(Protocol):
    """What holds calls back while they are of no use: of one process, or of several."""

    @property
    def is_open(self) -> bool: ...

    async def admitted(self, now: float) -> bool:
        """Whether a call may be made; one that may must be followed by `record` or `withdraw`."""
        ...

    def record(self, *, succeeded: bool, now: float) -> None:
        """Takes in how a call ended."""
        ...

    def withdraw(self) -> None:
        """Takes back a call that says nothing of the service."""
        ...


class ScorerWatch(Protocol):
    """Whoever wants to know how the scorer fares."""

    def asking(self) -> AbstractContextManager[object]:
        """Entered before the scorer is asked, left when there is a score or none."""
        ...

    def unscored(self, cause: str) -> None:
        """A decision has to do without a score."""
        ...

    def breaker(self, *, is_open: bool) -> None:
        """The breaker has changed."""
        ...


class Unwatched:
    """Nobody wants to know."""

    def asking(self) -> AbstractContextManager[object]:
        return untimed()

    def unscored(self, cause: str) -> None:
        pass

    def breaker(self, *, is_open: bool) -> None:
        pass


class HttpScorer:
    """`POST {base_url}/score` over kept-alive connections, never through a proxy and never following a redirect.

    `last_problem` is the code of the latest failure (`scorer_timeout`, `scorer_unreachable`, `scorer_invalid`,
    `scorer_refused`, `breaker_open`, `gateway_busy`), None after a score. A timeout of our own making (`gateway_busy`)
    is no failure of the scorer's: counted, a flood of requests here would take everybody's score away.
    """

    def __init__(
        self,
        *,
        base_url: str,
        credential: str | None,
        deadline_seconds: float,
        clock: Clock,
        watch: ScorerWatch | None = None,
        tracing: Tracing = UNTRACED,
        tls: ssl.SSLContext | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        """`tls` is how an https address is called, unless it is as everywhere."""
        self._url = f"{base_url}/score"
        self._health_url = f"{base_url}/health"
        self._deadline_seconds = deadline_seconds
        self._clock = clock
        self._breaker: Breaker = breaker or CircuitBreaker()
        self._watch = watch or Unwatched()
        self._tracing = tracing
        self.last_problem: str | None = None
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if credential is not None:
            headers["authorization"] = f"Bearer {credential}"
        limits = httpx2.Limits(
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
        )
        # No timeouts of its own: one deadline around everything, so that a drip of bytes cannot stretch it.
        self._client = httpx2.AsyncClient(
            headers=headers,
            limits=limits,
            timeout=None,
            trust_env=False,
            follow_redirects=False,
            verify=tls or base_url.startswith("https:"),  # else a trust store would be read for nothing
        )

    async def score(self, event: LoginEvent) -> RiskScore | None:
        """The score of exactly this event, or None."""
        with self._watch.asking(), self._tracing.span("score", "client"):
            score = await self._score(event)
        cause = "" if score is not None else self.last_problem or "scorer_invalid"
        UNSCORED.set(cause)
        if cause:
            self._watch.unscored(cause)
        return score

    async def _score(self, event: LoginEvent) -> RiskScore | None:
        if not await self._breaker.admitted(self._clock.monotonic()):
            self.last_problem = "breaker_open"
            return None
        score, problem = None, "scorer_invalid"
        deadline = asyncio.timeout(self._deadline_seconds)
        try:
            async with deadline:
                score = checked(await self._answer(event), expected_event_id=event.event_id)
        except TimeoutError:
            problem = "gateway_busy" if _rang_late(deadline) else "scorer_timeout"
        except (httpx2.HTTPError, OSError):
            problem = "scorer_unreachable"
        except Unusable:
            pass
        except RefusedEvent:
            self._record(succeeded=True)
            self.last_problem = "scorer_refused"
            _log.warning("scorer_refused_event")
            return None
        except Exception:
            # The login goes on without a score whatever the scorer sent; the log keeps what we did not foresee.
            _log.exception("scorer_answer_unforeseen")
        self._note(None if score is not None else problem)
        return score

    async def problem(self) -> str | None:
        """Why the scorer cannot be asked now, or None when it says it is alive; for operators."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                async with self._client.stream("GET", self._health_url) as response:
                    is_alive = response.status_code == 200
        except TimeoutError:
            return "scorer_timeout"
        except (httpx2.HTTPError, OSError):
            return "scorer_unreachable"
        return None if is_alive else "scorer_invalid"

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _answer(self, event: LoginEvent) -> bytes:
        async with self._client.stream(
            "POST", self._url, content=_encoder.encode(event), headers=handed_on()
        ) as response:
            if response.status_code in EVENT_REFUSED:
                raise RefusedEvent
            if response.status_code != 200:
                raise Unusable("status")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_ANSWER_BYTES:
                    raise Unusable("size")
            return bytes(body)

    def _note(self, problem: str | None) -> None:
        if problem == "gateway_busy":
            self._breaker.withdraw()
        else:
            self._record(succeeded=problem is None)
        if problem != self.last_problem:
            _log.warning("scorer_changed", problem=problem)
        self.last_problem = problem

    def _record(self, *, succeeded: bool) -> None:
        was_open = self._breaker.is_open
        self._breaker.record(succeeded=succeeded, now=self._clock.monotonic())
        if self._breaker.is_open != was_open:
            self._watch.breaker(is_open=not was_open)


def _rang_late(deadline: asyncio.Timeout) -> bool:
    """Whether a deadline that has just run out is noticed long after its time, by the loop's own clock."""
    due = deadline.when()
    return due is not None and asyncio.get_running_loop().time() - due > LATE_SECONDS


def checked(body: bytes, *, expected_event_id: str | None) -> RiskScore:
    """The score that `body` holds.

    A level or label that contradicts the number, or another event's score, is not believed: policy decides by the
    level, and an answer mixed up on a reused connection would let one person in on another's good name. A name that is
    there twice says two things, and readers differ in which of them they take (RFC 8259, section 4).

    Raises: Unusable.
    """
    try:
        score = _decoder.decode(body)
        json.loads(body, object_pairs_hook=_without_repetition)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unusable("shape") from None
    number = score.risk_score
    if not math.isfinite(number) or not 0 <= number <= 100:
        raise Unusable("range")
    if score.risk_level != risk_level(number) or (score.model_label == -1) != (number >= MEDIUM_FROM):
        raise Unusable("contradiction")
    if score.event_id != expected_event_id:
        raise Unusable("other event")
    return score


def _without_repetition(pairs: list[tuple[str, object]]) -> None:
    """Raises: Unusable when an object of the answer has a name twice."""
    if len(dict(pairs)) != len(pairs):
        raise Unusable("repetition")
