"""A candidate document tried on recorded decisions for somebody who waits: bounded in rows and in time, one at a time,
and it says how far it came. Nothing is written anywhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import msgspec

from auth_gateway.core.past_trial import PastTrial
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_rule import PolicyDocument
from auth_gateway.flows.backtest import judge
from auth_gateway.flows.ports.decisions import Decided, Decisions, Start, Starts
from plumbing.database import Database
from plumbing.refusals import Refused

MOST_LINES: Final = 30_000
MOST_SECONDS: Final = 8.0
"""Of a thread beside the one that answers logins. Who wants a longer span has `auth-gateway policy backtest`."""
AT_A_TIME: Final = 50
REST_SECONDS: Final = 0.004
"""After each piece. A thread that computes holds the interpreter for up to 5 ms before it lets another on (CPython,
`sys.setswitchinterval`), and a login passes it on some twenty times: a piece that is over sooner, and a rest that is
longer than it, leave that to the logins."""
MOST_DAYS: Final = 92


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `since` and `until` are what was looked at, which `is_whole` or not is what was asked for."""

    trial: PastTrial
    since: float
    until: float
    is_whole: bool


def _goes_on(_seconds: float) -> None:
    """For whoever has no logins beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTrials:
    """Tries candidates. Blocks: for a thread, which `rest` lets sleep after each piece."""

    database: Database
    decisions: Decisions
    starts: Starts
    policy: Policy
    present: Callable[[], PolicyDocument]
    monotonic: Callable[[], float]
    most_lines: int = MOST_LINES
    most_seconds: float = MOST_SECONDS
    rest: Callable[[float], None] = _goes_on
    turn: Lock = field(default_factory=Lock)

    def __call__(self, candidate: PolicyDocument, *, since: float, until: float) -> Tried:
        """What both say of the newest decisions of that span, epoch seconds.

        Raises: Refused("backtest_running", 409) while another one runs in this process; Refused("invalid_span", 422).
        """
        if not 0 < until - since <= MOST_DAYS * 86_400:
            words = f"A span begins before it ends, and has {MOST_DAYS} days at the most."
            raise Refused("invalid_span", words, status=422)
        if not self.turn.acquire(blocking=False):
            raise Refused("backtest_running", "Another one runs: try again shortly.", status=409, retry_after_seconds=5)
        try:
            return self._tried(candidate, since, until)
        finally:
            self.turn.release()

    def _tried(self, candidate: PolicyDocument, since: float, until: float) -> Tried:
        deadline, present = self.monotonic() + self.most_seconds, self.present()
        trial = PastTrial(self.database.read(lambda tx: self.decisions.compromised(tx, since=since)))
        after, is_whole = self._start(since, until)
        begins, ends = (since if is_whole else None), until
        for piece in self._pieces(after, since, until):
            begins = piece[0].line.ts if begins is None else begins
            for decided in piece:
                judge(trial, decided, present=present, candidate=candidate, policy=self.policy)
            if self.monotonic() > deadline:
                ends, is_whole = piece[-1].line.ts, False
                break
        return Tried(trial=trial, since=since if begins is None else begins, until=ends, is_whole=is_whole)

    def _start(self, since: float, until: float) -> Start:
        return self.database.read(lambda tx: self.starts.start(tx, since=since, until=until, most=self.most_lines))

    def _pieces(self, after: int, since: float, until: float) -> Iterator[list[Decided]]:
        while piece := self._piece(after, since, until):
            yield piece
            after = piece[-1].place
            self.rest(REST_SECONDS)

    def _piece(self, after: int, since: float, until: float) -> list[Decided]:
        return self.database.read(
            lambda tx: self.decisions.between(tx, after=after, since=since, until=until, most=AT_A_TIME)
        )
